"""Exact inference compared with two baselines, pgmpy and pyAgrum: agreement and time.

python -m benchmarks.exact_inference [NETWORK ...] [--seconds 60] [--gigabytes 8]

The networks are those that pgmpy ships, or the named ones. For each network, the posteriors of all variables are
computed given three findings, and given none: ours and pyAgrum's by junction tree, pgmpy's by variable elimination
(given findings). All use the same normalised tables. A further column has the time of our most probable explanation.
After the networks come 10,000 rows of evidence with blanks on ALARM, and a million rows of the server room's log.

Each baseline runs in a process of its own with limits on time and memory. If it reaches a limit or fails, a line says
so. Each row is printed when it is finished. The numbers of all networks go into benchmarks/exact_inference.json, from
which the table in docs/measurements.md comes.
"""

import argparse
import gzip
import json
import sys
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.limited import Outcome, run_limited
from benchmarks.tables import markdown_table
from common.errors import UserError
from common.files import read_json, write_text
from pgm_tfp import BayesianNetwork, catalogue, exact
from pgm_tfp.bif import read_bif
from pgm_tfp.conditionals import normalized_rows
from pgm_tfp.exact.junction_tree import compiled

FINDINGS, REPETITIONS, LEAST = 3, 5, 0.5  # LEAST: seconds of all repetitions together
ROWS, ROWS_OF_PYAGRUM, SEEN = 10_000, 500, 0.3
LOG_ROWS, LOG_SEEN = 1_000_000, 0.8
HEADER = (
    "network",
    "variables",
    "cells",
    "build (s)",
    "ours (s)",
    "pyAgrum / ours",
    "pgmpy / ours",
    "none (s)",
    "pyAgrum / none",
    "difference",
    "MPE (s)",
)
WIDTHS = (12, 9, 12, 9, 9, 14, 12, 9, 14, 10, 8)
RESULTS = Path(__file__).with_suffix(".json")

Posteriors = dict[str, list[float]]  # for each variable the probabilities of its states


def names_of_networks() -> list[str]:
    """The names of the networks that pgmpy ships as BIF files."""
    return sorted(path.name.removesuffix(".bif.gz") for path in _folder().glob("*.bif.gz"))


def load(name: str) -> BayesianNetwork:
    """One of these networks, with normalised tables."""
    text = gzip.decompress((_folder() / f"{name}.bif.gz").read_bytes()).decode()
    return BayesianNetwork(normalized_rows(read_bif(text)))


def draw(network: BayesianNetwork, n: int, seed: int) -> dict[str, np.ndarray]:
    """n samples: for each variable the indices of its states, (n,) int."""
    drawn = network.sample(n, seed)
    return {
        variable: np.array([states.index(state) for state in drawn[variable].tolist()])
        for variable, states in network.states.items()
    }


def findings(network: BayesianNetwork) -> dict[str, int]:
    """Three findings with positive probability: for each variable the index of its state; equal in every process."""
    drawn, random = draw(network, 1, seed=0), np.random.default_rng(0)
    chosen = random.choice(list(network.states), FINDINGS, replace=False).tolist()
    return {variable: int(drawn[variable][0]) for variable in chosen}


