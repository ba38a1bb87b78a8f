"""What beta does, and what it costs: objectives with several weights, each trained with several seeds.

python -m benchmarks.beta_study [MINUTES]
python -m benchmarks.beta_study --again CELL

The table network, with random starts, trains on rendered faces of 64 x 64 pixels. Each cell is one objective, one
weight and one seed: an ordinary run below runs/beta_study, measured on test faces and on 10,000 faces whose factors
have five levels. Training sees no factor. Finished cells are not computed again, and an interrupted training goes on.
After each cell the numbers are in benchmarks/beta_study.json; the table and the figure docs/images/beta_study.png come
from this file. The study starts no new cell after so many minutes (default: it computes all). Run it beside nothing
else. With --again, a cell is trained and measured anew in a temporary folder, and every number is compared with the
one in the file: they are equal on the same kind of processor.
"""

import json
import math
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from benchmarks.beta_findings import findings
from benchmarks.tables import markdown_table
from common.figures import open_axes, title_and_caption
from common.files import atomic_write, read_json, write_text
from vae_keras import metrics
from vae_keras.command_line import start_tensorflow
from vae_keras.config import Config
from vae_keras.evaluation.context import EvaluationContext
from vae_keras.evaluation.directions import direction_of
from vae_keras.evaluation.disentanglement import Labelled, labelled_codes
from vae_keras.evaluation.fidelity import measured as measured_fidelity
from vae_keras.evaluation.sample_quality import sample_quality
from vae_keras.evaluation.selectivity import STRENGTH, factor_changes
from vae_keras.run_data import known_attributes, open_data, read_data
from vae_keras.run_folder import Run, create_run, last_checkpoint, read_history

RUNS = Path("runs/beta_study")
RESULTS = Path(__file__).with_name("beta_study.json")
FIGURE = Path(__file__).parent.parent / "docs" / "images" / "beta_study.png"
SETTINGS: dict[str, Any] = {
    "data": "faces:5000", "image_size": 64, "channels": 1, "latent_dim": 16, "architecture": "table",
    "linear_start": False, "likelihood": "bernoulli", "optimizer": "adam", "lr": 1e-3, "batch_size": 64, "epochs": 60,
}  # fmt: skip
# By the objective: its settings, the option that varies, and its values.
GRID: dict[str, tuple[dict[str, Any], str, tuple[float, ...]]] = {
    "beta-VAE": ({"objective": "beta_vae", "warm_up": 0}, "beta", (1, 2, 4, 8, 16, 32)),
    "annealed VAE": ({"objective": "annealed_vae", "warm_up": 30}, "capacity", (5, 10, 25, 50)),
    "beta-TCVAE": ({"objective": "beta_tc_vae"}, "beta", (4, 8, 16)),
    "FactorVAE": ({"objective": "factor_vae"}, "gamma", (5, 10, 40)),
}
SEEDS = (0, 1, 2)
# Trained for twice the epochs, too: does longer training change the order of the cells?
LONGER: tuple[tuple[str, float], ...] = (("beta-VAE", 1), ("beta-TCVAE", 4))
SCORES = metrics.SCORES
SCORED = ("beta_vae_score", "factor_vae_score", "mutual_information_gap", "sap_score", "dci_disentanglement")
EDITED = 100  # test faces
ROWS_OF_DCI = 2_500  # of the 10,000 labelled faces: with all of them, DCI takes two thirds of the time of a measurement
# The columns of the table: the path of a number in a cell, its name and its format.
COLUMNS = {
    "active_units": ("active units", ".0f"),
    "kl": ("KL", ".1f"),
    "gaussian_total_correlation": ("TC of the means", ".1f"),
    "reconstruction_nll": ("reconstruction", ".0f"),
    "fidelity": ("fidelity", ".2f"),
    "mutual_information_gap": ("MIG", ".2f"),
    "dci_disentanglement": ("DCI", ".2f"),
    "factor_vae_score": ("FactorVAE score", ".2f"),
    "samples": ("samples", ".4f"),
    "selectivity": ("selectivity", ".1f"),
}
HEADINGS = ["objective", "weight", "seeds", *(title for title, _ in COLUMNS.values())]


class Cell(NamedTuple):
    """One run of the study."""

    objective: str
    value: float
    seed: int
    longer: int = 1  # times the epochs of the study

    @property
    def name(self) -> str:
        """The name of its run and of its numbers."""
        longer = f"-{self.longer}-times-the-epochs" if self.longer > 1 else ""
        return f"{self.objective}-{self.value:g}-seed-{self.seed}{longer}"

    def config(self) -> Config:
        """The settings of its run."""
        fixed, option, _ = GRID[self.objective]
        epochs = self.longer * SETTINGS["epochs"]
        return Config.of(**{**SETTINGS, **fixed, option: self.value, "seed": self.seed, "epochs": epochs}).checked()


