"""What tests of learning share."""

import numpy as np
from hypothesis import settings

from pgm_tfp import BayesianNetwork, Table

few = settings(max_examples=25, deadline=None)


def x_and_y() -> BayesianNetwork:
    """X -> Y, X of two states, Y of three."""
    rows = [[0.2, 0.5, 0.3], [0.7, 0.1, 0.2]]
    return BayesianNetwork({"X": Table.of_true(0.4), "Y": Table(rows, ("X",), ("low", "middle", "high"))})


def arrays(network: BayesianNetwork) -> dict[str, np.ndarray]:
    return {variable: network.table(variable).probabilities for variable in network.conditionals}


def furthest(a: BayesianNetwork, b: BayesianNetwork) -> float:
    """The largest difference between the tables of two networks that may name parents in another order."""
    theirs = {potential.variables[-1]: potential for potential in b.potentials()}
    return max(
        float(np.abs(potential.values - theirs[potential.variables[-1]].over(potential.variables).values).max())
        for potential in a.potentials()
    )


def rows_of(observations) -> list[dict]:
    """The rows of a table, each with what was seen in it."""
    columns = {name: list(column) for name, column in observations.items()}
    count = len(next(iter(columns.values())))
    return [{name: column[at] for name, column in columns.items() if column[at] is not None} for at in range(count)]