def rows_with_blanks(network: BayesianNetwork, rows: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Samples, and which of their cells are observed; equal in every process."""
    drawn, random = draw(network, rows, seed=0), np.random.default_rng(0)
    return drawn, {variable: random.random(rows) < SEEN for variable in network.states}


def seconds(work: Callable[[], Any], repetitions: int = REPETITIONS, least: float = 0.0) -> tuple[float, Any]:
    """The median time of some repetitions, which take at least so many seconds, and the result of the last one."""
    taken: list[float] = []
    while len(taken) < repetitions or sum(taken) < least:
        start = time.perf_counter()
        result = work()
        taken.append(time.perf_counter() - start)
    return median(taken), result


def pyagrum_engine(network: BayesianNetwork) -> Any:
    """The junction tree of pyAgrum with the same tables; its states are numbers."""
    import pyagrum

    other = pyagrum.BayesNet()
    for variable, states in network.states.items():
        other.add(pyagrum.RangeVariable(variable, "", 0, len(states) - 1))
    for parent, child in network.graph.edges:
        other.addArc(parent, child)
    for potential in network.potentials():
        table = other.cpt(potential.variables[-1])
        table[:] = np.ascontiguousarray(potential.over(tuple(reversed(table.names))).values)
    return pyagrum.LazyPropagation(other)


def posteriors_of_pyagrum(engine: Any, evidence: dict[str, int]) -> Posteriors:
    """All posteriors given these findings; the engine keeps its tree from call to call."""
    engine.eraseAllEvidence()
    engine.setEvidence(evidence)
    engine.makeInference()
    return {name: engine.posterior(name).toarray().tolist() for name in engine.BN().names()}


def pyagrum_baseline(name: str) -> dict[str, Any]:
    """The seconds that pyAgrum takes for all posteriors of a network, given findings and none, and the posteriors."""
    network = load(name)
    engine, evidence = pyagrum_engine(network), findings(network)
    given: list[float] = []
    none: list[float] = []
    while (
        len(given) < REPETITIONS or sum(given) < LEAST
    ):  # in turns: asked the same twice, the engine would know the answer
        once, answers = seconds(lambda: posteriors_of_pyagrum(engine, evidence), 1)
        given.append(once)
        without, priors = seconds(lambda: posteriors_of_pyagrum(engine, {}), 1)
        none.append(without)
        if once > 1.0:
            break
    return {"seconds": median(given), "answers": answers, "seconds_without": median(none), "priors": priors}


def pgmpy_baseline(name: str) -> dict[str, Any]:
    """The seconds that pgmpy's variable elimination takes for all posteriors of a network, and the posteriors."""
    from pgmpy.inference import VariableElimination

    network = load(name)
    evidence = {variable: network.states[variable][state] for variable, state in findings(network).items()}
    engine = VariableElimination(network.to_pgmpy())
    asked = [variable for variable in network.states if variable not in evidence]

    def query() -> dict[str, Any]:
        return {name: engine.query([name], evidence=evidence, show_progress=False) for name in asked}

    taken, factors = seconds(query, 1)
    answers = {
        name: [float(factor.get_value(**{name: state})) for state in network.states[name]]
        for name, factor in factors.items()
    }
    return {"seconds": taken, "answers": answers}


def pyagrum_rows_baseline(name: str, count: int, first: int) -> dict[str, Any]:
    """The seconds that pyAgrum takes for the first of `count` rows with blanks, in turn, and the posteriors."""
    network = load(name)
    drawn, seen = rows_with_blanks(network, count)
    engine = pyagrum_engine(network)
    rows = [{name: int(drawn[name][row]) for name in network.states if seen[name][row]} for row in range(first)]
    taken, answers = seconds(lambda: [posteriors_of_pyagrum(engine, row) for row in rows], 1)
    return {"seconds": taken, "answers": answers}


BASELINES: dict[str, Callable[..., dict[str, Any]]] = {
    "pyagrum": pyagrum_baseline,
    "pgmpy": pgmpy_baseline,
    "pyagrum_rows": pyagrum_rows_baseline,
}


def run_baseline(kind: str, name: str, limits: argparse.Namespace, *sizes: int) -> Outcome:
    """The answer of a baseline, or the reason why it has none.

    Args:
        sizes: further arguments of the baseline's function.
    """
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.exact_inference", "--baseline", kind, name]
    return run_limited([*command, *map(str, sizes)], limits.seconds, limits.gigabytes)


def compare(name: str, limits: argparse.Namespace) -> dict[str, Any]:
    """Print the row of one network, and a line for each method without an answer; the numbers of the row."""
    network, notes = load(name), []
    evidence = {variable: network.states[variable][index] for variable, index in findings(network).items()}
    row: dict[str, Any] = {"variables": len(network.states), "cells": exact.cost(network).cells}
    marginals: Mapping[str, Mapping[Any, float]] = {}
    priors: Mapping[str, Mapping[Any, float]] = {}
    try:
        start = time.perf_counter()
        compiled(network)
        row["build"] = time.perf_counter() - start
        row["ours"], marginals = seconds(lambda: exact.marginals(network, evidence), least=LEAST)
        row["ours_without"], priors = seconds(lambda: exact.marginals(network), least=LEAST)
        row["explaining"], (explanation, log_probability) = seconds(lambda: exact.most_probable(network, evidence), 1)
        assert abs(network.log_prob(explanation) - log_probability) < 1e-8 * max(1.0, -log_probability)
    except UserError as reason:
        notes.append(f"ours: {reason}")
    differences = []
    for kind in ("pyagrum", "pgmpy"):
        outcome = run_baseline(kind, name, limits)
        if outcome.answer is None:
            row[f"without {kind}"] = outcome.reason
            notes.append(f"{kind}: {outcome.reason}")
            continue
        row[kind] = outcome.answer["seconds"]
        differences += largest_differences(marginals, outcome.answer["answers"])
        if kind == "pyagrum":
            row["pyagrum_without"] = outcome.answer["seconds_without"]
            differences += largest_differences(priors, outcome.answer["priors"])
    if differences:
        row["difference"] = max(differences)
    print_row(
        name,
        f"{row['variables']}",
        f"{row['cells']:,}",
        *(f"{row[key]:.4f}" if key in row else "" for key in ("build", "ours")),
        ratio(row, "pyagrum", "ours"),
        ratio(row, "pgmpy", "ours"),
        f"{row['ours_without']:.4f}" if "ours_without" in row else "",
        ratio(row, "pyagrum_without", "ours_without"),
        f"{row['difference']:.1e}" if differences else "",
        f"{row['explaining']:.3f}" if "explaining" in row else "",
    )
    for note in notes:
        print(f"  {note}", flush=True)
    return row


def largest_differences(ours: Mapping[str, Mapping[Any, float]], theirs: Posteriors) -> list[float]:
    """For each variable the largest difference of a probability; none if there is no answer of ours."""
    return [
        float(np.abs(np.subtract(list(ours[variable].values()), values)).max())
        for variable, values in theirs.items()
        if variable in ours
    ]


def ratio(row: Mapping[str, Any], theirs: str, ours: str) -> str:
    """How many times as fast ours is, where both have an answer; otherwise the seconds of the baseline, or a dash."""
    if theirs not in row:
        return "-"
    return f"{row[theirs] / row[ours]:.1f}" if ours in row else f"{row[theirs]:.3f} s"


def markdown_of(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The table of all networks, in Markdown."""
    head = ("network", "variables", "cells", "ms given findings", "pyAgrum", "pgmpy", "ms given none", "pyAgrum")
    rows = []
    for name, row in results.items():
        times = [f"{1e3 * row[key]:.1f}" if key in row else "-" for key in ("ours", "ours_without")]
        rows.append(
            (
                name,
                f"{row['variables']}",
                f"{row['cells']:,}",
                times[0],
                ratio(row, "pyagrum", "ours"),
                ratio(row, "pgmpy", "ours"),
                times[1],
                ratio(row, "pyagrum_without", "ours_without"),
            )
        )
    return markdown_table(head, rows)


def print_row(*entries: str) -> None:
    """Print a row of the table without buffering."""
    print("  ".join(entry.rjust(width) for entry, width in zip(entries, WIDTHS, strict=True)), flush=True)


def many_rows(limits: argparse.Namespace) -> None:
    """Print the times for 10,000 rows of ALARM, compared with pyAgrum, and for a million rows of the server room."""
    network = load("alarm")
    drawn, seen = rows_with_blanks(network, ROWS)
    log = {
        name: [network.states[name][at] if known else None for at, known in zip(drawn[name], seen[name], strict=True)]
        for name in network.states
    }
    compiled(network)
    ours, posteriors = seconds(lambda: exact.posteriors(network, log))
    print(f"{ROWS:,} rows of ALARM, {SEEN:.0%} of the cells observed: {ours:.2f} s", flush=True)
    outcome = run_baseline("pyagrum_rows", "alarm", limits, ROWS, ROWS_OF_PYAGRUM)
    if outcome.answer is None:
        print(f"  pyagrum: {outcome.reason}", flush=True)
    else:
        worst = max(
            float(np.abs(posteriors.probabilities[name][row] - theirs).max())
            for row, answers in enumerate(outcome.answer["answers"])
            for name, theirs in answers.items()
        )
        ratio = outcome.answer["seconds"] / ROWS_OF_PYAGRUM / (ours / ROWS)
        print(
            f"  {ratio:.0f} times as fast as pyAgrum on {ROWS_OF_PYAGRUM} of the rows; largest difference {worst:.1e}"
        )

    room, random = catalogue.server_room(), np.random.default_rng(1)
    draws = room.sample(LOG_ROWS, seed=0)
    columns = {name: np.where(random.random(LOG_ROWS) < LOG_SEEN, draws[name], None) for name in "OTMS"}
    print(f"{LOG_ROWS:,} rows of the server room's log: {seconds(lambda: exact.posteriors(room, columns), 3)[0]:.2f} s")


def main() -> None:
    """Print the tables; or, in the process of a baseline, print its answer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "networks", nargs="*", metavar="NETWORK", help="names of networks that pgmpy ships (default all)"
    )
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="the limit on the time of a baseline for one network (default 60)"
    )
    parser.add_argument(
        "--gigabytes", type=float, default=8.0, help="the limit on the memory of a baseline (default 8)"
    )
    parser.add_argument("--baseline", choices=BASELINES, help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.baseline:
        name, *sizes = flags.networks
        print(json.dumps(BASELINES[flags.baseline](name, *map(int, sizes))))
        return
    print(f"posteriors of all variables given {FINDINGS} findings")
    print_row(*HEADER)
    rows = {name: compare(name, flags) for name in flags.networks or names_of_networks()}
    known = read_json(RESULTS) if RESULTS.exists() else {}
    write_text(RESULTS, json.dumps(dict(sorted({**known, **rows}.items())), indent=1) + "\n")
    many_rows(flags)


def _folder() -> Path:
    package = find_spec("pgmpy")
    if package is None or package.origin is None:
        raise SystemExit(
            "pgmpy is not installed, and it ships the networks; run python -m pip install -r requirements-bench.txt"
        )
    return Path(package.origin).parent / "utils" / "example_models"


if __name__ == "__main__":
    main()
