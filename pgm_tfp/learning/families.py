"""What rows with gaps say of every family, a variable and its parents jointly: the expected counts of EM.

A family lies in one clique of the junction tree. Each clique sends its neighbour the product of its own tables and of
what its other neighbours have sent, summed over what the neighbour does not have; when every edge has been passed both
ways, a clique's product is the posterior of its variables, up to the probability of the row (Shafer & Shenoy 1990).
`exact.posteriors` compiles one network's numbers into its tree; here the numbers change at every step and the graph
does not, so only the graph is compiled. All rows go through together: a finding is a potential over the variable and
the number of the row. Variables that are never seen, nor any descendant of theirs, sum to one whatever their tables
(Shachter 1986): they are left out, and nothing is counted for them.
"""

from collections.abc import Mapping
from typing import NamedTuple

import networkx as nx
import numpy as np

from pgm_tfp.elimination import check_cost, elimination_of, logarithm, sizes_of, tree_cost
from pgm_tfp.exact.batched import CELLS_AT_ONCE, MISSING
from pgm_tfp.graphs import junction_tree
from pgm_tfp.learning.observations import DistinctRows, Observations, distinct_rows
from pgm_tfp.learning.tables import Tables
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.potentials import LOG_SUM_PRODUCT, SUM_PRODUCT, Potential, Semiring, product, totalled

ROW = "\0row"  # an axis beside the variables'; no variable is called so


class Part(NamedTuple):
    """Some of the distinct rows.

    Attributes:
        findings: by variable a potential over (variable, ROW): one for the state seen, for all states where none was.
        times: how often each row stands among the observations, (rows,).
    """

    findings: dict[str, Potential]
    times: np.ndarray


class Families(NamedTuple):
    """A graph, compiled, and the rows that are to be explained.

    Attributes:
        scopes: by variable its parents and itself; of those variables that rows bear on.
        homes: by variable the clique that its family lies in.
        cliques: of the junction tree.
        roots: one clique in each component.
        edges: (sender, receiver) of all messages; each comes after those that it is made of.
        parts: the rows.
    """

    scopes: dict[str, tuple[str, ...]]
    homes: dict[str, int]
    cliques: list[frozenset[str]]
    roots: list[int]
    edges: list[tuple[int, int]]
    parts: list[Part]


class Expected(NamedTuple):
    """What an E step finds.

    Attributes:
        counts: by variable the expected number of times that each cell of its table was used, of the table's shape;
            zero where rows do not bear on it.
        log_weight: log of the product's sum given each row, summed over rows; with a network's tables the log
            likelihood of all that was seen, in nats.
    """

    counts: Tables
    log_weight: float


def compiled_families(network: BayesianNetwork, observations: Observations) -> Families:
    """Make ready for E steps on these observations.

    Raises:
        UserError: a variable has no table, a name or a state is unknown, or columns differ in length or have no rows.
        TooLargeError: the tables would take more memory than there is.
    """
    rows = distinct_rows(network, observations)
    seen = {variable for variable, codes in rows.codes.items() if (codes != MISSING).any()}
    bearing = seen.union(*(nx.ancestors(network.graph, variable) for variable in seen))
    potentials = network.potentials(variable for variable in network.conditionals if variable in bearing)
    eliminated = elimination_of(potentials)
    cliques, parents, _ = junction_tree(eliminated)
    cost = tree_cost(cliques, sizes_of(potentials))
    check_cost("an E step on a junction tree", cost, "learn a network of fewer variables or edges")
    scopes = {potential.variables[-1]: potential.variables for potential in potentials}
    upwards = [(clique, parent) for clique, parent in enumerate(parents) if parent is not None]
    at_once = max(1, CELLS_AT_ONCE // max(1, cost.cells))
    return Families(
        scopes=scopes,
        homes={
            variable: next(at for at, clique in enumerate(cliques) if clique.issuperset(scope))
            for variable, scope in scopes.items()
        },
        cliques=cliques,
        roots=[clique for clique, parent in enumerate(parents) if parent is None],
        edges=[*upwards, *((parent, clique) for clique, parent in reversed(upwards))],
        parts=[_part(network, rows, start, start + at_once) for start in range(0, len(rows.times), at_once)],
    )


def expected_counts(families: Families, tables: Tables) -> Expected:
    """One E step.

    Args:
        tables: by variable the weights phi(parents, variable), not negative: probabilities, or what stands for them.
    """
    weights = {variable: Potential(scope, tables[variable]) for variable, scope in families.scopes.items()}
    counts, log_weight = {variable: np.zeros_like(table) for variable, table in tables.items()}, 0.0
    for part in families.parts:
        try:
            with np.errstate(under="raise"):
                expected = _expected(families, weights, part, SUM_PRODUCT)
        except FloatingPointError:
            logs = {variable: logarithm(potential) for variable, potential in weights.items()}
            findings = {variable: logarithm(finding) for variable, finding in part.findings.items()}
            expected = _expected(families, logs, Part(findings, part.times), LOG_SUM_PRODUCT)
        log_weight += expected.log_weight
        for variable, n in expected.counts.items():
            counts[variable] += n
    return Expected(counts, log_weight)


def _part(network: BayesianNetwork, rows: DistinctRows, start: int, stop: int) -> Part:
    findings = {}
    for variable, codes in rows.codes.items():
        states = len(network.states[variable])
        # Index -1 (missing) selects the added last row, which is all ones.
        seen = np.concatenate([np.eye(states), np.ones((1, states))])[codes[start:stop]]
        findings[variable] = Potential((variable, ROW), seen.T)
    return Part(findings, rows.times[start:stop])


def _expected(families: Families, weights: Mapping[str, Potential], part: Part, semiring: Semiring) -> Expected:
    beliefs = _beliefs(families, weights, part.findings, semiring)
    counts = {}
    for variable, scope in families.scopes.items():
        belief = beliefs[families.homes[variable]]
        outside = set(belief.variables) - {*scope, ROW}
        family = totalled(belief, outside, semiring).over((*scope, ROW)).values
        axes = tuple(range(len(scope)))
        if semiring.logarithms:
            family = np.exp(family - family.max(axes))
        # Where nothing that was seen bears on a family, all rows share one posterior.
        counts[variable] = (family / family.sum(axes) * part.times).sum(-1)
    log_weight = 0.0
    for root in families.roots:
        total = totalled(beliefs[root], families.cliques[root], semiring).values
        log_weight += float(((total if semiring.logarithms else np.log(total)) * part.times).sum())
    return Expected(counts, log_weight)


def _beliefs(
    families: Families, weights: Mapping[str, Potential], findings: Mapping[str, Potential], semiring: Semiring
) -> list[Potential]:
    """Each clique's product, its own variables and perhaps ROW its axes."""
    received: list[dict[int, Potential]] = [{} for _ in families.cliques]
    own: list[list[Potential]] = [[] for _ in families.cliques]
    for variable, home in families.homes.items():
        own[home] += [weights[variable], *([findings[variable]] if variable in findings else [])]

    def collected(clique: int, receiver: int | None = None) -> Potential:
        messages = (message for sender, message in received[clique].items() if sender != receiver)
        return product([*own[clique], *messages], semiring)

    for sender, receiver in families.edges:
        gone = families.cliques[sender] - families.cliques[receiver]
        received[receiver][sender] = totalled(collected(sender, receiver), gone, semiring)
    return [collected(clique) for clique in range(len(families.cliques))]
