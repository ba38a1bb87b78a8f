"""The network of the hand-out: four strided convolutions and a hidden layer in each half, with a ReLU after each.

    encoder  Conv2D 32, 64, 64, 64, Flatten, Dense hidden, Dense 2 latents
    decoder  Dense hidden, Dense, Reshape, Conv2DTranspose 64, 64, 32, channels

Each convolution halves the sides of its input, and each transposed convolution doubles them. For 128 x 128 images, the
flattened features have 4,096 numbers, as in the hand-out. The side of each kernel is twice the stride, so each pixel is
covered by the same number of kernel positions, and the images have no checkerboard pattern.
"""

from dataclasses import dataclass
from typing import ClassVar

from common.ranges import Range
from vae_keras.architectures.architecture import Architecture, seeded_initializers
from vae_keras.backend import keras, layers
from vae_keras.registry import option

KERNEL, STRIDE = 4, 2
# The statistics for evaluation average about 10 steps. Keras's default, 0.99, averages about 100 steps, which are ten
# epochs of a small data set.
MOVING_AVERAGE = 0.9


@dataclass(frozen=True)
class Deep(Architecture):
    """Sizes and options of the deep network.

    Attributes:
        filters: of the encoder's convolutions. The decoder has the same numbers in reverse order.
        hidden_size: units of the hidden layer in each half.
        batch_normalization: whether batch normalisation follows each hidden convolution, before its ReLU (Ioffe &
            Szegedy 2015).
        dropout: the share of activations of each hidden convolution that training sets to zero.
    """

    filters: tuple[int, int, int, int] = (32, 64, 64, 64)
    hidden_size: int = option(256, "units of the hidden layer in each half", Range(1, 16384).refusal)
    batch_normalization: bool = option(False, "batch normalization after each hidden convolution")
    dropout: float = option(
        0.0, "share of each hidden convolution's activations that training sets to zero", Range(0, 0.99).refusal
    )
    usual_precision: ClassVar[str] = "bfloat16"

    def encoder(self, image_shape: tuple[int, int, int], latent_dim: int, seed: int) -> "keras.Sequential":
        """Images (batch, height, width, channels) to mean and raw log-variance (batch, 2 latents)."""
        self.check_sides(*image_shape[:2])
        initializer = seeded_initializers(seed)
        convolutions = [
            layers.Conv2D(
                filters, KERNEL, STRIDE, "same", use_bias=not self.batch_normalization,
                kernel_initializer=next(initializer),
            )
            for filters in self.filters
        ]  # fmt: skip
        return keras.Sequential(
            [
                keras.Input(image_shape),
                *self._with_activations(convolutions, seed),
                layers.Flatten(),
                layers.Dense(self.hidden_size, activation="relu", kernel_initializer=next(initializer)),
                layers.Dense(2 * latent_dim, kernel_initializer=next(initializer)),
            ],
            name="encoder",
        )

    def decoder(self, output_shape: tuple[int, int, int], latent_dim: int, seed: int) -> "keras.Sequential":
        """Latents (batch, latents) to outputs (batch, height, width, channels)."""
        self.check_sides(*output_shape[:2])
        initializer = seeded_initializers(seed)
        height, width, channels = output_shape
        shrunk = STRIDE ** len(self.filters)
        *hidden, last = [*self.filters[-2::-1], channels]
        small = (height // shrunk, width // shrunk, self.filters[-1])
        convolutions = [
            layers.Conv2DTranspose(
                filters, KERNEL, STRIDE, "same", use_bias=not self.batch_normalization,
                kernel_initializer=next(initializer),
            )
            for filters in hidden
        ]  # fmt: skip
        return keras.Sequential(
            [
                keras.Input((latent_dim,)),
                layers.Dense(self.hidden_size, activation="relu", kernel_initializer=next(initializer)),
                layers.Dense(small[0] * small[1] * small[2], activation="relu", kernel_initializer=next(initializer)),
                layers.Reshape(small),
                *self._with_activations(convolutions, seed),
                layers.Conv2DTranspose(last, KERNEL, STRIDE, "same", kernel_initializer=next(initializer)),
            ],
            name="decoder",
        )

    def _with_activations(self, convolutions: list["keras.Layer"], seed: int) -> list["keras.Layer"]:
        """The convolutions, each followed by normalisation (if used), a ReLU, and dropout (if used)."""
        from vae_keras.seeded_layers import BatchNormalization, Dropout  # defines layers, so it loads Keras

        sequence: list[keras.Layer] = []
        for place, convolution in enumerate(convolutions):
            sequence.append(convolution)
            if self.batch_normalization:
                sequence.append(BatchNormalization(momentum=MOVING_AVERAGE))
            sequence.append(layers.ReLU())
            if self.dropout:
                sequence.append(Dropout(self.dropout, seed=1000 * seed + place))
        return sequence
