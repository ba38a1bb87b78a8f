"""Starting the table network as the best linear VAE, instead of at random weights.

A ReLU layer is linear on pairs of filters of opposite sign: relu(u) - relu(-u) = u ("looks-linear"
initialisation, Balduzzi et al. 2017, arXiv 1702.08591, section 4). With the network's own layers,

    encoder  the convolutions take an image to the means of small square cells of it, which Flatten lines
             up; Dense holds the linear encoder
    decoder  Dense draws a picture of cells, the transposed convolution enlarges it to full size between the
             cells' centres, the last convolution joins each pair

so the network computes probabilistic PCA (`vae_keras.metrics.linear_vae`), up to pixels finer than a cell and to the
curve of the logits, and every weight is free to leave from there. Cells are as small as the layers have
filters for: with the default sizes one pixel for grey images and two by two for RGB. Filters that are left over keep
their random weights and are joined to nothing yet.
"""

from typing import NamedTuple

import numpy as np

from common.errors import UserError
from vae_keras.gaussians import raw_log_variance
from vae_keras.likelihoods import Gaussian, LearnedGaussian, Likelihood
from vae_keras.metrics.linear_vae import FEWEST_IMAGES, LinearVae, fit_linear_vae
from vae_keras.model import VAE

LOGITS = np.linspace(-12.0, 12.0, 2401, dtype=np.float32)
# Where a picture moves less than this share of its fastest, a straight line no longer serves: for the sigmoid
# below 0.05 and above 0.95.
LEAST_SLOPE = 0.2
# How large a cell's mean enters the heads. Adam moves every weight alike: the smaller the features and the
# larger the weights, the less its first steps disturb what the heads compute.
FEATURE = 0.25


def start_as_linear_vae(vae: VAE, images: np.ndarray) -> None:
    """Give a VAE of the table architecture the weights of the best linear VAE on these images.

    A learned variance is set to the linear VAE's. Where there are too few images for a linear VAE, or they vary too
    little for it to use a latent, the weights stay as they are.

    Args:
        images: (n, height, width, channels) in [0, 1].

    Raises:
        UserError: the layers have too few filters to hold an image.
    """
    if len(images) < FEWEST_IMAGES or np.all(images == images[0]):
        return
    likelihood = vae.likelihood
    logits, slope = linearised(likelihood, images.mean(axis=0))
    linear = fit_linear_vae(images, vae.latent_dim, start_variance(likelihood, slope))
    if not len(linear.eigenvalues):
        return
    if isinstance(likelihood, LearnedGaussian):
        likelihood.start_at(linear.variance)
    _set_encoder(vae, linear)
    _set_decoder(vae, linear, logits, slope)


