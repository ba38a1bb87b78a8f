"""The assignment's table: Conv2D(ReLU), Conv2D, Flatten, Dense; Dense, Reshape, Conv2DTranspose(ReLU), Conv2D.

The table fixes the layers and the places of the ReLUs. Filters, kernels and strides are free. Each half has only one
ReLU layer, so the receptive field of this layer limits what the half can represent. The kernels of the first
convolution and of the transposed convolution are twice as wide as their strides. So neighbouring patches overlap, and
the images have no visible edges between patches.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from vae_keras.architectures.architecture import Architecture, seeded_initializers
from vae_keras.backend import keras, layers
from vae_keras.registry import option


@dataclass(frozen=True)
class Table(Architecture):
    """Sizes of the table's layers.

    Attributes:
        encoder_filters, encoder_kernels, encoder_strides: of the two convolutions.
        seed_channels: channels of the small feature map that the Dense layer of the decoder gives.
        upsampling: stride of the transposed convolution.
        decoder_filters, decoder_kernel: channels (at full resolution) and kernel of the transposed convolution.
        output_kernel: kernel of the last convolution.
        linear_start: whether training starts with the weights of the best linear VAE (`linear_start.py`). The layers
            are built with random weights in both cases.
    """

    encoder_filters: tuple[int, int] = (32, 64)
    encoder_kernels: tuple[int, int] = (8, 3)
    encoder_strides: tuple[int, int] = (4, 2)
    seed_channels: int = 16
    upsampling: int = 4
    decoder_filters: int = 8
    decoder_kernel: int = 8
    output_kernel: int = 3
    linear_start: bool = option(True, "start as the best linear VAE of the training images, not at random weights")
    usual_precision: ClassVar[str] = "float32"

    def start(self, vae: Any, images: Callable[[], np.ndarray]) -> None:
        """Give the network the weights of the best linear VAE of the images, if `linear_start` says so."""
        if self.linear_start:
            from vae_keras.architectures.linear_start import start_as_linear_vae  # loads scikit-learn

            start_as_linear_vae(vae, images())

    def encoder(self, image_shape: tuple[int, int, int], latent_dim: int, seed: int) -> "keras.Sequential":
        """Images (batch, height, width, channels) to mean and raw log-variance (batch, 2 latents)."""
        self.check_sides(*image_shape[:2])
        initializer = seeded_initializers(seed)
        (first, second), kernels, strides = self.encoder_filters, self.encoder_kernels, self.encoder_strides
        # answer: the encoder of the table
        return keras.Sequential(
            [
                keras.Input(image_shape),
                layers.Conv2D(
                    first,
                    kernels[0],
                    strides[0],
                    "same",
                    activation="relu",
                    kernel_initializer=next(initializer),
                    name="first_convolution",
                ),
                layers.Conv2D(
                    second,
                    kernels[1],
                    strides[1],
                    "same",
                    kernel_initializer=next(initializer),
                    name="second_convolution",
                ),
                layers.Flatten(),
                layers.Dense(2 * latent_dim, kernel_initializer=next(initializer), name="heads"),
            ],
            name="encoder",
        )
        # end of answer

    def decoder(self, output_shape: tuple[int, int, int], latent_dim: int, seed: int) -> "keras.Sequential":
        """Latents (batch, latents) to outputs (batch, height, width, channels)."""
        self.check_sides(*output_shape[:2])
        from vae_keras.architectures.convolution import Conv2D  # defines a layer, so it loads Keras

        initializer = seeded_initializers(seed)
        height, width, channels = output_shape
        small = (height // self.upsampling, width // self.upsampling, self.seed_channels)
        # answer: the decoder of the table
        return keras.Sequential(
            [
                keras.Input((latent_dim,)),
                layers.Dense(small[0] * small[1] * small[2], kernel_initializer=next(initializer), name="dense"),
                layers.Reshape(small, name="reshape"),
                layers.Conv2DTranspose(
                    self.decoder_filters,
                    self.decoder_kernel,
                    self.upsampling,
                    "same",
                    activation="relu",
                    kernel_initializer=next(initializer),
                    name="transposed_convolution",
                ),
                Conv2D(
                    channels,
                    self.output_kernel,
                    padding="same",
                    kernel_initializer=next(initializer),
                    name="output_convolution",
                ),
            ],
            name="decoder",
        )
        # end of answer
