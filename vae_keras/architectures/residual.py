"""A network made for results: residual blocks at three scales; in the decoder the latents enter every block.

    encoder  Conv2D 4 x 4 in steps of 4 | block | Conv2D 2 x 2 in steps of 2 | block | the same again | Dense 2 latents
    decoder  Dense, Reshape | block | Conv2DTranspose 2 x 2 | block | the same again | Conv2DTranspose 4 x 4

The strided convolutions have kernels as large as their steps. Each is a matrix product on blocks of pixels
(space-to-depth, then 1 x 1), so most of the time goes into the blocks. A block is x + conv(silu(conv(silu(x)))) with
kernels of 3 x 3 (He et al. 2016, arXiv 1603.05027). In the decoder each block scales and shifts its hidden channels by
functions of the latents (FiLM: Perez et al. 2018, arXiv 1709.07871), so that what a latent says about the mouth need
not survive the way from the smallest map.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from common.ranges import Range
from vae_keras.architectures.architecture import Architecture, seeded_initializers
from vae_keras.backend import keras, layers
from vae_keras.registry import option

STEM, STEP = 4, 2  # steps of the first convolution and of the two after it; the decoder mirrors them
Initializers = Iterator["keras.initializers.Initializer"]


@dataclass(frozen=True)
class Residual(Architecture):
    """Sizes and options of the residual network.

    Attributes:
        filters: channels at a quarter, an eighth and a sixteenth of the image's side.
        film: whether latents scale and shift the channels of every block of the decoder.
        blocks: residual blocks at each scale, in both halves.
    """

    filters: tuple[int, int, int] = (32, 48, 64)
    film: bool = option(True, "let the latents scale and shift the channels of every block of the decoder")
    blocks: int = option(1, "residual blocks at each of the three scales", Range(1, 16).refusal)
    usual_precision: ClassVar[str] = "float32"

    def encoder(self, image_shape: tuple[int, int, int], latent_dim: int, seed: int) -> "keras.Model":
        """Images (batch, height, width, channels) to mean and raw log-variance (batch, 2 latents)."""
        self.check_sides(*image_shape[:2])
        initializers = seeded_initializers(seed)
        images = keras.Input(image_shape)
        x, steps = images, STEM
        for filters in self.filters:
            x = layers.Conv2D(filters, steps, steps, kernel_initializer=next(initializers))(x)
            for _ in range(self.blocks):
                x = _block(x, initializers)
            steps = STEP
        x = layers.Flatten()(layers.Activation("silu")(x))
        heads = layers.Dense(2 * latent_dim, kernel_initializer=next(initializers))(x)
        return keras.Model(images, heads, name="encoder")

    def decoder(self, output_shape: tuple[int, int, int], latent_dim: int, seed: int) -> "keras.Model":
        """Latents (batch, latents) to outputs (batch, height, width, channels)."""
        self.check_sides(*output_shape[:2])
        initializers = seeded_initializers(seed)
        height, width, channels = output_shape
        latents = keras.Input((latent_dim,))
        *wider, smallest = self.filters
        shrunk = STEM * STEP ** len(wider)
        small = (height // shrunk, width // shrunk, smallest)
        x = layers.Dense(small[0] * small[1] * small[2], kernel_initializer=next(initializers))(latents)
        x = layers.Reshape(small)(x)
        for filters, steps in (*((filters, STEP) for filters in wider[::-1]), (channels, STEM)):
            for _ in range(self.blocks):
                x = _block(x, initializers, latents if self.film else None)
            x = layers.Conv2DTranspose(filters, steps, steps, kernel_initializer=next(initializers))(x)
        return keras.Model(latents, x, name="decoder")


def _block(
    x: "keras.KerasTensor", initializers: Initializers, latents: "keras.KerasTensor | None" = None
) -> "keras.KerasTensor":
    """x + conv(silu(film(conv(silu(x))))), (batch, height, width, channels) to the same shape.

    The last convolution starts at zero, so a block starts as the identity (Zhang et al. 2019, arXiv 1901.09321). The
    decoder starts as an affine map, and the encoder as one up to its last silu.
    """
    channels = x.shape[-1]
    hidden = layers.Conv2D(channels, 3, padding="same", kernel_initializer=next(initializers))(
        layers.Activation("silu")(x)
    )
    if latents is not None:
        # (1 + tanh(scale)) hidden + shift: bounded, because an unbounded scale lets a few latents blow up the image.
        # Zero weights at the start: each latent begins without effect on the block.
        scale, shift = (
            layers.Reshape((1, 1, channels))(layers.Dense(channels, activation, kernel_initializer="zeros")(latents))
            for activation in ("tanh", None)
        )
        hidden = layers.Add()([hidden, layers.Multiply()([hidden, scale]), shift])
    change = layers.Conv2D(channels, 3, padding="same", kernel_initializer="zeros")(layers.Activation("silu")(hidden))
    return layers.Add()([x, change])