def cells() -> Iterator[Cell]:
    """All cells: every objective and weight with the first seed, then `LONGER`, then the other seeds."""
    for number, seed in enumerate(SEEDS):
        for objective, value in weights():
            yield Cell(objective, value, seed)
        if number == 0:
            for objective, value in LONGER:
                yield Cell(objective, value, seed, longer=2)


def trained(cell: Cell, runs: Path) -> EvaluationContext:
    """The model of a cell with its images; its training starts, goes on, or is finished already.

    Args:
        runs: the folder of all runs.
    """
    from vae_keras.runs import load_run
    from vae_keras.training import fit

    run, config = Run(runs / cell.name), cell.config()
    if not run.config.exists():
        create_run(run.folder, config, open_data(config))
    data = read_data(config, run.split)
    if last_checkpoint(run) < config.epochs and not fit(run, config, data):
        sys.exit("interrupted; the same command goes on from here")
    return EvaluationContext(config, load_run(run.folder), data, read_history(run))


def measured(context: EvaluationContext) -> dict[str, Any]:
    """The numbers of a trained cell."""
    config, elbo = context.config, context.test_elbo
    # The mutual information of n images cannot exceed ln n, and the total correlation takes up the rest. Where the KL
    # is larger than ln n, both depend on n. So the table has the total correlation of the posterior means instead.
    parts = metrics.split_kl(context.test_posterior, context.vae.prior, seed=config.seed)
    fidelity, labelled = measured_fidelity(context), labelled_codes(context)
    assert fidelity is not None
    assert labelled is not None
    quality = sample_quality(context).numbers["sample_quality"]
    return {
        "elbo": elbo.elbo,
        "reconstruction_nll": elbo.reconstruction_nll,
        "kl": elbo.kl,
        "active_units": int(metrics.active_units(context.test_posterior.mean)),
        "information_ceiling": math.log(parts.images),
        "mutual_information": parts.mutual_information.value,
        "total_correlation": parts.total_correlation.value,
        "dimension_wise_kl": parts.dimension_wise_kl.value,
        "fidelity": fidelity["mean"],
        "factors": {name: factor["reconstruction"] for name, factor in fidelity["factors"].items()},
        "samples": quality["samples from the fitted prior"]["kernel"],
        "reconstructions": quality["their reconstructions"]["kernel"],
        "selectivity": median_selectivity(context),
        **scores_of(labelled, config.seed),
    }


def median_selectivity(context: EvaluationContext) -> float:
    """How many times further an edit moves its own factor than any other one, the median over the factors.

    Each edit is made on the same test faces, whether they have the attribute or not.
    """
    names = known_attributes(context.data)
    codes = context.test_posterior.mean[context.random_test_images(EDITED)]
    changes = factor_changes(context, codes, [STRENGTH * direction_of(context, name).vector for name in names])
    found = []
    for name, change in zip(names, changes, strict=True):
        own = context.data.dataset.factor_names.index(name)
        # An edit that moves its own factor the wrong way is not selective at all.
        found.append(max(change[own], 0.0) / max(np.abs(np.delete(change, own)).max(), 0.1))
    return float(np.median(found))


def scores_of(labelled: Labelled, seed: int) -> dict[str, float]:
    """All scores by name; DCI on fewer faces than the others."""
    found: dict[str, float] = {}
    for name, score in SCORES.items():
        rows = slice(ROWS_OF_DCI if name == "dci" else None)
        found |= metrics.all_scores(labelled.codes[rows], labelled.levels[rows], seed, {name: score})
    return found


def normalised_beta(beta: float) -> float:
    """beta times latents over pixels, which compares networks of other sizes (Higgins et al. 2017, section 4.2)."""
    return beta * SETTINGS["latent_dim"] / (SETTINGS["image_size"] ** 2 * SETTINGS["channels"])


def over_seeds(results: Mapping[str, Mapping[str, Any]], objective: str, value: float, name: str) -> np.ndarray:
    """A number of all finished cells with this objective and weight, (seeds,)."""
    of = [results.get(Cell(objective, value, seed).name, {}) for seed in SEEDS]
    return np.array([cell[name] for cell in of if cell.get(name) is not None], float)


