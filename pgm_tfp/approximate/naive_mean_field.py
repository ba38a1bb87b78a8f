"""Mean field for discrete networks of any size: coordinate ascent on the potentials.

The surrogate is q(x) = prod_i q_i(x_i) over the hidden variables. With the potentials phi_c of the network, sliced at
the evidence,

    ELBO(q) = sum_c E_q[log phi_c(x_c)] + sum_i H(q_i)  <=  log p(e) + log Z

and the best q_i for fixed others is

    log q_i(x_i) = sum_{c with i} E_q[log phi_c(x_c) | x_i] + constant

(Jordan et al. 1999; Koller & Friedman 2009, section 11.5.1). Variables that share no potential are updated together.
No update lowers the ELBO. It reaches a local maximum, so there are several starts. Every second start is annealed: its
first sweeps multiply the log potentials by numbers that grow to one (Rose 1998), which avoids many poor maxima.
"""

from collections.abc import Iterator, Sequence
from math import nan
from typing import NamedTuple

import networkx as nx
import numpy as np
from scipy.special import softmax, xlogy

from common.errors import UserError, nearest
from pgm_tfp.approximate.approximation import LOG_ZERO, Approximation, Question, log_evidence_of, question
from pgm_tfp.approximate.propagation import FactorGraph, factor_graph
from pgm_tfp.exact import Network
from pgm_tfp.exact.evidence import Evidence
from pgm_tfp.exact.probabilities import Marginals, Probabilities
from pgm_tfp.results import LogEvidence

NAME = "mean_field"
STARTS = 8
START_SPREAD = 2.0  # standard deviation of random logits, which then start near certainty of every kind
TEMPERING = tuple(np.linspace(0.05, 1.0, 40).tolist())  # of the log potentials in the first sweeps of an annealed start
MOST_SWEEPS = 1_000
LEAST_GAIN = 1e-9  # nats; sweeps end when one gains less
SAME = 1e-6  # nats; two starts that differ by less have reached the same maximum
# The ELBO of a surrogate that gives mass to a state of weight zero is minus infinity. The finite `LOG_ZERO` lets
# coordinate ascent leave such a start. A surrogate that keeps some of the mass there is no answer.
NO_MASS = 1e-11  # the mass on states of weight zero that counts as none; it changes the ELBO by 1e-5 nats at most


class MeanField(NamedTuple):
    """The best of several local maxima of the ELBO; it follows `results.Result`.

    Attributes:
        marginals: q_i, by variable the probability of each state; observed variables are certain.
        elbo: in nats; a lower bound of log p(evidence). For a Markov network it is known only if log Z is.
        starts: the ELBO that each start reached.
        converged: whether the best start met its tolerance and a second start reached the same ELBO.
        bounds_evidence: False for a Markov network whose log Z is too large to compute: then `elbo` bounds
            log p(evidence) + log Z.
    """

    marginals: Marginals
    elbo: float
    starts: list[float]
    converged: bool
    bounds_evidence: bool = True

    @property
    def log_evidence(self) -> LogEvidence:
        """The ELBO as a lower bound of log p(evidence)."""
        return LogEvidence("bounded", self.elbo) if self.bounds_evidence else LogEvidence("unknown")

    def marginal(self, variable: str) -> Probabilities:
        """q(variable).

        Raises:
            UserError: the variable is unknown.
        """
        if variable not in self.marginals:
            raise UserError(f"unknown variable {variable}; {nearest(variable, self.marginals)}")
        return Probabilities((variable,), self.marginals[variable])


class Ascent(NamedTuple):
    """The best of several local maxima.

    Attributes:
        q: the surrogate, one distribution for each hidden variable.
        elbo: its ELBO, a lower bound of log p(evidence) + log Z in nats.
        starts: the ELBO that each start reached.
        converged: whether the best start met its tolerance and a second start reached the same ELBO.
    """

    q: list[np.ndarray]
    elbo: float
    starts: list[float]
    converged: bool


def mean_field(network: Network, evidence: Evidence | None = None, seed: int = 0, starts: int = STARTS) -> MeanField:
    """A product of independent distributions near the posterior: the least KL(q || posterior) that the starts reach.

    Args:
        evidence: by variable the state that was seen, or for each state the likelihood of the finding.
        seed: of the random starts.
        starts: their number; from one alone, convergence cannot be tested.

    Raises:
        UserError: a name is unknown, a variable is continuous, or no start finds a surrogate that gives no mass to
            states of probability zero; if the evidence is impossible, there is none.
    """
    asked = question(network, evidence, seed=seed)
    found = ascend(asked, starts)
    log_evidence = log_evidence_of(network, LogEvidence("bounded", found.elbo))
    bounded = log_evidence.kind == "bounded"
    log_z = found.elbo - log_evidence.value if bounded else 0.0
    ends = [end - log_z for end in found.starts]
    return MeanField(asked.marginals(found.q), found.elbo - log_z, ends, found.converged, bounded)


def mean_field_answers(question: Question) -> Iterator[Approximation]:
    """The answer of mean field as one of the approximate methods; it does not know the errors of its probabilities."""
    found = ascend(question)
    log_weight = LogEvidence("bounded", found.elbo, nan)
    yield Approximation(
        NAME,
        question.network,
        question.marginals(found.q),
        question.errors(None),
        log_weight,
        "" if found.converged else f"{STARTS} starts did not reach the same maximum twice",
        f"starts: {STARTS}; the errors of probabilities are unknown",
    )


