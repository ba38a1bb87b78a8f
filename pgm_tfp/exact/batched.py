"""The posteriors of all variables, for one set of findings or for every row of a table of observations."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from common.errors import UserError
from pgm_tfp.exact import message_passing
from pgm_tfp.exact.evidence import Evidence, Findings, Network, log_normalizer, read_evidence
from pgm_tfp.exact.junction_tree import CliquePotentials, clique_potentials, compiled, sliced, tree_of
from pgm_tfp.exact.probabilities import Marginals, Probabilities
from pgm_tfp.exact.queries import log_evidence
from pgm_tfp.exact.rows import MISSING, Observations, distinct_rows, likelihoods_of
from pgm_tfp.html_tables import html_table
from pgm_tfp.memory import FLOAT, TooLargeError, check_memory

SLICED_FROM = 100_000  # cells of a tree; a smaller one is answered before its slices are made


class ImpossibleRowError(UserError):
    """A row of observations has probability zero.

    Attributes:
        row: the number of the row, from 0.
        reason: which of its findings exclude each other.
    """

    def __init__(self, row: int, reason: str):
        super().__init__(f"row {row}: {reason}")
        self.row, self.reason = row, reason


class Posteriors(NamedTuple):
    """The posteriors of all variables for each row of observations.

    Attributes:
        probabilities: by variable, (rows, states): p(variable | the row's findings), states in the network's order.
        log_evidence: log p(the row's findings), (rows,), in nats.
    """

    probabilities: dict[str, np.ndarray]
    log_evidence: np.ndarray

    def _repr_html_(self) -> str:
        columns = ["row", *self.probabilities, "log evidence"]
        rows = (
            (number, *(" ".join(f"{p:.4f}" for p in own[number]) for own in self.probabilities.values()), float(nats))
            for number, nats in enumerate(self.log_evidence)
        )
        return html_table(columns, rows, len(self.log_evidence))


class _Batch(NamedTuple):
    """Some rows: by variable the posteriors, (states, rows), and the log of the weight of each row's findings."""

    marginals: dict[str, np.ndarray]
    log_weight: np.ndarray


def marginals(network: Network, evidence: Evidence | None = None) -> Marginals:
    """p(variable | evidence) for every variable.

    Raises:
        UserError: a name is unknown, or the evidence is impossible.
        TooLargeError: the answer would take more memory than there is.
    """
    findings, potentials = read_evidence(network, evidence), _compiled_or_none(network)
    if potentials is None:
        batch = _without_observed(network, findings)
    elif potentials.tree.cells < SLICED_FROM:
        batch = _propagated(potentials, {**_soft(findings), **_certain(network, findings)})
    else:
        batch = _propagated(sliced(potentials, findings.states), _soft(findings))
        batch = batch._replace(marginals={**batch.marginals, **_certain(network, findings)})
    if batch.log_weight[0] == -np.inf:
        log_evidence(network, evidence)  # raises, and names the findings
    return Marginals(
        (
            variable,
            Probabilities((variable,), dict(zip(states, batch.marginals[variable][:, 0].tolist(), strict=True))),
        )
        for variable in network.graph
        for states in [network.states[variable]]
    )


def posteriors(network: Network, observations: Observations) -> Posteriors:
    """p(variable | findings) for every variable and every row of observations.

    Equal rows are computed once, and different rows many at a time. Where the junction tree of all variables would be
    too large, each row is computed alone, on a smaller tree without the variables that the row observes.

    Args:
        observations: by observed variable a column of states, None or not-a-number where it was not seen; a data frame
            of pandas is accepted as well. States may be written as `states.find_state` says.

    Raises:
        UserError: a name or a state is unknown, a variable has two columns, or columns differ in length.
        ImpossibleRowError: a row's findings have probability zero.
        TooLargeError: the computation, or the answer, would take more memory than there is.
    """
    rows = distinct_rows(network, observations)
    numbers = sum(len(states) for states in network.states.values())
    check_memory(
        f"{len(rows.which):,} rows of posteriors, {len(rows.first):,} of them different,",
        FLOAT * numbers * (2 * len(rows.first) + len(rows.which)),
        "pass fewer rows at a time",
    )
    potentials = _compiled_or_none(network)
    no_rows = Posteriors({name: np.empty((0, len(states))) for name, states in network.states.items()}, np.empty(0))
    batches = [no_rows] + [
        _posteriors_of(network, potentials, rows.codes_of(batch), rows.first[batch])
        for batch in rows.batches(None if potentials is None else potentials.tree.cells)
    ]
    probabilities = {
        variable: np.concatenate([batch.probabilities[variable] for batch in batches])[rows.which]
        for variable in network.graph
    }
    return Posteriors(probabilities, np.concatenate([batch.log_evidence for batch in batches])[rows.which])


def _posteriors_of(
    network: Network, potentials: CliquePotentials | None, codes: Mapping[str, np.ndarray], numbers: np.ndarray
) -> Posteriors:
    """The posteriors of a batch of distinct rows.

    Args:
        potentials: None if their tree would be too large; then the batch is one row.
        codes: by variable the index of its state in each row, -1 where it was not seen.
        numbers: of the rows, for errors.
    """
    if potentials is None:
        states = {variable: int(column[0]) for variable, column in codes.items() if column[0] != MISSING}
        try:
            batch = _without_observed(network, Findings(states, []))
        except TooLargeError as reason:
            raise TooLargeError(f"row {numbers[0]}: {reason}") from None
    else:
        batch = _propagated(potentials, likelihoods_of(network, codes), len(numbers))
    for row in np.flatnonzero(batch.log_weight == -np.inf):
        seen = {
            variable: network.states[variable][column[row]]
            for variable, column in codes.items()
            if column[row] != MISSING
        }
        try:
            log_evidence(network, seen)
        except UserError as reason:
            raise ImpossibleRowError(int(numbers[row]), str(reason)) from None
    probabilities = {variable: batch.marginals[variable].T for variable in network.graph}
    return Posteriors(probabilities, batch.log_weight - log_normalizer(network))


def _compiled_or_none(network: Network) -> CliquePotentials | None:
    """The network's clique potentials; None if they would be too large, for evidence can still make a small tree."""
    try:
        return compiled(network)
    except TooLargeError:
        return None


def _propagated(potentials: CliquePotentials, likelihoods: Mapping[str, np.ndarray], rows: int = 1) -> _Batch:
    return _Batch(*message_passing.marginals(potentials, likelihoods, rows))


def _without_observed(network: Network, findings: Findings) -> _Batch:
    """The posteriors for one set of findings, on the tree of the variables that were not observed."""
    reduced = [potential.reduced(findings.states) for potential in network.potentials()]
    batch = _propagated(clique_potentials(tree_of(network, reduced), reduced), _soft(findings))
    return batch._replace(marginals={**batch.marginals, **_certain(network, findings)})


def _soft(findings: Findings) -> dict[str, np.ndarray]:
    """The likelihoods of the soft findings, (states, 1) each."""
    return {potential.variables[0]: potential.values[:, np.newaxis] for potential in findings.likelihoods}


def _certain(network: Network, findings: Findings) -> dict[str, np.ndarray]:
    """The certain findings, (states, 1) each: one for the state seen, zero for the others."""
    return {variable: np.eye(len(network.states[variable]))[:, [state]] for variable, state in findings.states.items()}
