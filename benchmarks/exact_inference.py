"""Exact inference beside pgmpy and pyAgrum: agreement, and seconds within one run.

python -m benchmarks.exact_inference [NETWORK ...] [--seconds 60] [--gigabytes 8]

On every network that pgmpy ships, or those named, the posteriors of all variables given three findings: ours and
pyAgrum's by junction tree, pgmpy's by variable elimination; the same normalised tables everywhere. Our most probable
explanation beside them. Then 10,000 rows of evidence with blanks on ALARM, and a million rows of the server room's log.

Each rival runs in a process of its own with limits on time and memory. Where it reaches one or fails, a line says so.
Rows are printed as they come.
"""

import argparse
import gzip
import json
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.limited import Outcome, limited
from common.errors import UserError
from pgm_tfp import BayesianNetwork, catalogue, exact
from pgm_tfp.bif import read_bif
from pgm_tfp.conditionals import normalized_rows
from pgm_tfp.exact.junction_tree import compiled

FINDINGS, REPETITIONS = 3, 5
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
    "apart",
    "MPE (s)",
)
WIDTHS = (12, 9, 12, 9, 9, 14, 12, 8, 8)

Answers = dict[str, list[float]]  # by variable the probability of each state


def names_of_networks() -> list[str]:
    """All that pgmpy ships, as BIF files."""
    return sorted(path.name.removesuffix(".bif.gz") for path in _folder().glob("*.bif.gz"))


def load(name: str) -> BayesianNetwork:
    """One of them, normalised."""
    text = gzip.decompress((_folder() / f"{name}.bif.gz").read_bytes()).decode()
    return BayesianNetwork(normalized_rows(read_bif(text)))


def draw(network: BayesianNetwork, n: int, seed: int) -> dict[str, np.ndarray]:
    """Indices of states of n draws, by variable."""
    drawn = network.sample(n, seed)
    return {
        variable: np.array([states.index(state) for state in drawn[variable].tolist()])
        for variable, states in network.states.items()
    }


def findings(network: BayesianNetwork) -> dict[str, int]:
    """Three findings that are possible together: indices of states, the same in every process."""
    drawn, random = draw(network, 1, seed=0), np.random.default_rng(0)
    chosen = random.choice(list(network.states), FINDINGS, replace=False).tolist()
    return {variable: int(drawn[variable][0]) for variable in chosen}


def rows_with_blanks(network: BayesianNetwork) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Draws, and which of their cells are seen; the same in every process."""
    drawn, random = draw(network, ROWS, seed=0), np.random.default_rng(0)
    return drawn, {variable: random.random(ROWS) < SEEN for variable in network.states}


def seconds(work: Callable[[], Any], repetitions: int = REPETITIONS) -> tuple[float, Any]:
    """The median time of some repetitions, and the last result."""
    taken = []
    for _ in range(repetitions):
        start = time.perf_counter()
        result = work()
        taken.append(time.perf_counter() - start)
    return median(taken), result


def pyagrum_engine(network: BayesianNetwork) -> Any:
    """pyAgrum's junction tree of the same tables; states are numbers."""
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


def posteriors_of_pyagrum(engine: Any, evidence: dict[str, int]) -> Answers:
    """All posteriors given other findings; the engine keeps its tree."""
    engine.eraseAllEvidence()
    engine.setEvidence(evidence)
    engine.makeInference()
    return {name: engine.posterior(name).toarray().tolist() for name in engine.BN().names()}


def pyagrum_rival(name: str) -> dict[str, Any]:
    """Seconds of pyAgrum for all posteriors of a network, and the posteriors."""
    network = load(name)
    engine, evidence = pyagrum_engine(network), findings(network)
    once, answers = seconds(lambda: posteriors_of_pyagrum(engine, evidence), 1)
    if once < 1.0:
        once, answers = seconds(lambda: posteriors_of_pyagrum(engine, evidence))
    return {"seconds": once, "answers": answers}


def pgmpy_rival(name: str) -> dict[str, Any]:
    """Seconds of pgmpy's variable elimination for all posteriors of a network, and the posteriors."""
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


def pyagrum_rows_rival(name: str) -> dict[str, Any]:
    """Seconds of pyAgrum for the first rows with blanks, one after the other, and their posteriors."""
    network = load(name)
    drawn, seen = rows_with_blanks(network)
    engine = pyagrum_engine(network)
    rows = [
        {name: int(drawn[name][row]) for name in network.states if seen[name][row]} for row in range(ROWS_OF_PYAGRUM)
    ]
    taken, answers = seconds(lambda: [posteriors_of_pyagrum(engine, row) for row in rows], 1)
    return {"seconds": taken, "answers": answers}


RIVALS = {"pyagrum": pyagrum_rival, "pgmpy": pgmpy_rival, "pyagrum_rows": pyagrum_rows_rival}