def ascend(question: Question, starts: int = STARTS) -> Ascent:
    """Coordinate ascent from several random starts.

    Raises:
        UserError: no start finds a surrogate that gives no mass to states of probability zero, or `starts` is below 1.
    """
    if starts < 1:
        raise UserError(f"starts must be 1 or more, given {starts}")
    graph = factor_graph(question.potentials, question.hidden)
    random = np.random.default_rng(question.seed)
    zeros = graph._replace(
        log_scale=0.0,  # a zero without variables is refused with the question
        groups=[group._replace(log_values=(group.log_values <= LOG_ZERO).astype(np.float64)) for group in graph.groups],
    )
    updates = _updates(graph)
    reached = [_ascend(graph, updates, _start(graph, random), TEMPERING if n % 2 else ()) for n in range(starts)]
    possible = [one for one in reached if _expected(zeros, one[0]) <= NO_MASS]
    if not possible:
        raise UserError(
            "mean field found no surrogate without mass on states of probability zero; take another method, or give "
            "other evidence"
        )
    best, elbo, settled = max(possible, key=lambda one: one[1])
    ends = [one[1] for one in reached]
    agreed = sum(abs(end - elbo) < SAME for end in ends) >= 2
    return Ascent([row[:size] for row, size in zip(best.T, graph.sizes, strict=True)], elbo, ends, settled and agreed)


class Part(NamedTuple):
    """Potentials of one shape, each about one variable of a set that is updated together.

    Attributes:
        places: of the variable in the set, for each potential, (potentials,).
        others: the other variables of each potential, (axes - 1, potentials).
        log_values: the variable's own axis first, (own states, states of each other axis..., potentials).
    """

    places: np.ndarray
    others: np.ndarray
    log_values: np.ndarray


class Update(NamedTuple):
    """Variables that share no potential, and what their optimum depends on.

    Attributes:
        variables: as numbers, (variables,).
        parts: all potentials that mention one of them.
    """

    variables: np.ndarray
    parts: list[Part]


def _colours(graph: FactorGraph) -> np.ndarray:
    """A colour for each variable, (variables,); variables that share a potential have different colours."""
    interaction = nx.Graph()
    interaction.add_nodes_from(range(len(graph.sizes)))
    for group in graph.groups:
        for first in range(group.axes):
            for second in range(first):
                interaction.add_edges_from(zip(group.members[first], group.members[second], strict=True))
    coloured = nx.greedy_color(interaction)
    return np.array([coloured[number] for number in range(len(graph.sizes))], np.int64)


def _updates(graph: FactorGraph) -> list[Update]:
    colour_of = _colours(graph)
    updates = []
    for colour in range(int(colour_of.max(initial=-1)) + 1):
        variables = np.flatnonzero(colour_of == colour)
        parts = []
        for group in graph.groups:
            for axis in range(group.axes):
                mine = np.flatnonzero(colour_of[group.members[axis]] == colour)
                if mine.size:
                    parts.append(
                        Part(
                            np.searchsorted(variables, group.members[axis, mine]),
                            np.delete(group.members[:, mine], axis, 0),
                            np.moveaxis(group.log_values[..., mine], axis, 0),
                        )
                    )
        updates.append(Update(variables, parts))
    return updates


def _start(graph: FactorGraph, random: np.random.Generator) -> np.ndarray:
    """Random distributions, (most states, variables), zero for states that a variable does not have."""
    most = int(graph.sizes.max(initial=1))
    logits = random.normal(scale=START_SPREAD, size=(most, len(graph.sizes)))
    return softmax(np.where(np.arange(most)[:, None] < graph.sizes, logits, -np.inf), 0)


def _ascend(
    graph: FactorGraph, updates: Sequence[Update], q: np.ndarray, tempering: Sequence[float]
) -> tuple[np.ndarray, float, bool]:
    """The surrogate that sweeps reach, its ELBO, and whether the last sweep gained next to nothing."""
    for inverse_temperature in tempering:
        _sweep(updates, graph, q, inverse_temperature)
    elbo = _elbo(graph, q)
    for _ in range(MOST_SWEEPS):
        _sweep(updates, graph, q, 1.0)
        before, elbo = elbo, _elbo(graph, q)
        if elbo - before < LEAST_GAIN:
            return q, elbo, True
    return q, elbo, False


def _sweep(updates: Sequence[Update], graph: FactorGraph, q: np.ndarray, inverse_temperature: float) -> None:
    """Set each q_i in turn to its optimum for log potentials times `inverse_temperature`."""
    outside = np.arange(len(q))[:, None] >= graph.sizes
    for variables, parts in updates:
        logits = np.where(outside[:, variables], -np.inf, 0.0)
        for places, others, log_values in parts:
            # log q_i(x_i) = sum_c E_q[log phi_c | x_i] + constant
            expected = _averaged(log_values, others, q)
            np.add.at(logits[: len(expected)].T, places, expected.T)
        q[:, variables] = softmax(inverse_temperature * logits, 0)


def _elbo(graph: FactorGraph, q: np.ndarray) -> float:
    # sum_c E_q[log phi_c] - sum_i sum_x q_i(x) log q_i(x)
    return _expected(graph, q) - float(xlogy(q, q).sum())


def _expected(graph: FactorGraph, q: np.ndarray) -> float:
    """The sum of E_q[log phi] over all potentials."""
    sums = (_averaged(group.log_values, group.members, q).sum() for group in graph.groups)
    return graph.log_scale + float(sum(sums))


def _averaged(values: np.ndarray, variables: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The mean of arrays under q over their axes before the last, which belong to these variables.

    Args:
        values: (kept axes..., states of each variable..., potentials).
        variables: (variables, potentials).
    """
    for members in reversed(variables):
        values = (values * q[: values.shape[-2], members]).sum(-2)
    return values
