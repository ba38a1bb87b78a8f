"""Surrogates of discrete posteriors: products of tables q(x_i | parents), mean field among them.

The surrogate is a Bayesian network over the hidden variables. Its tables are softmaxes of free logits. Where the joint
states are few enough to sum over, the ELBO is a sum and so is its gradient:

    ELBO = sum_x q(x) (log p(x, e) - log q(x)) = log p(e) - KL(q || p(. | e))

(Jordan et al. 1999; Saul & Jordan 1996 for surrogates with parents).
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from common.errors import UserError
from pgm_tfp import elimination
from pgm_tfp.conditionals import Table
from pgm_tfp.maximisation import Maximum, unpacked
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.triangulation import Elimination
from pgm_tfp.variational.factors import MOST_STATES
from pgm_tfp.variational.family import Settings, best_start
from pgm_tfp.variational.fits import Fit
from pgm_tfp.variational.given import flat_index
from pgm_tfp.variational.targets import Target

tfd = tfp.distributions

START_SPREAD = 2.0  # standard deviation of random logits, which then start near certainty of every kind


class Structure(NamedTuple):
    """The parents of each table of a surrogate.

    Attributes:
        parents: by variable, with parents before children; all empty for mean field.
        sizes: numbers of states, by variable.
    """

    parents: dict[str, tuple[str, ...]]
    sizes: dict[str, int]

    def random_logits(self, random: np.random.Generator) -> list[np.ndarray]:
        """Random logits of every table, from which an algorithm starts."""
        return [random.normal(scale=START_SPREAD, size=shape) for shape in self.shapes()]

    def shapes(self) -> list[tuple[int, ...]]:
        """The shape of each table of logits: (states of each parent..., states)."""
        return [(*(self.sizes[parent] for parent in given), self.sizes[name]) for name, given in self.parents.items()]


def mean_field(target: Target) -> Structure:
    """q(x) = prod_i q(x_i)."""
    return Structure(dict.fromkeys(target.discrete, ()), dict(zip(target.discrete, target.sizes, strict=True)))


def autoregressive(target: Target) -> Structure:
    """q(x) = prod_i q(x_i | clique of x_i), a family that contains the posterior.

    Eliminating x_i joins it with its neighbours in a clique. Given these neighbours, the posterior of x_i depends on no
    other variable eliminated later. So the neighbours are the parents of x_i, and the variables come in the reverse
    order of elimination.
    """
    eliminated = hidden_elimination(target)
    place = {variable: number for number, variable in enumerate(target.discrete)}
    parents = {
        variable: tuple(sorted(clique - {variable}, key=place.__getitem__))
        for variable, clique in reversed(list(zip(eliminated.order, eliminated.cliques, strict=True)))
    }
    return Structure(parents, dict(zip(target.discrete, target.sizes, strict=True)))


def hidden_elimination(target: Target) -> Elimination:
    """An elimination order for the hidden variables given the evidence, with the cost of exact inference."""
    return elimination.elimination_of([factor for factor in target.factors.values() if factor.variables])


def log_q(structure: Structure, logits: Sequence[tf.Tensor], values: dict[str, tf.Tensor]) -> tf.Tensor:
    """log q(values), values state indices of shapes that broadcast."""
    total = tf.zeros((), tf.float64)
    for (variable, given), table in zip(structure.parents.items(), logits, strict=True):
        logs = tf.reshape(tf.nn.log_softmax(table), [-1])
        total += tf.gather(logs, flat_index((*(values[name] for name in given), values[variable]), table.shape))
    return total


def draw(structure: Structure, logits: Sequence[tf.Tensor], shape: tuple[int, ...], seed: Any) -> dict[str, tf.Tensor]:
    """Draws of the surrogate by variable, state indices of this shape; `seed` is two integers."""
    values: dict[str, tf.Tensor] = {}
    for number, ((variable, given), table) in enumerate(zip(structure.parents.items(), logits, strict=True)):
        parents = tf.stack([values[name] for name in given], -1) if given else tf.zeros((*shape, 0), tf.int32)
        rows = tf.gather_nd(table, parents)
        uniform = tf.random.stateless_uniform(
            tf.shape(rows), tf.random.experimental.stateless_fold_in(seed, number), dtype=tf.float64, minval=1e-300
        )
        # The index of the largest logit plus Gumbel noise is a draw from the softmax.
        values[variable] = tf.argmax(rows - tf.math.log(-tf.math.log(uniform)), -1, tf.int32)
    return values


def enumerated_elbo(target: Target, structure: Structure, logits: Sequence[tf.Tensor]) -> tf.Tensor:
    """The ELBO as the sum over all joint states, in nats."""
    log_surrogate = log_q(structure, logits, target.grid())
    # sum_x q(x) (log p(x, e) - log q(x))
    return tf.reduce_sum(tf.exp(log_surrogate) * (target.log_weights - log_surrogate))


# Maximises the ELBO over the tables of a structure; the last argument is the family's name.
TableAlgorithm = Callable[[Target, Structure, Settings, str], Fit]


def check_enumerable(target: Target) -> None:
    """Raise UserError where the joint states are too many to sum over."""
    if target.states > MOST_STATES:
        raise UserError(
            f"the {len(target.discrete)} hidden variables have {target.states:.3g} joint states, too many to sum over; "
            "choose the algorithm score_function or vimco"
        )


def best_of_starts(
    target: Target,
    structure: Structure,
    settings: Settings,
    family: str,
    algorithm: str,
    ascend: Callable[[list[np.ndarray]], Maximum],
) -> Fit:
    """The highest of the maxima that an algorithm reaches from random starts, where the ELBO is an exact sum.

    Args:
        family: its name.
        algorithm: its name.
        ascend: from logits of every table to the maximum, whose parameters are packed logits.
    """
    random = np.random.default_rng(settings.seed)
    maxima = [ascend(structure.random_logits(random)) for _ in range(settings.starts)]
    best, converged = best_start(maxima, family)
    logits = unpacked(tf.constant(best.parameters), structure.shapes())
    return Fit(
        family=family,
        target=target,
        surrogate=distribution(structure, logits),
        variables=target.discrete,
        elbo=best.value,
        elbo_error=0.0,
        trace=best.trace,
        algorithm=algorithm,
        starts=[maximum.value for maximum in maxima],
        converged=converged,
        network=as_network(target, structure, [table.numpy() for table in logits]),
    )


def distribution(structure: Structure, logits: Sequence[tf.Tensor]) -> tfp.distributions.JointDistribution:
    """The surrogate as a distribution whose samples are state indices by name."""

    def coroutine() -> Generator[Any, Any, None]:
        values: dict[str, tf.Tensor] = {}
        for (variable, given), table in zip(structure.parents.items(), logits, strict=True):
            row = tf.gather_nd(table, tf.stack([values[name] for name in given], -1)) if given else table
            values[variable] = yield tfd.Categorical(logits=row, dtype=tf.int32, name=variable)

    return tfd.JointDistributionCoroutineAutoBatched(coroutine)


def as_network(target: Target, structure: Structure, logits: Sequence[np.ndarray]) -> BayesianNetwork:
    """The surrogate as a network, for exact marginals."""
    return BayesianNetwork(
        {
            variable: Table(tf.nn.softmax(table).numpy(), given, target.network.states[variable])
            for (variable, given), table in zip(structure.parents.items(), logits, strict=True)
        }
    )
