"""Surrogates of discrete posteriors: products of tables q(x_i | some of the others), mean field among them.

The surrogate is a Bayesian network over the hidden variables, its tables softmaxes of free logits. While their joint
states can be counted, the ELBO is a sum and so is its gradient:

    ELBO = sum_x q(x) (log p(x, e) - log q(x)) = log p(e) - KL(q || p(. | e))

(Jordan et al. 1999; Saul & Jordan 1996 for structured surrogates).
"""

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from pgm_tfp import elimination
from pgm_tfp.conditionals import Table
from pgm_tfp.graphs import Elimination
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.variational.targets import Target, flat_index

tfd = tfp.distributions


class Structure(NamedTuple):
    """Which hidden variables each table of a surrogate is given.

    Attributes:
        parents: by variable, parents before children; empty for mean field.
        sizes: numbers of states.
    """

    parents: dict[str, tuple[str, ...]]
    sizes: dict[str, int]

    def shapes(self) -> list[tuple[int, ...]]:
        """The shape of each table of logits: (states of each parent..., states)."""
        return [(*(self.sizes[parent] for parent in given), self.sizes[name]) for name, given in self.parents.items()]


def mean_field(target: Target) -> Structure:
    """q(x) = prod_i q(x_i)."""
    return Structure(dict.fromkeys(target.discrete, ()), dict(zip(target.discrete, target.sizes, strict=True)))


def autoregressive(target: Target) -> Structure:
    """q(x) = prod_i q(x_i | those that it is entangled with), wide enough to be the posterior itself.

    Eliminating x_i joins it with its neighbours in a clique; given these, the posterior of x_i needs no others. So the
    parents of x_i are its clique, and variables come in the reverse order of elimination.
    """
    eliminated = hidden_elimination(target)
    place = {variable: number for number, variable in enumerate(target.discrete)}
    parents = {
        variable: tuple(sorted(clique - {variable}, key=place.__getitem__))
        for variable, clique in reversed(list(zip(eliminated.order, eliminated.cliques, strict=True)))
    }
    return Structure(parents, dict(zip(target.discrete, target.sizes, strict=True)))


def hidden_elimination(target: Target) -> Elimination:
    """A good order for the hidden variables, and what exact inference would cost: the evidence is sliced out."""
    potentials = [potential.reduced(target.observed) for potential in target.network.potentials()]
    return elimination.elimination_of([potential for potential in potentials if potential.variables])


def log_q(structure: Structure, logits: Sequence[tf.Tensor], values: dict[str, tf.Tensor]) -> tf.Tensor:
    """log q(values), values state indices of shapes that broadcast."""
    total = tf.zeros((), tf.float64)
    for (variable, given), table in zip(structure.parents.items(), logits, strict=True):
        logs = tf.reshape(tf.nn.log_softmax(table), [-1])
        total += tf.gather(logs, flat_index((*(values[name] for name in given), values[variable]), table.shape))
    return total


def draw(structure: Structure, logits: Sequence[tf.Tensor], shape: tuple[int, ...], seed: Any) -> dict[str, tf.Tensor]:
    """Draws of the surrogate by variable, state indices of this shape; `seed` two integers."""
    values: dict[str, tf.Tensor] = {}
    for number, ((variable, given), table) in enumerate(zip(structure.parents.items(), logits, strict=True)):
        parents = tf.stack([values[name] for name in given], -1) if given else tf.zeros((*shape, 0), tf.int32)
        rows = tf.gather_nd(table, parents)
        uniform = tf.random.stateless_uniform(
            tf.shape(rows), tf.random.experimental.stateless_fold_in(seed, number), dtype=tf.float64, minval=1e-300
        )
        # The largest of logits plus Gumbel noise is a draw of their softmax.
        values[variable] = tf.argmax(rows - tf.math.log(-tf.math.log(uniform)), -1, tf.int32)
    return values


def enumerated_elbo(target: Target, structure: Structure, logits: Sequence[tf.Tensor]) -> tf.Tensor:
    """The ELBO as the sum over all joint states, in nats."""
    log_surrogate = log_q(structure, logits, target.grid())
    # sum_x q(x) (log p(x, e) - log q(x))
    return tf.reduce_sum(tf.exp(log_surrogate) * (target.log_weights() - log_surrogate))


def distribution(structure: Structure, logits: Sequence[tf.Tensor]) -> tfp.distributions.JointDistribution:
    """The surrogate as a distribution that keeps the logits, so that gradients find them; samples by name."""

    def coroutine() -> Generator[Any, Any, None]:
        values: dict[str, tf.Tensor] = {}
        for (variable, given), table in zip(structure.parents.items(), logits, strict=True):
            row = tf.gather_nd(table, tf.stack([values[name] for name in given], -1)) if given else table
            values[variable] = yield tfd.Categorical(logits=row, dtype=tf.int32, name=variable)

    return tfd.JointDistributionCoroutineAutoBatched(coroutine)


def as_network(target: Target, structure: Structure, logits: Sequence[np.ndarray]) -> BayesianNetwork:
    """The surrogate as a network, to be asked for exact marginals."""
    return BayesianNetwork(
        {
            variable: Table(tf.nn.softmax(table).numpy(), given, target.network.states[variable])
            for (variable, given), table in zip(structure.parents.items(), logits, strict=True)
        }
    )
