"""Training throughput compared with PyTorch, with the same network and the same weights: images a second and ratios.

python -m pip install -r requirements-bench.txt
python -m benchmarks.throughput

The network is fixed: 128 x 128 x 1; Conv2D 32 and 64 (3 x 3, stride 2), Flatten, Dense to 2 x 32;
Dense to 64 x 64 x 16, Reshape, Conv2DTranspose 32 (3 x 3, stride 2), Conv2D 1 (3 x 3); Adam; Bernoulli from logits;
batch 128. The variants are timed in turns, so that a slow phase of the machine affects all of them. The result is the
median. Without PyTorch its variants are left out, and a line says so.
"""

import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from rich.console import Console
from rich.table import Table

import vae_keras
from vae_keras.architectures import ARCHITECTURES
from vae_keras.architectures.convolution import Conv2D
from vae_keras.gaussians import Posterior
from vae_keras.likelihoods import Bernoulli
from vae_keras.objectives import NegativeElbo

SIDE, LATENTS, BATCH, LEARNING_RATE = 128, 32, 128, 5e-4
ROUNDS, STEPS, WARM_UP = 9, 3, 3
Step = Callable[[], object]


def fixed_network(last: type[layers.Conv2D] = Conv2D) -> vae_keras.VAE:
    """The network of this benchmark. `last` is the class of the last convolution: ours or the one of Keras."""
    encoder = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            layers.Conv2D(32, 3, 2, "same", activation="relu"),
            layers.Conv2D(64, 3, 2, "same"),
            layers.Flatten(),
            layers.Dense(2 * LATENTS),
        ]
    )
    decoder = keras.Sequential(
        [
            keras.Input((LATENTS,)),
            layers.Dense(SIDE // 2 * SIDE // 2 * 16),
            layers.Reshape((SIDE // 2, SIDE // 2, 16)),
            layers.Conv2DTranspose(32, 3, 2, "same", activation="relu"),
            last(1, 3, padding="same"),
        ]
    )
    return vae_keras.VAE(encoder, decoder, Bernoulli(), NegativeElbo())


def keras_step(vae: vae_keras.VAE, images: np.ndarray, jit_compile: bool = False) -> Step:
    """A compiled training step, as `fit` runs it."""
    vae.compile(optimizer=keras.optimizers.Adam(LEARNING_RATE), jit_compile=jit_compile)
    vae.optimizer.build(vae.trainable_variables)
    batch = tf.constant(images)
    step = tf.function(vae.train_step, jit_compile=jit_compile, reduce_retracing=True)
    return lambda: step(batch)["loss"].numpy()


class KerasExample(keras.Model):
    """The VAE example of keras.io: sigmoid outputs, cross-entropy of probabilities, metrics of Keras."""

    def __init__(self, vae: vae_keras.VAE):
        super().__init__()
        self.encoder, self.decoder, self.sampling = vae.encoder, vae.decoder, vae.sampling
        names = ("total_loss", "reconstruction_loss", "kl_loss")
        self.trackers = [keras.metrics.Mean(name=name) for name in names]

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return self.trackers

    def train_step(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """One training step; returns the running mean of the loss."""
        with tf.GradientTape() as tape:
            mean, log_variance = ops.split(self.encoder(images), 2, axis=-1)
            decoded = ops.sigmoid(self.decoder(self.sampling(Posterior(mean, log_variance))))
            reconstruction = ops.mean(ops.sum(keras.losses.binary_crossentropy(images, decoded), axis=(1, 2)))
            kl = -0.5 * (1 + log_variance - ops.square(mean) - ops.exp(log_variance))
            kl = ops.mean(ops.sum(kl, axis=1))
            total = reconstruction + kl
        gradients = tape.gradient(total, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        for tracker, value in zip(self.trackers, (total, reconstruction, kl), strict=True):
            tracker.update_state(value)
        return {"loss": self.trackers[0].result()}


def images_a_second(variants: dict[str, Step]) -> dict[str, float]:
    """The median rate of each variant, over rounds in which each variant runs once."""
    for step in variants.values():
        for _ in range(WARM_UP):
            step()
    rates: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(ROUNDS):
        for name, step in variants.items():
            start = time.perf_counter()
            for _ in range(STEPS):
                step()
            rates[name].append(STEPS * BATCH / (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in rates.items()}


def main() -> None:
    """Print the table."""
    images = np.random.default_rng(0).random((BATCH, SIDE, SIDE, 1)).astype(np.float32)
    keras.utils.set_random_seed(0)
    console = Console(highlight=False)
    baselines: dict[str, Step] = {}
    if find_spec("torch") is None:
        console.print("PyTorch is not installed, so its variants are left out; see requirements-bench.txt")
    else:
        from benchmarks import torch_vae  # only here, because the rest needs no PyTorch

        difference = torch_vae.check_equal(fixed_network(), images)
        console.print(f"with the same weights, the losses of ours and PyTorch differ by {difference:.1g} (relative)")
        baselines = torch_vae.steps(fixed_network, images, LEARNING_RATE)
    example = KerasExample(fixed_network(layers.Conv2D))
    example.compile(optimizer=keras.optimizers.Adam(LEARNING_RATE), jit_compile=False)
    example_step, batch = tf.function(example.train_step), tf.constant(images)
    same_network = {
        "ours": keras_step(fixed_network(), images),
        "ours, last convolution of Keras": keras_step(fixed_network(layers.Conv2D), images),
        "ours, XLA": keras_step(fixed_network(), images, jit_compile=True),
        "the example of keras.io": lambda: example_step(batch)["loss"].numpy(),
        **baselines,
    }
    other_networks = {
        f"ours, {name} network, {precision}": keras_step(
            vae_keras.build_vae(architecture=name, precision=precision), images
        )
        for name in ARCHITECTURES
        for precision in ("float32", "bfloat16")
    }
    rates = images_a_second(same_network | other_networks)
    table = Table(f"training step, batch {BATCH}", "images/s", "ours is faster by", title="128 x 128 grey, CPU")
    for name, rate in rates.items():
        table.add_row(name, f"{rate:.0f}", f"{rates['ours'] / rate:.2f}" if name in same_network else "")
    console.print(table)


if __name__ == "__main__":
    main()