def rows_of(results: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """A row for each objective and weight: means over seeds, and standard deviations where there are several."""
    rows = []
    for objective, (_, option, values) in GRID.items():
        for value in values:
            found = {name: over_seeds(results, objective, value, name) for name in COLUMNS}
            if not (seeds := len(found["active_units"])):
                continue
            cells_of_row = []
            for name, (_, written) in COLUMNS.items():
                numbers = found[name]
                spread = f" ± {numbers.std(ddof=1):{written}}" if len(numbers) > 1 else ""
                cells_of_row.append(f"{numbers.mean():{written}}{spread}" if len(numbers) else "")
            weight = f"{option} {value:g}"
            if option == "beta":
                weight += f" ({normalised_beta(value):.2g})"
            rows.append([objective, weight, str(seeds), *cells_of_row])
    return rows


def table_of(results: Mapping[str, Mapping[str, Any]]) -> Table:
    """The rows as a table for the terminal."""
    table = Table(*HEADINGS)
    for row in rows_of(results):
        table.add_row(*row)
    return table


def markdown_of(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The rows as a table in Markdown, for the documentation."""
    return markdown_table(HEADINGS, rows_of(results))


def figure_of(results: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Six numbers against the weight of each objective; bars: standard deviation over seeds."""
    shown = (
        "active_units",
        "gaussian_total_correlation",
        "fidelity",
        "mutual_information_gap",
        "factor_vae_score",
        "samples",
    )
    figure = Figure(figsize=(11, 6.4), layout="constrained")
    for axes, name in zip(figure.subplots(2, 3).flat, shown, strict=True):
        for objective, (_, option, values) in GRID.items():
            found = [(value, over_seeds(results, objective, value, name)) for value in values]
            found = [(value, numbers) for value, numbers in found if len(numbers)]
            if found:
                axes.errorbar(
                    [value for value, _ in found],
                    [numbers.mean() for _, numbers in found],
                    [numbers.std(ddof=1) if len(numbers) > 1 else 0.0 for _, numbers in found],
                    marker="o", capsize=3, label=f"{objective}, {option}",
                )  # fmt: skip
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("weight")
        axes.set_ylabel(COLUMNS[name][0])
        open_axes(axes, "both")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), fontsize=8, ncols=len(GRID), loc="outside upper right")
    most = max((len(over_seeds(results, *key, "active_units")) for key in weights()), default=0)
    seeds = f"means over up to {most} seeds, bars: standard deviation over seeds" if most > 1 else "one seed"
    title_and_caption(
        figure,
        "What beta does, and what it costs",
        f"The table network with {SETTINGS['latent_dim']} latents on rendered faces of {SETTINGS['image_size']} x "
        f"{SETTINGS['image_size']} pixels; {seeds}. TC of "
        "the means: total correlation of a Gaussian with their covariance, in nats. Fidelity: mean R2 of thirteen "
        "factors, read off reconstructions. Samples: kernel distance from test faces to samples from the fitted prior.",
    )
    return figure


def weights() -> Iterator[tuple[str, float]]:
    """Every objective with each of its weights."""
    return ((objective, value) for objective, (_, _, values) in GRID.items() for value in values)


def compare_again(name: str) -> None:
    """Train and measure a cell anew, and print which of its numbers differ from those in the file."""
    (cell,) = [cell for cell in cells() if cell.name == name]
    before = read_json(RESULTS)[name]
    with TemporaryDirectory() as folder:
        numbers = json.loads(json.dumps(measured(trained(cell, Path(folder)))))
    different = [what for what, number in numbers.items() if before[what] != number]
    print(f"{name}: {len(numbers) - len(different)} of {len(numbers)} numbers are the same")
    for what in different:
        print(f"{what}: {before[what]} before, {numbers[what]} now")


def main() -> None:
    """Compute the cells that are missing, print the table and draw the figure; or compare a cell."""
    start_tensorflow(deterministic=True)
    if sys.argv[1:2] == ["--again"]:
        compare_again(sys.argv[2])
        return
    start, most = time.perf_counter(), float(sys.argv[1]) if len(sys.argv) > 1 else float("inf")
    results: dict[str, Any] = read_json(RESULTS) if RESULTS.exists() else {}
    for cell in cells():
        if cell.name in results:
            continue
        if time.perf_counter() - start > 60 * most:
            break
        began = time.perf_counter()
        numbers = measured(trained(cell, RUNS))
        results[cell.name] = {**numbers, "settings": cell.config().settings()}
        write_text(RESULTS, json.dumps(results, indent=1) + "\n")
        print(f"{cell.name}: {time.perf_counter() - began:.0f} seconds", flush=True)
    console = Console(width=200)
    console.print(table_of(results))
    print(markdown_of(results))
    once = {cell.name: results[cell.name] for cell in cells() if cell.longer == 1 and cell.name in results}
    console.print(findings(once, {name: title for name, (title, _) in COLUMNS.items()}, SCORED))
    with atomic_write(FIGURE) as temporary:
        figure_of(results).savefig(temporary, dpi=150)


if __name__ == "__main__":
    main()
