"""Exact inference beside pgmpy and pyAgrum: agreement, and seconds within one run.

python -m benchmarks.exact_inference [NETWORK ...]

On every network that pgmpy ships, or those named, the posteriors of all variables given three findings: ours and
pyAgrum's by junction tree, pgmpy's by variable elimination where that ends soon; the same normalised tables everywhere.
Our most probable explanation beside them. Then 10,000 rows of evidence with blanks on ALARM, and a million rows of the
server room's log.
"""

import gzip
import sys
import time
import warnings
from collections.abc import Callable
from importlib.resources import files
from statistics import median
from typing import Any

import numpy as np
import pyagrum
from pgmpy.inference import VariableElimination
from pgmpy.readwrite import BIFReader
from rich.console import Console
from rich.table import Table as Printed

from pgm_tfp import BayesianNetwork, catalogue, exact
from pgm_tfp.exact.junction_tree import compiled

FINDINGS, REPETITIONS = 3, 5
ROWS, ROWS_OF_PYAGRUM, SEEN = 10_000, 500, 0.3
LOG_ROWS, LOG_SEEN = 1_000_000, 0.8
PGMPY_BELOW = 10_000  # cells of the junction tree: beyond, pgmpy is left out, as it takes minutes or all memory
PYAGRUM_TAKES_TOO_LONG = {"munin1"}  # more than five minutes


def names_of_networks() -> list[str]:
    """All that pgmpy ships, as BIF files."""
    return sorted(entry.name.removesuffix(".bif.gz") for entry in _folder().iterdir() if entry.name.endswith(".bif.gz"))


def load(name: str) -> BayesianNetwork:
    """One of them, normalised."""
    text = gzip.decompress((_folder() / f"{name}.bif.gz").read_bytes()).decode()
    return BayesianNetwork.from_pgmpy(BIFReader(string=text).get_model())


def to_pyagrum(network: BayesianNetwork) -> pyagrum.BayesNet:
    """The same tables; states are numbers."""
    other = pyagrum.BayesNet()
    for variable, states in network.states.items():
        other.add(pyagrum.RangeVariable(variable, "", 0, len(states) - 1))
    for parent, child in network.graph.edges:
        other.addArc(parent, child)
    for potential in network.potentials():
        table = other.cpt(potential.variables[-1])
        table[:] = np.ascontiguousarray(potential.over(tuple(reversed(table.names))).values)
    return other


def draw(network: BayesianNetwork, n: int, seed: int) -> dict[str, np.ndarray]:
    """Indices of states of n draws, by variable."""
    drawn = network.sample(n, seed)
    return {
        variable: np.array([states.index(state) for state in drawn[variable].tolist()])
        for variable, states in network.states.items()
    }


def seconds(work: Callable[[], Any], repetitions: int = REPETITIONS) -> tuple[float, Any]:
    """The median time of some repetitions, and the last result."""
    taken = []
    for _ in range(repetitions):
        start = time.perf_counter()
        result = work()
        taken.append(time.perf_counter() - start)
    return median(taken), result


def posteriors_of_pyagrum(engine: pyagrum.LazyPropagation, evidence: dict[str, int]) -> dict[str, np.ndarray]:
    """All posteriors given other findings; the engine keeps its tree."""
    engine.eraseAllEvidence()
    engine.setEvidence(evidence)
    engine.makeInference()
    return {name: engine.posterior(name).toarray() for name in engine.BN().names()}


