"""The choice of the table network's free numbers: validation ELBO against seconds of training, on rendered faces.

python -m benchmarks.table_sizes

The table of the assignment fixes the layers. The numbers of filters and latents, the kernels and the strides are free.
The name of each variant says how it differs from the defaults. The variants train in turns: the next epoch always goes
to the variant with the least training time, so that a slow phase of the machine affects all of them. Only training
steps are timed.
"""

import math
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table as PrintedTable

import vae_keras
from data.pipelines import steps_per_epoch, training_batches
from vae_keras import metrics
from vae_keras.architectures import Table
from vae_keras.augmented import shown_in_training
from vae_keras.config import Config
from vae_keras.optimizers import Adam
from vae_keras.plots import ranked_curves
from vae_keras.run_data import RunData, open_data

FIGURE = Path(__file__).with_suffix(".png")
SECONDS, MOST_EPOCHS = 30.0, 10_000
SETTINGS: dict[str, object] = {}  # those that differ from the defaults of a run
VARIANTS: dict[str, dict[str, object]] = {
    "defaults": {},
    "random start": {"linear_start": False},
    "decoder filters 4": {"decoder_filters": 4},
    "decoder filters 16": {"decoder_filters": 16},
    "decoder filters 32": {"decoder_filters": 32},
    "decoder kernel 4": {"decoder_kernel": 4},
    "upsampling 2, seed channels 4": {"upsampling": 2, "decoder_kernel": 4, "seed_channels": 4},
    "encoder filters 16, 32": {"encoder_filters": (16, 32)},
    "encoder strides 2, 2": {"encoder_strides": (2, 2), "encoder_kernels": (4, 3)},
    "16 latents": {"latents": 16},
    "64 latents": {"latents": 64},
}


@dataclass
class Variant:
    """A variant of the network in training.

    Attributes:
        name: the name in the table and the figure.
        sizes: the numbers that differ from the defaults.
        seconds: the training time so far.
        curve: (seconds, validation ELBO) after each epoch.
    """

    name: str
    sizes: dict[str, object]
    seconds: float = 0.0
    curve: list[tuple[float, float]] = field(default_factory=list)

    def prepare(self, config: Config, data: RunData) -> None:
        """Build the network and compile its training step; this is not timed."""
        sizes = dict(self.sizes)
        latents = sizes.pop("latents", config.latent_dim)
        network = Table(**sizes)
        self.vae = vae_keras.build_vae(config.image_shape, latents, network)
        network.start(self.vae, lambda: shown_in_training(config, data))
        self.vae.compile(optimizer=Adam(config.lr), jit_compile=False)
        self.vae.optimizer.build(self.vae.trainable_variables)
        before = self.vae.get_weights(), [variable.numpy() for variable in self.vae.optimizer.variables]
        train = data.dataset.images.part(data.split.train)
        self.steps = steps_per_epoch(train.count, config.batch_size)
        self.batches = iter(training_batches(train, config.batch_size, config.seed, MOST_EPOCHS))
        self.step = tf.function(self.vae.train_step, reduce_retracing=True)
        for size in (config.batch_size, train.count % config.batch_size):
            self.step(tf.zeros((size, *config.image_shape)))
        self.vae.set_weights(before[0])
        for variable, value in zip(self.vae.optimizer.variables, before[1], strict=True):
            variable.assign(value)

    def epoch(self, validation: np.ndarray) -> None:
        """Train for one epoch, and add the validation ELBO to the curve."""
        start = time.perf_counter()
        for _ in range(self.steps):
            loss = self.step(next(self.batches))["loss"]
        loss.numpy()
        self.seconds += time.perf_counter() - start
        self.curve.append((self.seconds, metrics.elbo(self.vae, validation).elbo))

    def best(self, seconds: float) -> float:
        """The best validation ELBO within this training time; NaN if no epoch ended within it."""
        return max((elbo for spent, elbo in self.curve if spent <= seconds), default=math.nan)


def figure(variants: list[Variant]) -> Figure:
    """A figure of the best validation ELBO so far against seconds of training."""
    curves = {
        variant.name: (
            np.array([spent for spent, _ in variant.curve]),
            np.maximum.accumulate([elbo for _, elbo in variant.curve]),
        )
        for variant in variants
    }
    caption = (
        "Best validation ELBO so far against seconds of training steps, on 2,000 rendered faces of 128 x 128 pixels; "
        "Bernoulli likelihood, batch 128, Adam 5e-4. The name of a variant says how it differs from the defaults; the "
        "names are in the order of the last values. The variants were trained in turns on two CPU cores."
    )
    return ranked_curves(curves, "Free numbers of the table network", caption, "seconds", "nats")


def main() -> None:
    """Train all variants, print the table and write the figure."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    config = Config.of(**SETTINGS).checked()
    data = open_data(config)
    validation = data.dataset.images.part(data.split.validation)
    variants = [Variant(name, sizes) for name, sizes in VARIANTS.items()]
    for variant in variants:
        keras.utils.set_random_seed(0)
        variant.prepare(config, data)
    while unfinished := [variant for variant in variants if variant.seconds < seconds]:
        min(unfinished, key=lambda variant: variant.seconds).epoch(validation)
    table = PrintedTable(
        "variant", f"ELBO within {seconds / 3:.0f} s", "at the end", "epochs", "images/s",
        title="validation, 128 x 128 grey rendered faces",
    )  # fmt: skip
    for variant in variants:
        epochs, images = len(variant.curve), len(data.split.train)
        table.add_row(
            variant.name,
            *(f"{variant.best(limit):.1f}" for limit in (seconds / 3, variant.seconds)),
            str(epochs),
            f"{epochs * images / variant.seconds:.0f}",
        )
    Console(highlight=False).print(table)
    figure(variants).savefig(FIGURE)
    print(f"figure: {FIGURE}")


if __name__ == "__main__":
    main()
