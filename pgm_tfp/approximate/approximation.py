"""What every method of this folder answers, and the question as the methods need it.

A method is a generator. Each answer that it yields has used more work than the one before, so that a user can stop it
at any time and keep the last answer with its error. It ends where more work would not help, or where its budget is used
up.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import nan
from typing import NamedTuple, TypeAlias

import numpy as np

from common.errors import UserError, nearest
from common.ranges import SEEDS
from pgm_tfp import elimination
from pgm_tfp.conditionals import State
from pgm_tfp.exact import Network, check_variables
from pgm_tfp.exact.evidence import Evidence, Findings, conditioned, read_evidence
from pgm_tfp.exact.probabilities import Marginals, Probabilities
from pgm_tfp.markov import MarkovNetwork
from pgm_tfp.memory import TooLargeError, available_memory, gigabytes
from pgm_tfp.potentials import MOST_VARIABLES, Potential
from pgm_tfp.results import LogEvidence

# The logarithm of a weight of zero. A finite number keeps sums and differences of logarithms defined.
LOG_ZERO = -1e6
ERROR = 0.005  # of a probability
MOST_EXACT_CELLS = 10**7  # of the tables of an exact sum that an approximate method may compute on its way


class Question(NamedTuple):
    """A network and evidence, as approximate methods need them.

    Attributes:
        network: the network that was asked about.
        findings: the evidence.
        potentials: sliced at the evidence; their product, summed over the hidden variables, is p(evidence) times Z.
        hidden: the variables that are not observed and matter for the question.
        seed: of all random numbers.
        error: the largest standard error of a probability at which a sampler may stop.
        patience: multiplies the work after which a method gives up.
    """

    network: Network
    findings: Findings
    potentials: list[Potential]
    hidden: tuple[str, ...]
    seed: int = 0
    error: float = ERROR
    patience: float = 1.0

    @property
    def sizes(self) -> list[int]:
        """The number of states of each hidden variable."""
        return [len(self.network.states[name]) for name in self.hidden]

    def marginals(self, probabilities: Sequence[np.ndarray]) -> Marginals:
        """The marginals of all variables of the question, observed ones certain.

        Args:
            probabilities: of the states of each hidden variable.
        """
        found = dict(zip(self.hidden, probabilities, strict=True))
        certain = {name: np.eye(len(self.network.states[name]))[at] for name, at in self.findings.states.items()}
        return self._by_state({**found, **certain})

    def errors(self, errors: Sequence[np.ndarray] | None) -> Marginals:
        """Standard errors in the form of `marginals`; NaN where there are none, zero for observed variables."""
        rows = [np.full(size, nan) for size in self.sizes] if errors is None else errors
        found = dict(zip(self.hidden, rows, strict=True))
        certain = {name: np.zeros(len(self.network.states[name])) for name in self.findings.states}
        return self._by_state({**found, **certain})

    def _by_state(self, rows: Mapping[str, np.ndarray]) -> Marginals:
        return Marginals(
            (name, Probabilities((name,), dict(zip(self.network.states[name], rows[name].tolist(), strict=True))))
            for name in self.network.graph
            if name in rows
        )


class Approximation(NamedTuple):
    """The answer of an approximate method; it follows `results.Result`.

    Attributes:
        method: its name.
        network: the network that was asked about.
        marginals: by variable the probability of each state; observed variables are certain.
        standard_errors: by variable the standard error of each of these probabilities; zero where the answer is exact,
            NaN where the method does not know its error.
        log_weight: what the method knows of log (p(evidence) Z), in nats. For a Bayesian network Z is one. For a Markov
            network without evidence this is log Z.
        doubt: why the answer is not reliable, in words; empty if it is.
        work: what the method did, in words.
    """

    method: str
    network: Network
    marginals: Marginals
    standard_errors: Marginals
    log_weight: LogEvidence
    doubt: str
    work: str

    @property
    def converged(self) -> bool:
        """Whether the method met its own test."""
        return not self.doubt

    @property
    def log_evidence(self) -> LogEvidence:
        """What the method knows of log p(evidence), in nats; nothing where log Z is too large to compute."""
        return log_evidence_of(self.network, self.log_weight)

    def marginal(self, variable: str) -> Mapping[State, float]:
        """The approximate p(variable | evidence).

        Raises:
            UserError: the variable is unknown, or was left out because it does not matter for the question.
        """
        return _of(self.marginals, variable)

    def standard_error(self, variable: str) -> Mapping[State, float]:
        """The standard error of each probability of `marginal`; NaN where it is unknown.

        Raises:
            UserError: as `marginal`.
        """
        return _of(self.standard_errors, variable)

    def largest_error(self, variables: Iterable[str] | None = None) -> float:
        """The largest standard error of these variables' probabilities, or of all; NaN if one is unknown."""
        asked = self.standard_errors if variables is None else variables
        return float(np.max([error for name in asked for error in self.standard_error(name).values()], initial=0.0))


