"""What `evaluate.py` offers. One line registers a figure or numbers of your own:

    EVALUATIONS["brightness"] = Choice("histogram of the pixels", always(brightness))

with `brightness` a function from an `EvaluationContext` to an `Evaluation`. It gets the flag `--brightness`, and its
figures and numbers are in the report. A number on the test images is registered by

    TEST_METRICS["contrast"] = contrast

with `contrast` a function from an `EvaluationContext` to a number.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from vae_keras.evaluation.context import Evaluation, EvaluationContext

Evaluate = Callable[[EvaluationContext], Evaluation]


class Choice(NamedTuple):
    """A flag of `evaluate.py`.

    Attributes:
        help: of the flag.
        plan: the evaluations that the flag asks for. It gets the flag's value, or None without one.
        metavar: name of the flag's value in the help; empty for a flag without a value.
        value_is_optional: whether the flag may be given without its value.
        quick: whether it is done where no flag is given, and for a report.
    """

    help: str
    plan: Callable[[EvaluationContext, str | None], Sequence[Evaluate]]
    metavar: str = ""
    value_is_optional: bool = False
    quick: bool = True


def always(*evaluations: Evaluate) -> Callable[[EvaluationContext, str | None], Sequence[Evaluate]]:
    """The plan that does these evaluations, whatever the model is."""
    return lambda context, value: evaluations


EVALUATIONS: dict[str, Choice] = {}
TEST_METRICS: dict[str, Callable[[EvaluationContext], float]] = {}