def compare(name: str, table: Printed) -> None:
    """One network: a row of the table."""
    network = load(name)
    drawn, random = draw(network, 1, seed=0), np.random.default_rng(0)
    chosen = random.choice(list(network.states), FINDINGS, replace=False).tolist()
    indices = {variable: int(drawn[variable][0]) for variable in chosen}
    evidence = {variable: network.states[variable][index] for variable, index in indices.items()}
    start = time.perf_counter()
    cells = compiled(network).cells
    building = time.perf_counter() - start
    ours, marginals = seconds(lambda: exact.marginals(network, evidence))
    explaining, (explanation, log_probability) = seconds(lambda: exact.most_probable(network, evidence), 1)
    assert abs(network.log_prob(explanation) - log_probability) < 1e-8 * max(1.0, -log_probability)
    shown, apart = "", ""
    if name not in PYAGRUM_TAKES_TOO_LONG:
        engine = pyagrum.LazyPropagation(to_pyagrum(network))
        once, theirs = seconds(lambda: posteriors_of_pyagrum(engine, indices), 1)
        if once < 1.0:
            once, theirs = seconds(lambda: posteriors_of_pyagrum(engine, indices))
        worst = max(np.abs(list(marginals[v].values()) - theirs[v]).max() for v in network.states)
        shown, apart = f"{once / ours:.1f}", f"{worst:.1e}"
    pgmpy = ""
    if cells < PGMPY_BELOW:
        taken, worst = against_pgmpy(network, evidence, marginals)
        pgmpy, apart = f"{taken / ours:.0f}", f"{max(float(apart or 0), worst):.1e}"
    table.add_row(
        name,
        f"{len(network.states)}",
        f"{cells:,}",
        f"{building:.3f}",
        f"{ours:.4f}",
        shown,
        pgmpy,
        apart,
        f"{explaining:.3f}",
    )


def against_pgmpy(network: BayesianNetwork, evidence: dict[str, Any], ours: dict[str, Any]) -> tuple[float, float]:
    """Seconds of pgmpy's variable elimination for all posteriors, and the largest difference from ours."""
    model = network.to_pgmpy()
    engine = VariableElimination(model)
    asked = [variable for variable in network.states if variable not in evidence]

    def query() -> dict[str, Any]:
        return {name: engine.query([name], evidence=evidence, show_progress=False) for name in asked}

    taken, theirs = seconds(query, 1)
    worst = max(
        abs(factor.get_value(**{name: state}) - ours[name][state])
        for name, factor in theirs.items()
        for state in network.states[name]
    )
    return taken, worst


def many_rows() -> None:
    """10,000 rows of ALARM with blanks, against pyAgrum row by row; a million of the server room."""
    network = load("alarm")
    drawn, random = draw(network, ROWS, seed=0), np.random.default_rng(0)
    seen = {variable: random.random(ROWS) < SEEN for variable in network.states}
    log = {
        name: [network.states[name][at] if known else None for at, known in zip(drawn[name], seen[name], strict=True)]
        for name in network.states
    }
    compiled(network)
    ours, posteriors = seconds(lambda: exact.posteriors(network, log))
    engine = pyagrum.LazyPropagation(to_pyagrum(network))
    rows = [
        {name: int(drawn[name][row]) for name in network.states if seen[name][row]} for row in range(ROWS_OF_PYAGRUM)
    ]
    theirs, results = seconds(lambda: [posteriors_of_pyagrum(engine, row) for row in rows], 1)
    worst = max(
        np.abs(posteriors.probabilities[name][row] - result[name]).max()
        for row, result in enumerate(results)
        for name in network.states
    )
    ratio = theirs / ROWS_OF_PYAGRUM / (ours / ROWS)
    print(f"{ROWS:,} rows of ALARM, {SEEN:.0%} of the cells seen: {ours:.2f} s")
    print(f"  {ratio:.0f} times as fast as pyAgrum row by row (on {ROWS_OF_PYAGRUM} of them); apart by {worst:.1e}")

    room = catalogue.server_room()
    draws = room.sample(LOG_ROWS, seed=0)
    columns = {name: np.where(random.random(LOG_ROWS) < LOG_SEEN, draws[name], None) for name in "OTMS"}
    print(f"{LOG_ROWS:,} rows of the server room's log: {seconds(lambda: exact.posteriors(room, columns), 3)[0]:.2f} s")


def main() -> None:
    """Print the tables."""
    warnings.simplefilter("ignore")
    columns = (
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
    table = Printed(*columns, title=f"all posteriors given {FINDINGS} findings")
    for name in sys.argv[1:] or names_of_networks():
        compare(name, table)
        print(f"{name} done", file=sys.stderr)
    Console(width=120).print(table)
    many_rows()


def _folder() -> Any:
    return files("pgmpy") / "utils" / "example_models"


if __name__ == "__main__":
    main()
