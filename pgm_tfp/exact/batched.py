"""All variables at once, for one set of findings or for a table of them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from common.errors import UserError, nearest
from pgm_tfp.exact.evidence import (
    Evidence,
    Findings,
    Network,
    check_variables,
    log_normalizer,
    read_evidence,
)
from pgm_tfp.exact.junction_tree import Beliefs, Tree, build, calibrated, compiled
from pgm_tfp.exact.queries import log_evidence
from pgm_tfp.memory import FLOAT, TooLargeError, check_memory
from pgm_tfp.states import State, find_state, is_missing, listed, places_of

CELLS_AT_ONCE = 2**18  # tables of that many float64 fit into a processor's cache
MISSING, UNKNOWN = -1, -2


class ImpossibleRowError(UserError):
    """A row of a table whose findings have probability zero.

    Attributes:
        row: its number, from 0.
        reason: the findings that exclude each other.
    """

    def __init__(self, row: int, reason: str):
        super().__init__(f"row {row}: {reason}")
        self.row, self.reason = row, reason


class Posteriors(NamedTuple):
    """Posteriors for each row of a table.

    Attributes:
        probabilities: by variable, (rows, states): p(variable | the row's findings), its states in the network's order.
        log_evidence: log p(the row's findings), (rows,), in nats.
    """

    probabilities: dict[str, np.ndarray]
    log_evidence: np.ndarray


def marginals(network: Network, evidence: Evidence | None = None) -> dict[str, dict[State, float]]:
    """p(variable | evidence) for every variable.

    Raises:
        UserError: a name is unknown, or the evidence is impossible.
        TooLargeError: the tables would take more memory than there is.
    """
    findings = read_evidence(network, evidence)
    beliefs = _beliefs(network, findings)
    if beliefs.log_weight[0] == -np.inf:
        log_evidence(network, evidence)  # raises, and names the findings
    return {
        variable: dict(zip(network.states[variable], beliefs.posteriors[variable][:, 0].tolist(), strict=True))
        for variable in network.graph
    }


def posteriors(network: Network, table: Mapping[str, Sequence[Any]]) -> Posteriors:
    """p(variable | findings) for every variable and every row of a table.

    Equal rows are computed once, different ones many at a time; one at a time, each on a tree of its own that leaves
    out what the row shows, where the tree of all variables would be too large.

    Args:
        table: by observed variable a column of states, None or not-a-number where it was not seen; a data frame of
            pandas will do. States may be written as `states.find_state` says.

    Raises:
        UserError: a name or a state is unknown, a variable has two columns, or columns differ in length.
        ImpossibleRowError: a row's findings have probability zero.
        TooLargeError: the tables, or the answers, would take more memory than there is.
    """
    codes = np.stack([*codes_of_columns(network, table).values()])
    first, which = _distinct(codes, [len(network.states[variable]) for variable in table])
    distinct = codes[:, first]

    numbers = sum(len(states) for states in network.states.values())
    check_memory(
        f"{len(which):,} rows of posteriors, {len(first):,} of them different,",
        FLOAT * numbers * (2 * len(first) + len(which)),
        "pass fewer rows at a time",
    )
    tree = _tree_or_none(network)
    at_once = max(1, CELLS_AT_ONCE // tree.cells) if tree else 1
    no_rows = Posteriors({name: np.empty((0, len(states))) for name, states in network.states.items()}, np.empty(0))
    parts = [no_rows] + [
        _posteriors_of(network, tree, list(table), distinct[:, start : start + at_once], first[start : start + at_once])
        for start in range(0, len(first), at_once)
    ]
    probabilities = {
        variable: np.concatenate([part.probabilities[variable] for part in parts])[which] for variable in network.graph
    }
    return Posteriors(probabilities, np.concatenate([part.log_evidence for part in parts])[which])


def codes_of_columns(network: Network, table: Mapping[str, Sequence[Any]]) -> dict[str, np.ndarray]:
    """The columns of a table as indices of states, -1 where a state was not seen, (rows,) by variable.

    Args:
        table: as for `posteriors`.

    Raises:
        UserError: a name or a state is unknown, a variable has two columns, or columns differ in length.
    """
    names = list(table)
    check_variables(network, names)
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"column {name} is there twice; leave one of them out")
    columns = {variable: listed(column) for variable, column in table.items()}
    lengths = {variable: len(column) for variable, column in columns.items()}
    if len(set(lengths.values())) != 1:
        raise UserError(f"columns must be equally long, one at least; given {lengths}")
    return {variable: _state_codes(network, variable, column) for variable, column in columns.items()}


def _state_codes(network: Network, variable: str, column: list[Any]) -> np.ndarray:
    states = network.states[variable]
    places = places_of(states)

    def code(value: Any) -> int:
        place = find_state(states, places, value)
        if place is not None:
            return place
        return MISSING if is_missing(value) else UNKNOWN

    try:  # each way of writing is looked up once
        written = {value: code(value) for value in set(column)}
        codes = np.fromiter((written[value] for value in column), np.int64, len(column))
    except TypeError:  # a list, say, is no key
        codes = np.fromiter(map(code, column), np.int64, len(column))
    if (codes == UNKNOWN).any():
        row = int(np.argmax(codes == UNKNOWN))
        value = str(column[row])
        raise UserError(f"row {row}: {variable} has no state {value}; {nearest(value, map(str, states))}")
    return codes


def _distinct(codes: np.ndarray, sizes: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Of the columns of `codes` (variables, rows): where each different one stands first, and which one each row is."""
    base = np.asarray(sizes) + 1
    if np.log2(base).sum() < 62:
        keys = np.ravel_multi_index(tuple(codes + 1), tuple(base))
        _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    else:
        _, first, which = np.unique(codes, axis=1, return_index=True, return_inverse=True)
    return first, which


def _tree_or_none(network: Network) -> Tree | None:
    """The tree of all variables, or None where it would be too large: evidence can still make it small enough."""
    try:
        return compiled(network)
    except TooLargeError:
        return None


def _beliefs(network: Network, findings: Findings) -> Beliefs:
    """The posteriors of all variables for one set of findings."""
    tree = _tree_or_none(network)
    if tree is None:
        return _sliced_beliefs(network, findings)
    certain = {variable: _indicator(network, variable, state) for variable, state in findings.states.items()}
    return calibrated(tree, {**_soft(findings), **certain})


def _sliced_beliefs(network: Network, findings: Findings) -> Beliefs:
    """The same on a tree without the variables that were seen."""
    tree = build(network, [potential.reduced(findings.states) for potential in network.potentials()])
    beliefs = calibrated(tree, _soft(findings))
    certain = {variable: _indicator(network, variable, state) for variable, state in findings.states.items()}
    return beliefs._replace(posteriors={**beliefs.posteriors, **certain})


def _soft(findings: Findings) -> dict[str, np.ndarray]:
    return {potential.variables[0]: potential.values[:, np.newaxis] for potential in findings.likelihoods}


def _indicator(network: Network, variable: str, state: int) -> np.ndarray:
    """One for this state and zero for the others, (states, 1)."""
    return np.eye(len(network.states[variable]))[:, [state]]


def _posteriors_of(
    network: Network, tree: Tree | None, variables: Sequence[str], codes: np.ndarray, numbers: np.ndarray
) -> Posteriors:
    """The posteriors of different rows; of one row, where there is no tree for all."""
    if tree is None:
        states = {variable: int(code) for variable, code in zip(variables, codes[:, 0], strict=True) if code != MISSING}
        try:
            beliefs = _sliced_beliefs(network, Findings(states, []))
        except TooLargeError as reason:
            raise TooLargeError(f"row {numbers[0]}: {reason}") from None
    else:
        likelihoods = {}
        for variable, column in zip(variables, codes, strict=True):
            states_of = len(network.states[variable])
            # Index -1 (missing) selects the added last row, which is all ones.
            likelihoods[variable] = np.concatenate([np.eye(states_of), np.ones((1, states_of))])[column].T
        beliefs = calibrated(tree, likelihoods, codes.shape[1])
    for row in np.flatnonzero(beliefs.log_weight == -np.inf):
        seen = {
            variable: network.states[variable][code]
            for variable, code in zip(variables, codes[:, row], strict=True)
            if code != MISSING
        }
        try:
            log_evidence(network, seen)
        except UserError as reason:
            raise ImpossibleRowError(int(numbers[row]), str(reason)) from None
    probabilities = {variable: beliefs.posteriors[variable].T for variable in network.graph}
    return Posteriors(probabilities, beliefs.log_weight - log_normalizer(network))
