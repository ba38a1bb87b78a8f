"""A Bayesian network as a joint distribution of TensorFlow Probability."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from common.errors import UserError
from pgm_tfp.backend import tf, tfd
from pgm_tfp.conditionals import Conditional, Table

if TYPE_CHECKING:
    import tensorflow_probability as tfp


def joint_distribution(
    conditionals: Mapping[str, Table | Conditional],
) -> tfp.distributions.JointDistributionNamedAutoBatched:
    """The joint distribution of variables with these conditionals; see `BayesianNetwork.joint_distribution`.

    Raises:
        UserError: a variable's name is not a Python identifier; the distribution uses the names as arguments.
    """
    for variable in conditionals:
        if not variable.isidentifier() or keyword.iskeyword(variable):
            raise UserError(f"variable {variable!r} must be a Python identifier in a joint distribution; rename it")
    return tfd.JointDistributionNamedAutoBatched(
        {variable: _component(conditional) for variable, conditional in conditionals.items()}
    )


def _component(
    conditional: Table | Conditional,
) -> tfp.distributions.Distribution | Callable[..., tfp.distributions.Distribution]:
    """A conditional in the form that joint distributions take: a function whose arguments are named like the parents.

    A conditional without parents is a distribution, not a function.
    """

    def distribution(*parents: Any) -> tfp.distributions.Distribution:
        if isinstance(conditional, Conditional):
            return conditional(*parents)
        rows = tf.constant(conditional.probabilities)
        chosen = tf.gather_nd(rows, tf.stack(parents, -1)) if parents else rows
        return tfd.Categorical(probs=chosen, dtype=tf.int32)

    def by_name(**parents: Any) -> tfp.distributions.Distribution:
        return distribution(*(parents[name] for name in conditional.parents))

    arguments = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in conditional.parents]
    # The joint distribution reads the parents from the signature. Any function can have one, but its type hides this.
    by_name.__signature__ = inspect.Signature(arguments)  # type: ignore[attr-defined]
    return by_name if conditional.parents else distribution()
