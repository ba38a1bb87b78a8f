"""The evaluations that `evaluate.py` offers. A figure or a number of your own needs one function and one line.

A function from an `EvaluationContext` to an `Evaluation` is registered by

    EVALUATIONS["brightness"] = Choice("histogram of the pixels", always(brightness))

`evaluate.py` then has the flag `--brightness`. The report shows the figures, and the numbers under "additional".

A number on the test images is registered by

    TEST_METRICS["contrast"] = contrast

with `contrast` a function from an `EvaluationContext` to a number. `evaluate.py --metrics` computes the number.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from vae_keras.evaluation.context import Evaluation, EvaluationContext

Evaluate = Callable[[EvaluationContext], Evaluation]


def allow_any_value(value: str) -> None:
    """Refuse no value: the check of a flag whose values depend on the data, or of a flag without a value."""


class Choice(NamedTuple):
    """A flag of `evaluate.py`.

    Attributes:
        help: the help text of the flag.
        plan: a function from the context and the flag's value to the evaluations to run. The value is None if the
            user did not type the flag.
        metavar: the name of the flag's value in the help; empty for a flag without a value.
        value_is_optional: whether the user may type the flag without a value.
        quick: whether the evaluations also run for a report, and if the user types no flag.
        check: raises a UserError for a wrong value. The script calls it before it loads TensorFlow.
    """

    help: str
    plan: Callable[[EvaluationContext, str | None], Sequence[Evaluate]]
    metavar: str = ""
    value_is_optional: bool = False
    quick: bool = True
    check: Callable[[str], object] = allow_any_value


def always(*evaluations: Evaluate) -> Callable[[EvaluationContext, str | None], Sequence[Evaluate]]:
    """A plan that runs these evaluations for every model."""
    return lambda context, value: evaluations


EVALUATIONS: dict[str, Choice] = {}
TEST_METRICS: dict[str, Callable[[EvaluationContext], float]] = {}