Method: TypeAlias = Callable[[Question], Iterator[Approximation]]


def question(
    network: Network,
    evidence: Evidence | None = None,
    about: Sequence[str] | None = None,
    seed: int = 0,
    error: float = ERROR,
    patience: float = 1.0,
) -> Question:
    """A question about some variables, or about all.

    Args:
        about: variables; a Bayesian network is pruned to them, the observed variables and the ancestors of both.
        seed: of all random numbers.
        error: the largest standard error of a probability at which a sampler may stop.
        patience: multiplies the work after which a method gives up.

    Raises:
        UserError: a name is unknown, a variable is continuous, a number is not permitted, or the findings alone exclude
            each other.
    """
    if refusal := SEEDS.refusal(seed):
        raise UserError(f"seed {seed} {refusal}")
    if not error >= 0.0:
        raise UserError(f"error must be 0 or more, given {error}")
    check_variables(network, network.graph)
    check_variables(network, about or ())
    findings = read_evidence(network, evidence)
    # The answer about an observed variable is certain, so only the others keep an axis.
    asked = None if about is None else [name for name in about if name not in findings.states]
    potentials = conditioned(network, findings, asked)
    if any(not potential.variables and not potential.values for potential in potentials):
        raise impossible()
    present = {name for potential in potentials for name in potential.variables}
    hidden = tuple(name for name in network.graph if name in present)
    return Question(network, findings, potentials, hidden, seed, error, patience)


def log_evidence_of(network: Network, log_weight: LogEvidence) -> LogEvidence:
    """log p(evidence) from the log of p(evidence) times Z; unknown where log Z takes too long to compute."""
    if not isinstance(network, MarkovNetwork):
        return log_weight
    if log_weight.kind == "unknown" or not is_small(network.potentials()):
        return LogEvidence("unknown")
    return log_weight._replace(value=log_weight.value - network.log_partition)


def is_small(potentials: Sequence[Potential]) -> bool:
    """Whether an exact sum over these potentials takes a moment."""
    eliminated = elimination.elimination_of(potentials)
    cost = elimination.tree_cost(eliminated.cliques, elimination.sizes_of(potentials))
    return cost.cells <= MOST_EXACT_CELLS and cost.largest_clique <= MOST_VARIABLES


def check_room(what: str, needed: int) -> None:
    """Raise TooLargeError if arrays of so many bytes do not fit into the memory that is available."""
    available = available_memory()
    if needed > available:
        raise TooLargeError(
            f"{what} would take {gigabytes(needed)}, and {gigabytes(available)} are available; ask about fewer "
            "variables"
        )


def impossible() -> UserError:
    """The error for evidence of probability zero."""
    return UserError("the evidence is impossible: its probability is zero; leave a finding out")


def logarithm(values: np.ndarray) -> np.ndarray:
    """The logarithm of weights, `LOG_ZERO` at zero."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(values), LOG_ZERO)


def _of(rows: Marginals, variable: str) -> Mapping[State, float]:
    if variable not in rows:
        raise UserError(f"no answer about {variable}; {nearest(variable, rows)}")
    return rows[variable]
