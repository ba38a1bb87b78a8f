"""What observations leave undecided about variables that are never seen, however many rows there are.

Hidden variables without a seen descendant sum to one. The other hidden variables fall into components: two of them
belong together if they share a factor P(x | parents). Summed over a component's hidden variables, the product of its
factors is one factor of the distribution of the seen variables (its c-factor, Tian & Pearl 2002),

    Q(x | u) = sum_h prod P(x or h | parents),    x their seen children, u the other seen parents.

Rows determine Q and nothing else, so data cannot distinguish tables with the same Q. The number of the tables' free
parameters that Q determines is the rank of the Jacobian of Q. This rank is the same for almost all tables (Geiger,
Heckerman & Meek 1996), so it is computed at random tables. It is at most the number of free parameters of Q.
"""

from collections.abc import Collection
from math import factorial, prod
from typing import NamedTuple

import networkx as nx
import numpy as np

from common.errors import UserError
from pgm_tfp.exact.evidence import check_variables
from pgm_tfp.learning.family_arrays import family_shapes, random_probabilities
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.potentials import Potential, product, totalled

MOST_CELLS = 2**22  # of the Jacobian, and of the product of a component's tables
ROUNDING = 1e-9  # singular values below this share of the largest one are rounding errors of zero


class Component(NamedTuple):
    """Hidden variables that belong together, and the tables that they occur in.

    Attributes:
        hidden: the hidden variables, h above.
        owners: the variables whose tables these are: the hidden variables and their seen children.
        seen: the seen variables in these tables, x and u above.
    """

    hidden: list[str]
    owners: list[str]
    seen: list[str]


def unidentified(network: BayesianNetwork, never_seen: Collection[str]) -> dict[str, str]:
    """For each variable that is never seen, a sentence about what rows cannot decide, however many there are.

    Args:
        network: its graph and states; its probabilities are not used.
        never_seen: variables; all other variables are taken to be seen in every row.

    Returns:
        By variable its sentence. The sentences hold for almost all tables. A few tables, such as those of a variable
        that is independent of its neighbours, leave more undecided.

    Raises:
        UserError: a variable is unknown or has no table, or the tables of a component are too large.
    """
    check_variables(network, never_seen)
    hidden = [variable for variable in network.conditionals if variable in set(never_seen)]
    informed = {variable for variable in hidden if nx.descendants(network.graph, variable) - set(hidden)}
    sentences = {
        variable: f"No seen variable descends from {variable}: the prior alone determines its table."
        for variable in hidden
    }
    for component in _components(network, informed, set(hidden) - informed):
        free, determined = _free_and_determined(network, component)
        tables = " ".join(_table_name(network, owner) for owner in component.owners)
        numbers = (
            f"all {free} free parameters in {tables}, up to a choice among finitely many solutions"
            if determined == free
            else f"{determined} of the {free} free parameters in {tables}; the prior and the start determine the rest"
        )
        for variable in component.hidden:
            states = len(network.states[variable])
            naming = (
                f"The states of {variable} can be named in any of {factorial(states)} orders without any change in the "
                "probability of what is seen"
                if states > 1
                else f"{variable} has one state"
            )
            sentences[variable] = f"{naming}; rows determine {numbers}."
    return sentences


def _components(network: BayesianNetwork, informed: set[str], dropped: set[str]) -> list[Component]:
    """The components of the hidden variables with a seen descendant; `dropped` are the other hidden variables."""
    scopes = {
        variable: (*network.table(variable).parents, variable)
        for variable in network.conditionals
        if variable not in dropped
    }
    tied = nx.Graph()
    for variable, scope in scopes.items():
        # Each owner is joined to the hidden variables in its factor. A hidden variable can be an owner, too, so owners
        # are pairs.
        tied.add_edges_from((hidden, (variable, "owner")) for hidden in scope if hidden in informed)
    components = []
    for together in nx.connected_components(tied):
        owners = [variable for variable in scopes if (variable, "owner") in together]
        members = dict.fromkeys(member for owner in owners for member in scopes[owner])
        components.append(
            Component(
                hidden=[variable for variable in owners if variable in informed],
                owners=owners,
                seen=[variable for variable in members if variable not in informed],
            )
        )
    return components


def _free_and_determined(network: BayesianNetwork, component: Component) -> tuple[int, int]:
    """The number of free parameters of the component's tables, and how many of them Q determines."""
    sizes = {variable: len(network.states[variable]) for variable in (*component.hidden, *component.seen)}
    tables = {owner: shape for owner, shape in family_shapes(network).items() if owner in component.owners}
    cells = sum(prod(shape) for shape in tables.values())
    rows = prod(sizes[variable] for variable in component.seen)
    if max(rows * cells, prod(sizes.values())) > MOST_CELLS:
        raise UserError(
            f"the tables around {', '.join(component.hidden)} have {cells} entries and {rows} seen joint states, too "
            "many to say what rows determine; ask about fewer variables"
        )
    free = sum(prod(shape[:-1]) * (shape[-1] - 1) for shape in tables.values())
    values = np.linalg.svd(_jacobian(network, component), compute_uv=False)
    return free, int((values > ROUNDING * values[0]).sum())


def _jacobian(network: BayesianNetwork, component: Component) -> np.ndarray:
    """d log Q / d logits of the tables, at random tables: (seen joint states, entries of all tables)."""
    tables = random_probabilities(network, np.random.default_rng(0))
    scopes = {owner: (*network.table(owner).parents, owner) for owner in component.owners}
    everything = product([Potential(scope, tables[owner]) for owner, scope in scopes.items()])
    q = totalled(everything, component.hidden).over(component.seen).values
    columns = []
    for owner, scope in scopes.items():
        theta = tables[owner]
        # d Q / d log theta_k: the terms of the sum over h that contain the entry theta_k
        used = np.zeros((*theta.shape, *q.shape))
        for cell in np.ndindex(theta.shape):
            states = dict(zip(scope, cell, strict=True))
            terms = totalled(everything.reduced(states), component.hidden)
            at = tuple(states.get(variable, slice(None)) for variable in component.seen)
            used[(*cell, *at)] = terms.over([variable for variable in component.seen if variable not in states]).values
        used = used.reshape(-1, theta.shape[-1], q.size) / q.ravel()
        # d log theta_k / d logit_j = 1[j = k] - theta_j
        columns.append(used - theta.reshape(-1, theta.shape[-1], 1) * used.sum(1, keepdims=True))
    return np.concatenate([column.reshape(-1, q.size) for column in columns]).T


def _table_name(network: BayesianNetwork, variable: str) -> str:
    parents = network.table(variable).parents
    return f"P({variable} | {', '.join(parents)})" if parents else f"P({variable})"
