"""Starting the table network as the best linear VAE, instead of at random weights.

A ReLU layer is linear on pairs of filters of opposite sign: relu(u) - relu(-u) = u ("looks-linear"
initialisation, Balduzzi et al. 2017, arXiv 1702.08591, section 4). The layers of the table network get these weights:

    encoder  the convolutions compute the means of small square cells of the image; `heads` is the linear encoder
    decoder  `dense` gives a small image of cells, the transposed convolution interpolates it to full size, the output
             convolution joins each pair

So the network computes probabilistic PCA (`vae_keras.linear_vae`), up to pixels finer than a cell and to the
curve of the logits, and training can change every weight from there. Cells are as small as the layers have
filters for. With the default sizes a cell is one pixel of a grey image and two by two pixels of an RGB image. The
remaining filters keep their random weights and are not connected to the next layer yet.
"""

import logging
from typing import Any, NamedTuple

import numpy as np

from common.errors import UserError
from vae_keras.gaussians import raw_log_variance
from vae_keras.likelihoods import Likelihood
from vae_keras.linear_vae import FEWEST_IMAGES, LinearVae, fit_linear_vae
from vae_keras.priors import StandardNormal

LOGITS = np.linspace(-12.0, 12.0, 2401, dtype=np.float32)
# Outside of where the mean has at least this share of its largest slope, a straight line no longer approximates it: for
# the sigmoid below 0.05 and above 0.95.
LEAST_SLOPE = 0.2
# The factor with which the mean of a cell enters the heads. Adam moves every weight alike: the smaller the features and
# the larger the weights, the less its first steps disturb what the heads compute.
FEATURE = 0.25

log = logging.getLogger(__name__)


def start_as_linear_vae(vae: Any, images: np.ndarray) -> None:
    """Give a VAE of the table architecture the weights of the best linear VAE on these images.

    A learned variance is set to that of the linear VAE. The weights stay random if there are too few images for a
    linear VAE, if the images vary too little for it to use a latent, or if the likelihood has no linear counterpart. A
    line in the log says the last. The linear VAE has the prior N(0, I); a line says so if the VAE has another.

    Args:
        vae: the VAE (`vae_keras.model.VAE`).
        images: (n, height, width, channels) in [0, 1].

    Raises:
        UserError: the layers have too few filters to hold an image.
    """
    if len(images) < FEWEST_IMAGES or np.all(images == images[0]):
        return
    likelihood = vae.likelihood
    try:
        logits, slope = linearised(likelihood, images.mean(axis=0))
        variance = likelihood.linear_variance(slope)
    except NotImplementedError:
        name = type(vae.parts["likelihood"]).__name__
        log.warning("training starts at random weights, because no linear VAE is known for the likelihood %s", name)
        return
    linear = fit_linear_vae(images, vae.latent_dim, variance)
    if not len(linear.eigenvalues):
        return
    if not isinstance(vae.prior, StandardNormal):
        name = type(vae.parts["prior"]).__name__
        log.warning("training starts as the best linear VAE with the prior N(0, I); the prior of this run is %s", name)
    likelihood.start_at_variance(linear.variance)
    _set_encoder(vae, linear)
    _set_decoder(vae, linear, logits, slope)


