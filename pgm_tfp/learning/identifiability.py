"""What no number of rows can decide about variables that are never seen.

Hidden variables without a seen descendant sum to one. Of the others, those belong together that share a factor
P(x | parents). Summed over them, the product of their factors is one factor of the distribution of what is seen,

    Q(x | u) = sum_h prod P(x or h | parents),    x their seen children, u the seen parents outside.

Rows decide Q and nothing else (Tian & Pearl 2002), so tables that give the same Q look alike. How many of the tables'
free numbers Q decides is the rank of its Jacobian, which is the same for almost all tables (Geiger, Heckerman & Meek
1996): that at random ones. It is at most the number of free numbers of Q.
"""

from collections.abc import Collection
from math import factorial, prod
from typing import NamedTuple

import networkx as nx
import numpy as np

from common.errors import UserError
from pgm_tfp.exact.evidence import check_variables
from pgm_tfp.learning.tables import random_tables, shapes
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.potentials import Potential, product, totalled

MOST_CELLS = 2**22  # of the Jacobian, and of all tables of a part multiplied together
ROUNDING = 1e-9  # a singular value that is a smaller share of the largest is zero but for rounding


class Part(NamedTuple):
    """Tables that hidden variables tie together.

    Attributes:
        hidden: these variables.
        owners: the variables whose tables these are: the hidden ones and their seen children.
        seen: the seen variables in these tables, x and u above.
    """

    hidden: list[str]
    owners: list[str]
    seen: list[str]


def unidentified(network: BayesianNetwork, never_seen: Collection[str]) -> dict[str, str]:
    """For each variable that is never seen, what rows without end leave open.

    Args:
        network: its graph and states; its probabilities are not used.
        never_seen: variables. All others are taken to be seen in every row.

    Returns:
        A sentence for each of them. It holds for almost all tables; a few, such as those of a variable that tells
        nothing about its neighbours, leave more open.

    Raises:
        UserError: a variable is unknown or has no table, or the tables that belong together are too large.
    """
    check_variables(network, never_seen)
    hidden = [variable for variable in network.conditionals if variable in set(never_seen)]
    explaining = {variable for variable in hidden if nx.descendants(network.graph, variable) - set(hidden)}
    sentences = {
        variable: f"No seen variable descends from {variable}: its table stays what the prior makes it."
        for variable in hidden
    }
    for part in _parts(network, explaining, set(hidden) - explaining):
        free, decided = _free_and_decided(network, part)
        tables = " ".join(_table_name(network, owner) for owner in part.owners)
        numbers = (
            f"all {free} free numbers in {tables}, but for a choice among finitely many answers"
            if decided == free
            else f"{decided} of the {free} free numbers in {tables}; the prior and the start decide the rest"
        )
        for variable in part.hidden:
            states = len(network.states[variable])
            naming = (
                f"The states of {variable} can be named in any of {factorial(states)} orders, and all that is seen "
                "stays as probable as it was"
                if states > 1
                else f"{variable} has one state"
            )
            sentences[variable] = f"{naming}; rows decide {numbers}."
    return sentences


def _parts(network: BayesianNetwork, explaining: set[str], dropped: set[str]) -> list[Part]:
    """The variables that share factors with hidden ones, and whose factors these are."""
    scopes = {
        variable: (*network.table(variable).parents, variable)
        for variable in network.conditionals
        if variable not in dropped
    }
    tied = nx.Graph()
    for variable, scope in scopes.items():
        # An owner stands beside the hidden variables of its factor; as a pair, for a hidden one is an owner too.
        tied.add_edges_from((hidden, (variable, "owner")) for hidden in scope if hidden in explaining)
    parts = []
    for together in nx.connected_components(tied):
        owners = [variable for variable in scopes if (variable, "owner") in together]
        members = dict.fromkeys(member for owner in owners for member in scopes[owner])
        parts.append(
            Part(
                hidden=[variable for variable in owners if variable in explaining],
                owners=owners,
                seen=[variable for variable in members if variable not in explaining],
            )
        )
    return parts


def _free_and_decided(network: BayesianNetwork, part: Part) -> tuple[int, int]:
    """How many free numbers the part's tables have, and how many of these Q decides."""
    sizes = {variable: len(network.states[variable]) for variable in (*part.hidden, *part.seen)}
    tables = {owner: shape for owner, shape in shapes(network).items() if owner in part.owners}
    cells = sum(prod(shape) for shape in tables.values())
    rows = prod(sizes[variable] for variable in part.seen)
    if max(rows * cells, prod(sizes.values())) > MOST_CELLS:
        raise UserError(
            f"the tables around {', '.join(part.hidden)} have {cells} entries and {rows} seen joint states, too many "
            "to say what rows decide; ask about fewer variables"
        )
    free = sum(prod(shape[:-1]) * (shape[-1] - 1) for shape in tables.values())
    values = np.linalg.svd(_jacobian(network, part), compute_uv=False)
    return free, int((values > ROUNDING * values[0]).sum())


def _jacobian(network: BayesianNetwork, part: Part) -> np.ndarray:
    """d log Q / d logits of the tables, at random ones: (seen joint states, entries of all tables)."""
    tables = random_tables(network, np.random.default_rng(0))
    scopes = {owner: (*network.table(owner).parents, owner) for owner in part.owners}
    everything = product([Potential(scope, tables[owner]) for owner, scope in scopes.items()])
    q = totalled(everything, part.hidden).over(part.seen).values
    columns = []
    for owner, scope in scopes.items():
        theta = tables[owner]
        # d Q / d log theta_k: of the sum over h, the terms in which the entry is used
        used = np.zeros((*theta.shape, *q.shape))
        for cell in np.ndindex(theta.shape):
            states = dict(zip(scope, cell, strict=True))
            terms = totalled(everything.reduced(states), part.hidden)
            at = tuple(states.get(variable, slice(None)) for variable in part.seen)
            used[(*cell, *at)] = terms.over([variable for variable in part.seen if variable not in states]).values
        used = used.reshape(-1, theta.shape[-1], q.size) / q.ravel()
        # d log theta_k / d logit_j = 1[j = k] - theta_j
        columns.append(used - theta.reshape(-1, theta.shape[-1], 1) * used.sum(1, keepdims=True))
    return np.concatenate([column.reshape(-1, q.size) for column in columns]).T


def _table_name(network: BayesianNetwork, variable: str) -> str:
    parents = network.table(variable).parents
    return f"P({variable} | {', '.join(parents)})" if parents else f"P({variable})"