def linearised(likelihood: Likelihood, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logits that stand for a picture, and the slope of the picture in them; of its shape both."""
    pictures = np.asarray(likelihood.picture(LOGITS))
    slopes = np.gradient(pictures, LOGITS)
    steep = slopes >= LEAST_SLOPE * slopes.max()
    pictures, slopes, logits = pictures[steep], slopes[steep], LOGITS[steep]
    return np.interp(picture, pictures, logits), np.interp(picture, pictures, slopes)


def start_variance(likelihood: Likelihood, slope: np.ndarray) -> float | None:
    """The pixels' variance around the mean picture; None where it is learned."""
    if isinstance(likelihood, Gaussian):
        return likelihood.variance
    if isinstance(likelihood, LearnedGaussian):
        return None
    # In an exponential family whose natural parameter is the logit, Var[x] = d E[x] / d l.
    return float(slope.mean())


class Cells(NamedTuple):
    """How a strided convolution sees an image: each stride-wide block of it as `across` x `across` cells.

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
        """What each cell's value adds to a kernel's pixels so that cells blend linearly, (kernel, kernel, cells)."""
        centre = np.arange(self.across) * self.side + (self.side - 1) / 2
        distance = np.abs(np.arange(self.kernel)[:, None] - self.before - centre)
        tent = np.maximum(0, 1 - distance / self.side)
        return np.einsum("ia,jb->ijab", tent, tent).reshape(self.kernel, self.kernel, -1)


def cells_of(layer: str, kernel: int, stride: int, room: float) -> Cells:
    """The finest cells of which `room` fit into a block.

    Raises:
        UserError: not even one does.
    """
    fitting = [across for across in range(1, stride + 1) if stride % across == 0 and across**2 <= room]
    if not fitting:
        raise UserError(f"--linear-start needs more filters in the {layer}; pass --no-linear-start")
    return Cells(fitting[-1], stride // fitting[-1], max(kernel - stride, 0) // 2, kernel)


def _set_encoder(vae: VAE, linear: LinearVae) -> None:
    first, second, _, heads = vae.encoder.layers
    channels, latents = vae.image_shape[-1], vae.latent_dim
    kernel, outer = first.kernel.numpy(), second.kernel.numpy()
    cells = cells_of("first convolution", kernel.shape[0], first.strides[0], first.filters / (2 * channels))
    means = _per_channel(cells.means(), channels)
    pairs = means.shape[-1]
    kernel[..., : 2 * pairs : 2], kernel[..., 1 : 2 * pairs : 2] = means, -means
    first.set_weights([kernel, np.zeros(first.filters)])

    wider = cells_of("second convolution", outer.shape[0], second.strides[0], second.filters / pairs)
    means = _per_channel(wider.means(), pairs)
    joined = means.shape[-1]
    outer[..., :joined] = 0
    outer[:, :, : 2 * pairs : 2, :joined], outer[:, :, 1 : 2 * pairs : 2, :joined] = FEATURE * means, -FEATURE * means
    second.set_weights([outer, np.zeros(second.filters)])

    # q(z | x) = N(L^-1 (L - s2 I)^1/2 U^T (x - b), s2 L^-1)
    used = len(linear.eigenvalues)
    shrunk = np.sqrt(linear.eigenvalues - linear.variance) / linear.eigenvalues
    axes = linear.axes * shrunk[:, None]
    # An inner product with an image is one of cell means, times the pixels of a cell, where both vary slowly.
    features = np.array(second(first(axes.reshape(-1, *vae.image_shape).astype(np.float32))))
    features[..., joined:] = 0
    weights, biases = np.zeros(heads.kernel.shape), np.zeros(2 * latents)
    weights[:, :used] = (cells.side * wider.side / FEATURE) ** 2 * features.reshape(used, len(weights)).T
    biases[:used] = -axes @ linear.mean
    # Features around zero: the grey that all images share is taken off here and put back in the heads' bias.
    grey = np.zeros(second.filters)
    grey[:joined] = FEATURE * linear.mean.mean()
    second.bias.assign(-grey)
    biases[:used] += np.tile(grey, len(weights) // len(grey)) @ weights[:, :used]
    biases[latents : latents + used] = raw_log_variance(np.log(linear.variance / linear.eigenvalues))
    heads.set_weights([weights, biases])


def _set_decoder(vae: VAE, linear: LinearVae, logits: np.ndarray, slope: np.ndarray) -> None:
    dense, reshape, transposed, output = vae.decoder.layers
    shape, channels = vae.image_shape, vae.image_shape[-1]
    rows, columns, seeds = reshape.target_shape
    kernel, joining = transposed.kernel.numpy(), np.zeros(output.kernel.shape)
    cells = cells_of("decoder's first picture", kernel.shape[0], transposed.strides[0], seeds / channels)
    if transposed.filters < 2 * channels:
        raise UserError("--linear-start needs more filters in the transposed convolution; pass --no-linear-start")
    enlarged = _per_channel(cells.enlargements(), channels)
    used, pairs = enlarged.shape[-1], 2 * channels
    kernel[:, :, :pairs] = 0
    kernel[:, :, :pairs:2, :used], kernel[:, :, 1:pairs:2, :used] = enlarged, -enlarged
    transposed.set_weights([kernel, np.zeros(transposed.filters)])
    middle = output.kernel.shape[0] // 2
    joining[middle, middle, :pairs:2], joining[middle, middle, 1:pairs:2] = np.eye(channels), -np.eye(channels)
    output.set_weights([joining, np.zeros(channels)])

    # l(b + W z) = l(b) + W z / l'(b), with W = U (L - s2 I)^1/2
    axes = linear.axes * np.sqrt(linear.eigenvalues - linear.variance)[:, None]
    pictures = np.concatenate([axes.reshape(-1, *shape) / slope, logits[None]])
    across, side = cells.across, cells.side
    means = pictures.reshape(-1, rows, across, side, columns, across, side, channels).mean(axis=(3, 6))
    small = dense.kernel.numpy().reshape(-1, rows, columns, seeds)
    small[..., :used] = 0
    small[: len(axes), ..., :used] = means[:-1].transpose(0, 1, 3, 2, 4, 5).reshape(-1, rows, columns, used)
    bias = np.zeros((rows, columns, seeds))
    bias[..., :used] = means[-1].transpose(0, 2, 1, 3, 4).reshape(rows, columns, used)
    dense.set_weights([small.reshape(dense.kernel.shape), bias.ravel()])


def _per_channel(weights: np.ndarray, channels: int) -> np.ndarray:
    """The same weights (kernel, kernel, cells) for each channel: (kernel, kernel, channels, cells x channels)."""
    return np.einsum("ijk,cd->ijckd", weights, np.eye(channels)).reshape(*weights.shape[:2], channels, -1)