def linearised(likelihood: Likelihood, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The decoder's outputs whose mean is this image, and the slope of the mean there; both of the image's shape.

    Raises:
        NotImplementedError: the likelihood takes more than one output for each pixel and channel.
    """
    if likelihood.outputs_per_channel != 1:
        raise NotImplementedError
    means = np.asarray(likelihood.mean(LOGITS))
    slopes = np.gradient(means, LOGITS)
    steep = slopes >= LEAST_SLOPE * slopes.max()
    means, slopes, logits = means[steep], slopes[steep], LOGITS[steep]
    return np.interp(image, means, logits), np.interp(image, means, slopes)


class PatchGrid(NamedTuple):
    """A grid of square cells in each block of pixels that a strided convolution advances by.

    Attributes:
        across: cells along each side of a block.
        side: of a cell, in pixels.
        before: rows of the kernel that lie before its block ("same" padding).
        kernel: of the convolution, in pixels.
    """

    across: int
    side: int
    before: int
    kernel: int

    def means(self) -> np.ndarray:
        """Weights over a kernel's pixels that give each cell's mean, (kernel, kernel, cells)."""
        offset = np.arange(self.kernel) - self.before
        # Whether a row lies in a cell, (kernel, across)
        inside = offset[:, None] // self.side == np.arange(self.across)
        return np.einsum("ia,jb->ijab", inside, inside).reshape(self.kernel, self.kernel, -1) / self.side**2

    def enlargements(self) -> np.ndarray:
        """Weights over a kernel's pixels that interpolate linearly between cells, (kernel, kernel, cells)."""
        centre = np.arange(self.across) * self.side + (self.side - 1) / 2
        distance = np.abs(np.arange(self.kernel)[:, None] - self.before - centre)
        tent = np.maximum(0, 1 - distance / self.side)
        return np.einsum("ia,jb->ijab", tent, tent).reshape(self.kernel, self.kernel, -1)


def finest_grid(layer: str, kernel: int, stride: int, room: float) -> PatchGrid:
    """The finest grid that has at most `room` cells in a block.

    Raises:
        UserError: there is room for no cell.
    """
    fitting = [across for across in range(1, stride + 1) if stride % across == 0 and across**2 <= room]
    if not fitting:
        raise UserError(f"--linear-start needs more filters in the {layer}; pass --no-linear-start")
    return PatchGrid(fitting[-1], stride // fitting[-1], max(kernel - stride, 0) // 2, kernel)


def _set_encoder(vae: Any, linear: LinearVae) -> None:
    """Give the encoder the weights with which it computes the posterior of the linear VAE."""
    first, second, heads = (
        vae.encoder.get_layer(name) for name in ("first_convolution", "second_convolution", "heads")
    )
    channels, latents = vae.image_shape[-1], vae.latent_dim
    kernel = first.kernel.numpy()
    inner = finest_grid("first convolution", len(kernel), first.strides[0], first.filters / (2 * channels))
    means = _per_channel(inner.means(), channels)
    pairs = means.shape[-1]
    # Filters 0, 2, 4, ... hold the means, filters 1, 3, 5, ... the same with the opposite sign.
    kernel[..., : 2 * pairs : 2], kernel[..., 1 : 2 * pairs : 2] = means, -means
    first.set_weights([kernel, np.zeros(first.filters)])

    kernel = second.kernel.numpy()
    outer = finest_grid("second convolution", len(kernel), second.strides[0], second.filters / pairs)
    means = FEATURE * _per_channel(outer.means(), pairs)
    features = means.shape[-1]
    kernel[..., :features] = 0
    kernel[:, :, : 2 * pairs : 2, :features], kernel[:, :, 1 : 2 * pairs : 2, :features] = means, -means
    second.set_weights([kernel, np.zeros(second.filters)])

    # q(z | x) = N(A (x - b), s2 L^-1) with A = L^-1 (L - s2 I)^1/2 U^T
    used = len(linear.eigenvalues)
    encoder = linear.axes * (np.sqrt(linear.eigenvalues - linear.variance) / linear.eigenvalues)[:, None]
    # Where a row of A varies slowly, its inner product with an image is that of cell means, times a cell's pixels.
    rows = np.array(second(first(encoder.reshape(-1, *vae.image_shape).astype(np.float32))))
    rows[..., features:] = 0
    weights, biases = np.zeros(heads.kernel.shape), np.zeros(2 * latents)
    weights[:, :used] = (inner.side * outer.side / FEATURE) ** 2 * rows.reshape(used, len(weights)).T
    biases[:used] = -encoder @ linear.mean
    # The grey that all images share is subtracted from the features, so they lie around zero; the heads' bias adds it.
    grey = np.zeros(second.filters)
    grey[:features] = FEATURE * linear.mean.mean()
    second.bias.assign(-grey)
    biases[:used] += np.tile(grey, len(weights) // len(grey)) @ weights[:, :used]
    biases[latents : latents + used] = raw_log_variance(np.log(linear.variance / linear.eigenvalues))
    heads.set_weights([weights, biases])


def _set_decoder(vae: Any, linear: LinearVae, logits: np.ndarray, slope: np.ndarray) -> None:
    """Give the decoder the weights with which it computes the mean of the linear VAE.

    Args:
        logits, slope: of the mean image, as `linearised` gives them.
    """
    dense, reshape, transposed, output = (
        vae.decoder.get_layer(name) for name in ("dense", "reshape", "transposed_convolution", "output_convolution")
    )
    channels = vae.image_shape[-1]
    rows, columns, small_channels = reshape.target_shape
    kernel = transposed.kernel.numpy()
    grid = finest_grid("decoder's dense layer", len(kernel), transposed.strides[0], small_channels / channels)
    if transposed.filters < 2 * channels:
        raise UserError("--linear-start needs more filters in the transposed convolution; pass --no-linear-start")
    enlarged = _per_channel(grid.enlargements(), channels)
    used, pairs = enlarged.shape[-1], 2 * channels
    kernel[:, :, :pairs] = 0
    kernel[:, :, :pairs:2, :used], kernel[:, :, 1:pairs:2, :used] = enlarged, -enlarged
    transposed.set_weights([kernel, np.zeros(transposed.filters)])

    joining = np.zeros(output.kernel.shape)
    middle = len(joining) // 2
    joining[middle, middle, :pairs:2], joining[middle, middle, 1:pairs:2] = np.eye(channels), -np.eye(channels)
    output.set_weights([joining, np.zeros(channels)])

    # l(b + W z) = l(b) + W z / l'(b), with W = U (L - s2 I)^1/2
    decoder = linear.axes * np.sqrt(linear.eigenvalues - linear.variance)[:, None]
    images = np.concatenate([decoder.reshape(-1, *vae.image_shape) / slope, logits[None]])
    blocks = images.reshape(-1, rows, grid.across, grid.side, columns, grid.across, grid.side, channels)
    # The means of the cells: (images, rows, columns, cells x channels)
    cells = blocks.mean(axis=(3, 6)).transpose(0, 1, 3, 2, 4, 5).reshape(-1, rows, columns, used)
    weights, biases = dense.kernel.numpy(), np.zeros((rows, columns, small_channels))
    small = weights.reshape(-1, rows, columns, small_channels)
    small[..., :used] = 0
    small[: len(decoder), ..., :used] = cells[:-1]
    biases[..., :used] = cells[-1]
    dense.set_weights([weights, biases.ravel()])


def _per_channel(weights: np.ndarray, channels: int) -> np.ndarray:
    """The same weights (kernel, kernel, cells) for each channel: (kernel, kernel, channels, cells x channels)."""
    return np.einsum("ijk,cd->ijckd", weights, np.eye(channels)).reshape(*weights.shape[:2], channels, -1)
