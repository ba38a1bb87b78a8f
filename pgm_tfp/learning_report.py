"""Learns a network's tables from a CSV log and reports the result: text, a figure, and the tables as CSV."""

import csv
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from common.errors import UserError
from common.files import atomic_write
from common.text_section import TextSection
from pgm_tfp import learning
from pgm_tfp.conditionals import BINARY
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.plots import Entry, table_intervals

HELD_OUT = 5  # every fifth row is held out
MASS = 0.95
FEWEST_ROWS = 10


class LearningReport(NamedTuple):
    """A network whose tables were learnt from a log.

    Attributes:
        network: with the posterior mean of every table.
        entries: the entries of all tables, with their intervals.
        section: the result as text and figure.
    """

    network: BayesianNetwork
    entries: list[Entry]
    section: TextSection


def learn_tables(
    network: BayesianNetwork, observed: dict[str, list[Any]], prior_counts: float = 1.0, seed: int = 0
) -> LearningReport:
    """Learn a network's tables from columns of states, None where nothing was seen.

    A log without gaps gives the exact posterior. A log with gaps is learnt by variational EM, with EM for comparison.

    Raises:
        UserError: there are fewer than ten rows, or no table can be learnt from them.
    """
    rows = len(next(iter(observed.values())))
    if rows < FEWEST_ROWS:
        raise UserError(f"{rows} rows are too few to learn from and to test on; give {FEWEST_ROWS} or more")
    kept = {name: [state for row, state in enumerate(column) if row % HELD_OUT] for name, column in observed.items()}
    tested = {name: column[::HELD_OUT] for name, column in observed.items()}
    never = [name for name in network.conditionals if all(state is None for state in observed.get(name, [None]))]
    kept = {name: column for name, column in kept.items() if name not in never}
    tested = {name: column for name, column in tested.items() if name not in never}
    if not kept:
        raise UserError("every cell of the log is blank; there is nothing to learn from")
    gaps = any(state is None for column in kept.values() for state in column) or bool(never)
    learnt_from = rows - len(range(0, rows, HELD_OUT))
    lines = [f"{rows:,} rows: learnt from {learnt_from:,}, every fifth held out"]
    if gaps:
        fitted = learning.fit_variational_em(network, kept, prior_counts, seed)
        likely = learning.fit_em(network, kept, prior_counts, seed)
        mean, intervals = fitted.network, fitted.credible_intervals(MASS)
        lines += [
            f"variational EM: bound {fitted.elbo:.3f} nats after {_iterations(fitted)}",
            f"EM: log likelihood {likely.log_likelihood:.3f} nats after {_iterations(likely)}",
        ]
    else:
        posterior = learning.fit_dirichlet(network, kept, prior_counts)
        mean, intervals = posterior.mean_network(), posterior.credible_intervals(MASS)
        surrogate = learning.fit_variational_dirichlet(network, kept, prior_counts)
        lines += [
            f"exact posterior: log evidence {posterior.log_evidence:.6f} nats",
            f"variational inference: ELBO {surrogate.elbo:.6f} nats, gap {posterior.log_evidence - surrogate.elbo:.1e}",
        ]
    for name, tables in (("the learnt tables", mean), ("the given tables", network)):
        score = learning.predictive_log_likelihood(tables, tested)
        lines.append(f"held-out rows under {name}: {score:.5f} nats a row")
    unseen = [f"{name} was never seen. {text}" for name, text in learning.unidentified(network, never).items()]
    lines += unseen
    entries = _entries(network, mean, intervals)
    for entry in entries:
        lines.append(
            f"  {entry.name} = {entry.learnt:.4f}  [{entry.low:.4f}, {entry.high:.4f}]  given {entry.given:.4f}"
        )
    kind = "variational posterior" if gaps else "exact posterior"
    figure = table_intervals(
        entries,
        "Tables learnt from a log",
        f"Blue: mean and central {MASS:.0%} interval of the {kind}, from {learnt_from:,} rows. Orange: the tables of "
        "the given network." + "".join(f" {sentence}" for sentence in unseen),
    )
    return LearningReport(mean, entries, TextSection("Learning from a log", lines, {"learned.png": figure}))


def write_tables(path: Path, entries: list[Entry]) -> None:
    """Write the learnt tables as CSV, one row for each entry."""
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["entry", "probability", "low", "high"])
        writer.writerows([entry.name, entry.learnt, entry.low, entry.high] for entry in entries)


def _entries(network: BayesianNetwork, mean: BayesianNetwork, intervals: dict[str, learning.Intervals]) -> list[Entry]:
    entries = []
    for variable in network.conditionals:
        table, given = mean.table(variable), network.table(variable)
        states = [range(len(network.states[name])) for name in (*table.parents, variable)]
        for index in product(*states):
            if table.states == BINARY and index[-1] == 0:
                continue  # P(false) follows from P(true)
            parents = zip(table.parents, index, strict=False)
            condition = ", ".join(f"{name}={network.states[name][at]}" for name, at in parents)
            entries.append(
                Entry(
                    f"P({variable}={table.states[index[-1]]}{f' | {condition}' if condition else ''})",
                    *(
                        float(np.asarray(values)[index])
                        for values in (table.probabilities, *intervals[variable], given.probabilities)
                    ),
                )
            )
    return entries


def _iterations(fit: learning.EmFit | learning.VariationalEmFit) -> str:
    return f"{fit.iterations} iterations{'' if fit.converged else ', not converged'}"
