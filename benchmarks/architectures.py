"""The networks and what makes them learn: what is left of a face's factors after equal numbers of images.

python -m benchmarks.architectures [EPOCHS]

Each variant trains on the faces of the demo for so many epochs (default 15), then is measured on the test faces: R2 of
each factor, read off reconstructions; the AUC of a logistic regression of the smile on the latents; the kernel distance
from test images to samples from the fitted prior and to reconstructions, in units of 1/1000. The figure
runs/architectures/architectures.png shows R2 of the worst factor against the time of training. Variants that are
finished are kept in runs/architectures and not trained again. Run it beside nothing else.
"""

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from common.figures import BLUE, open_axes, title_and_caption
from common.files import atomic_write, read_json, write_text
from vae_keras.config import Config
from vae_keras.config_file import load_config
from vae_keras.evaluation.context import EvaluationContext
from vae_keras.evaluation.sample_quality import sample_quality
from vae_keras.run_data import open_data, read_data
from vae_keras.run_folder import Run, create_run, read_history
from vae_keras.runs import load_run
from vae_keras.training import fit

RUNS = Path("runs/architectures")
SETTINGS: dict[str, Any] = {
    "data": "faces:5000", "image_size": 64, "channels": 3, "latent_dim": 24, "architecture": "residual",
    "likelihood": "learned_gaussian", "optimizer": "muon", "schedule": "cosine", "clipping": 2.0, "lr": 3e-3,
    "batch_size": 32, "weight_averaging": 0.05,
}  # fmt: skip
VARIANTS: dict[str, dict[str, Any]] = {
    "as the demo": {},
    "Adam": {"optimizer": "adam"},
    "without FiLM": {"film": False},
    "without clipping": {"clipping": 0.0},
    "batches of 64": {"batch_size": 64},
    "constant learning rate": {"schedule": "constant", "lr": 1e-3},
    "deep": {"architecture": "deep", "optimizer": "adam", "lr": 1e-3},
    "table": {"architecture": "table", "optimizer": "adam", "linear_start": False},
}


def trained(name: str, epochs: int) -> tuple[Run, float]:
    """The run of a variant, trained unless it is there, and the seconds that training took."""
    run = Run(RUNS / f"{name.replace(' ', '_')}-{epochs}")
    timed = run.folder / "seconds.json"
    if not timed.exists():
        shutil.rmtree(run.folder, ignore_errors=True)  # a run that was interrupted has no time
        config = Config.of(**{**SETTINGS, **VARIANTS[name], "epochs": epochs}).checked()
        data = open_data(config)
        create_run(run.folder, config, data)
        start = time.perf_counter()
        fit(run, config, data)
        write_text(timed, json.dumps({"seconds": time.perf_counter() - start}))
    return run, float(read_json(timed)["seconds"])


def measured(run: Run) -> dict[str, float]:
    """The numbers of a run on its test faces."""
    config = load_config(run.config)
    context = EvaluationContext(config, load_run(run.folder), read_data(config, run.split), read_history(run))
    readings = context.factor_readings or {}
    left = {name: one.reconstruction for name, one in readings.items()}
    smiles, split = context.data.dataset.label("smile"), context.data.split
    judge = LogisticRegression(max_iter=1000).fit(context.train_posterior.mean, smiles[split.train])
    quality = sample_quality(context).numbers["sample_quality"]
    return {
        **left,
        "mean": sum(left.values()) / len(left),
        "AUC": float(roc_auc_score(smiles[split.test], judge.decision_function(context.test_posterior.mean))),
        "samples": 1000 * quality["samples from the fitted prior"]["kernel"],
        "reconstructions": 1000 * quality["their reconstructions"]["kernel"],
    }


def figure_of(worst: dict[str, tuple[float, float]]) -> Figure:
    """R2 of the worst factor against the seconds of training, by variant."""
    figure = Figure(figsize=(7, 4.4), layout="constrained")
    axes = figure.subplots()
    for name, (seconds, r2) in worst.items():
        axes.plot(seconds, r2, "o", color=BLUE)
        axes.annotate(name, (seconds, r2), xytext=(6, 3), textcoords="offset points", fontsize=8)
    axes.set_xlabel("seconds of training")
    axes.set_ylabel("R2 of the worst factor")
    axes.set_xlim(0)
    open_axes(axes, "both")
    title_and_caption(figure, "What is left of the worst factor", "Read off reconstructions of test faces.")
    return figure


def main() -> None:
    """Print the table and draw the figure."""
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    table = Table("variant", "seconds", "worst factor", "mean", "smile", "AUC", "samples", "reconstructions")
    worst: dict[str, tuple[float, float]] = {}
    for name in VARIANTS:
        run, seconds = trained(name, epochs)
        numbers = measured(run)
        summary = ("mean", "AUC", "samples", "reconstructions")
        factor = min(numbers.keys() - set(summary), key=numbers.__getitem__)
        worst[name] = seconds, numbers[factor]
        cells = (f"{numbers[key]:.3f}" for key in ("mean", "smile", "AUC"))
        distances = (f"{numbers[key]:.1f}" for key in summary[2:])
        table.add_row(name, f"{seconds:.0f}", f"{factor} {numbers[factor]:.2f}", *cells, *distances)
        Console(width=120).print(table)  # after each variant, so that an interruption loses nothing
    with atomic_write(RUNS / "architectures.png") as temporary:
        figure_of(worst).savefig(temporary, dpi=150)


if __name__ == "__main__":
    main()
