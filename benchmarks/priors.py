"""The priors at equal time: N(0, I), N(0, I) with a mixture fitted afterwards, the VampPrior, and the flow.

python -m benchmarks.priors [MINUTES]

Each run trains the table network on the same grey faces for so many minutes (default 4) and keeps its last weights.
The fitted mixture shares the run of N(0, I). Sample quality is the kernel distance from test images to samples, in
units of 1/1000, with its standard error; reconstructions are the floor. Fidelity is the mean R2 of the 13 factors.
Finished runs in runs/priors are not trained again. Run it beside nothing else.
"""

import sys
import time
from pathlib import Path
from typing import Any

import keras
from rich.console import Console
from rich.table import Table

from vae_keras.config import Config
from vae_keras.config_file import load_config
from vae_keras.evaluation.context import EvaluationContext
from vae_keras.evaluation.fidelity import fidelity
from vae_keras.evaluation.refitted import refitted
from vae_keras.evaluation.sample_quality import sample_quality
from vae_keras.run_data import open_data, read_data
from vae_keras.run_folder import Run, create_run, last_checkpoint, read_history
from vae_keras.runs import load_run
from vae_keras.training import fit

RUNS = Path("runs/priors")
SETTINGS: dict[str, Any] = {
    "data": "faces:5000", "image_size": 64, "latent_dim": 24, "likelihood": "gaussian", "variance": 0.02,
    "batch_size": 64, "lr": 3e-3, "linear_start": False, "weight_averaging": 0.1, "epochs": 10_000, "validation": 0.0,
}  # fmt: skip
PRIORS: dict[str, dict[str, Any]] = {
    "standard": {"prior": "standard"},
    "vamp": {"prior": "vamp", "pseudo_inputs": 64},
    "flow": {"prior": "flow"},
}


class StopAfter(keras.callbacks.Callback):
    """Ends training with the first epoch after so many seconds."""

    def __init__(self, seconds: float):
        super().__init__()
        self.seconds = seconds
        self.start = 0.0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.model.stop_training = time.perf_counter() - self.start > self.seconds


def trained(name: str, seconds: float) -> Run:
    """The run with this prior, trained for so many seconds unless it is there."""
    run = Run(RUNS / f"{name}-{seconds:g}s")
    if not last_checkpoint(run):
        config = Config.of(**SETTINGS, **PRIORS[name]).checked()
        data = open_data(config)
        if not run.config.exists():
            create_run(run.folder, config, data)
        fit(run, config, data, [StopAfter(seconds)])
    return run


def row(context: EvaluationContext, seconds: float, of: str = "samples") -> list[str]:
    """The numbers of one prior; `of` names its samples in the section on sample quality."""
    quality = sample_quality(context).numbers["sample_quality"]
    epochs = len(context.history)
    elbo = context.test_elbo.elbo
    if of != "samples":
        elbo = refitted(context).numbers["fitted_prior"]["elbo"]["value"]
    distances = (
        f"{1000 * quality[name]['kernel']:.1f} ± {1000 * quality[name]['kernel_error']:.1f}"
        for name in (of, "their reconstructions")
    )
    left = fidelity(context).numbers["fidelity"]["mean"]
    return [f"{elbo:,.1f}", f"{context.test_elbo.kl:.1f}", f"{left:.3f}", *distances, f"{seconds / epochs:.1f}"]


def main() -> None:
    """Print the table."""
    seconds = 60 * float(sys.argv[1]) if len(sys.argv) > 1 else 240.0
    table = Table("prior", "ELBO", "KL", "fidelity", "samples", "reconstructions", "seconds an epoch")
    for name in PRIORS:
        run = trained(name, seconds)
        config = load_config(run.config)
        context = EvaluationContext(config, load_run(run.folder), read_data(config, run.split), read_history(run))
        table.add_row(name, *row(context, seconds))
        if name == "standard":
            components = len(context.fitted_prior.weights) if context.fitted_prior else 0
            table.add_row(f"+ mixture of {components}", *row(context, seconds, "samples from the fitted prior"))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
