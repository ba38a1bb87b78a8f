"""The networks and what makes them learn: what is left of a face's factors after training.

python -m benchmarks.architectures [MINUTES]

Each variant sees as many images in training as the demo, but for one that trains longer. Then it is measured on the
test faces: R2 of each factor, read off reconstructions; the AUC of a logistic regression of the smile on the latents;
the kernel distance from test images to samples from the fitted prior and to reconstructions, in units of 1/1000. The
results are kept in benchmarks/architectures.json; a variant that is there with the same settings is not trained again.
The figure docs/images/architectures.png shows R2 of the worst factor against the time of training. After so many
minutes no other variant begins. Run it beside nothing else.
"""

import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from benchmarks.tables import markdown_table
from common.figures import BLUE, open_axes, title_and_caption
from common.files import atomic_write, read_json, write_text
from data.factors import NAMES
from vae_keras.command_line import start_tensorflow
from vae_keras.config import Config
from vae_keras.config_file import load_config
from vae_keras.evaluation.context import EvaluationContext
from vae_keras.evaluation.sample_quality import sample_quality
from vae_keras.run_data import open_data, read_data
from vae_keras.run_folder import Run, create_run, read_history
from vae_keras.runs import load_run
from vae_keras.training import fit

RUNS = Path("runs/architectures")
RESULTS = Path(__file__).with_name("architectures.json")
FIGURE = Path(__file__).parent.parent / "docs" / "images" / "architectures.png"
SETTINGS: dict[str, Any] = {
    "data": "faces:10000", "image_size": 64, "channels": 3, "latent_dim": 24, "architecture": "residual",
    "likelihood": "learned_gaussian", "optimizer": "muon", "schedule": "cosine", "clipping": 2.0, "lr": 8e-3,
    "batch_size": 32, "weight_averaging": 0.05, "epochs": 12,
}  # fmt: skip
VARIANTS: dict[str, dict[str, Any]] = {
    "as the demo": {},
    "Adam, with a learning rate of 3e-3": {"optimizer": "adam", "lr": 3e-3},
    "half the faces, each twice as often": {"data": "faces:5000", "epochs": 2 * SETTINGS["epochs"]},
    "four times as many epochs": {"epochs": 4 * SETTINGS["epochs"]},
    "faces of 128 x 128": {"image_size": 128},
    "a learning rate of 3e-3": {"lr": 3e-3},
    "a warm-up of beta over three epochs": {"objective": "beta_vae", "beta": 1.0, "warm_up": 3.0},
    "without FiLM": {"film": False},
    "without clipping": {"clipping": 0.0},
    "batches of 64": {"batch_size": 64},
    "a constant learning rate of 1e-3": {"schedule": "constant", "lr": 1e-3},
    "the deep network, with Adam at 1e-3": {"architecture": "deep", "optimizer": "adam", "lr": 1e-3},
    "the table network, with Adam at 1e-3, random start, no clipping": {
        "architecture": "table", "optimizer": "adam", "lr": 1e-3, "linear_start": False, "clipping": 0.0,
    },
}  # fmt: skip
# The columns of the table: a number's name, its heading and its format.
COLUMNS = {
    "seconds": ("seconds", ".0f"),
    "mean": ("mean R2", ".3f"),
    "smile": ("R2 of the smile", ".2f"),
    "mouth_opening": ("R2 of the mouth opening", ".2f"),
    "AUC": ("AUC", ".3f"),
    "samples": ("samples", ".1f"),
    "reconstructions": ("reconstructions", ".1f"),
}
HEADINGS = ("variant", "worst factor", *(heading for heading, _ in COLUMNS.values()))
Results = Mapping[str, Mapping[str, Any]]


def config_of(name: str) -> Config:
    """The settings of a variant."""
    return Config.of(**{**SETTINGS, **VARIANTS[name]}).checked()


def trained(name: str) -> tuple[Run, float]:
    """The run of a variant, trained anew, and the seconds that training took."""
    run = Run(RUNS / name.replace(" ", "_"))
    shutil.rmtree(run.folder, ignore_errors=True)
    config = config_of(name)
    data = open_data(config)
    create_run(run.folder, config, data)
    start = time.perf_counter()
    fit(run, config, data)
    return run, time.perf_counter() - start


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


def worst_factor(numbers: Mapping[str, float]) -> tuple[str, float]:
    """The factor with the smallest R2, and its R2."""
    factor = min((name for name in NAMES if name in numbers), key=lambda name: numbers[name])
    return factor.replace("_", " "), numbers[factor]


def rows_of(results: Results) -> list[list[str]]:
    """A row for each variant that is measured: its name, the worst factor, and a cell for each of COLUMNS."""
    rows = []
    for name in (name for name in VARIANTS if name in results):
        numbers = results[name]
        factor, r2 = worst_factor(numbers)
        cells = (format(numbers[key], form) for key, (_, form) in COLUMNS.items())
        rows.append([name, f"{factor} {r2:.2f}", *cells])
    return rows


def markdown_of(results: Results) -> str:
    """The table for the documentation."""
    return markdown_table(HEADINGS, rows_of(results))


def figure_of(results: Results) -> Figure:
    """R2 of the worst factor against the seconds of training, by variant."""
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes = figure.subplots()
    for name, numbers in results.items():
        place = numbers["seconds"], worst_factor(numbers)[1]
        axes.plot(*place, "o", color=BLUE)
        axes.annotate(name, place, xytext=(6, 3), textcoords="offset points", fontsize=8)
    axes.set_xlabel("seconds of training")
    axes.set_ylabel("R2 of the worst factor")
    axes.set_xlim(0, 1.5 * max(numbers["seconds"] for numbers in results.values()))
    open_axes(axes, "both")
    title_and_caption(figure, "What is left of the worst factor", "Read off reconstructions of test faces.")
    return figure


def main() -> None:
    """Measure the variants that are missing, print the table and draw the figure."""
    start_tensorflow(deterministic=True)
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else float("inf")
    start = time.perf_counter()
    results: dict[str, Any] = read_json(RESULTS) if RESULTS.exists() else {}
    for name in VARIANTS:
        settings = config_of(name).settings()
        if results.get(name, {}).get("settings") == settings:
            continue
        if results and time.perf_counter() - start > 60 * minutes:
            break
        run, seconds = trained(name)
        results[name] = {"seconds": seconds, **measured(run), "settings": settings}
        write_text(RESULTS, json.dumps(results, indent=1) + "\n")  # after each one: an interruption loses nothing
    table = Table(*HEADINGS)
    for row in rows_of(results):
        table.add_row(*row)
    Console(width=150).print(table)
    print(markdown_of(results))
    with atomic_write(FIGURE) as temporary:
        figure_of(results).savefig(temporary, dpi=150)


if __name__ == "__main__":
    main()