def rival(kind: str, name: str, limits: argparse.Namespace) -> Outcome:
    """A rival's answer, or why it has none."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.exact_inference", "--rival", kind, name]
    return limited(command, limits.seconds, limits.gigabytes)


def compare(name: str, limits: argparse.Namespace) -> None:
    """One network: a row of the table, and a line for each that has no answer."""
    network, notes = load(name), []
    evidence = {variable: network.states[variable][index] for variable, index in findings(network).items()}
    cells, marginals, ours = exact.cost(network).cells, {}, float("nan")
    timed = ["", "", ""]
    try:
        start = time.perf_counter()
        compiled(network)
        building = time.perf_counter() - start
        ours, marginals = seconds(lambda: exact.marginals(network, evidence))
        explaining, (explanation, log_probability) = seconds(lambda: exact.most_probable(network, evidence), 1)
        assert abs(network.log_prob(explanation) - log_probability) < 1e-8 * max(1.0, -log_probability)
        timed = [f"{building:.3f}", f"{ours:.4f}", f"{explaining:.3f}"]
    except UserError as reason:
        notes.append(f"ours: {reason}")
    ratios, apart = [], []
    for kind in ("pyagrum", "pgmpy"):
        outcome = rival(kind, name, limits)
        if outcome.answer is None:
            notes.append(f"{kind}: {outcome.reason}")
            ratios.append("-")
            continue
        ratios.append(f"{outcome.answer['seconds'] / ours:.1f}" if marginals else f"{outcome.answer['seconds']:.3f} s")
        apart += [
            float(np.abs(np.subtract(list(marginals[variable].values()), theirs)).max())
            for variable, theirs in outcome.answer["answers"].items()
            if marginals
        ]
    worst = f"{max(apart):.1e}" if apart else ""
    print_row(name, f"{len(network.states)}", f"{cells:,}", timed[0], timed[1], *ratios, worst, timed[2])
    for note in notes:
        print(f"  {note}", flush=True)


def print_row(*entries: str) -> None:
    """A row of the table, at once."""
    print("  ".join(entry.rjust(width) for entry, width in zip(entries, WIDTHS, strict=True)), flush=True)


def many_rows(limits: argparse.Namespace) -> None:
    """10,000 rows of ALARM with blanks, against pyAgrum row by row; a million of the server room."""
    network = load("alarm")
    drawn, seen = rows_with_blanks(network)
    log = {
        name: [network.states[name][at] if known else None for at, known in zip(drawn[name], seen[name], strict=True)]
        for name in network.states
    }
    compiled(network)
    ours, posteriors = seconds(lambda: exact.posteriors(network, log))
    print(f"{ROWS:,} rows of ALARM, {SEEN:.0%} of the cells seen: {ours:.2f} s", flush=True)
    outcome = rival("pyagrum_rows", "alarm", limits)
    if outcome.answer is None:
        print(f"  pyagrum: {outcome.reason}", flush=True)
    else:
        worst = max(
            float(np.abs(posteriors.probabilities[name][row] - theirs).max())
            for row, answers in enumerate(outcome.answer["answers"])
            for name, theirs in answers.items()
        )
        ratio = outcome.answer["seconds"] / ROWS_OF_PYAGRUM / (ours / ROWS)
        print(f"  {ratio:.0f} times as fast as pyAgrum row by row (on {ROWS_OF_PYAGRUM} of them); apart by {worst:.1e}")

    room, random = catalogue.server_room(), np.random.default_rng(1)
    draws = room.sample(LOG_ROWS, seed=0)
    columns = {name: np.where(random.random(LOG_ROWS) < LOG_SEEN, draws[name], None) for name in "OTMS"}
    print(f"{LOG_ROWS:,} rows of the server room's log: {seconds(lambda: exact.posteriors(room, columns), 3)[0]:.2f} s")


def main() -> None:
    """Print the tables, or as a child process the answer of one rival."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "networks", nargs="*", metavar="NETWORK", help="names of networks that pgmpy ships (default all)"
    )
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="that a rival may take for one network (default 60)"
    )
    parser.add_argument("--gigabytes", type=float, default=8.0, help="of memory that a rival may take (default 8)")
    parser.add_argument("--rival", choices=RIVALS, help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.rival:
        print(json.dumps(RIVALS[flags.rival](*flags.networks)))
        return
    print(f"all posteriors given {FINDINGS} findings")
    print_row(*HEADER)
    for name in flags.networks or names_of_networks():
        compare(name, flags)
    many_rows(flags)


def _folder() -> Path:
    package = find_spec("pgmpy")
    if package is None or package.origin is None:
        raise SystemExit("pgmpy, which ships the networks, is not installed; pip install -r requirements-bench.txt")
    return Path(package.origin).parent / "utils" / "example_models"


if __name__ == "__main__":
    main()
