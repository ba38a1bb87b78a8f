"""Answers of exact inference: dictionaries that a notebook shows as tables."""

from collections.abc import Mapping
from typing import Any

from pgm_tfp.html_tables import probability_table
from pgm_tfp.states import State


class Probabilities(dict[Any, float]):
    """The probability of each state, or of each combination of states.

    Attributes:
        variables: the variable, or the variables whose states the keys combine.
    """

    def __init__(self, variables: tuple[str, ...], probabilities: Mapping[Any, float]):
        super().__init__(probabilities)
        self.variables = variables

    def _repr_html_(self) -> str:
        rows = (
            ([*map(str, key if isinstance(key, tuple) else (key,))], probability) for key, probability in self.items()
        )
        return probability_table(self.variables, rows, len(self))


class Marginals(dict[str, dict[State, float]]):
    """By variable the probability of each of its states."""

    def _repr_html_(self) -> str:
        rows = (
            ((variable, str(state)), probability)
            for variable, probabilities in self.items()
            for state, probability in probabilities.items()
        )
        return probability_table(("variable", "state"), rows, sum(map(len, self.values())))
