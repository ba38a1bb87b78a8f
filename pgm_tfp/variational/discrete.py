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
from scipy.special import log_softmax

from pgm_tfp import elimination
from pgm_tfp.conditionals import Table
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.triangulation import Elimination
from pgm_tfp.variational.targets import Target, flat_index

tfd = tfp.distributions
MOST_SWEEPS, LITTLE = 100, 1e-3  # of coordinate ascent; the gain of a sweep, in nats, after which it ends


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
    return elimination.elimination_of([factor for factor in target.factors.values() if factor.variables])


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


def coordinate_ascent(
    target: Target, structure: Structure, logits: Sequence[np.ndarray]
) -> tuple[list[np.ndarray], list[float]]:
    """Tables set to their optimum one after the other, the others held fixed, until a sweep gains little.

    With q = q_i(x_i | pa_i) q_rest, the ELBO is highest in the table of x_i where

        log q_i(x_i | pa_i) = E_q_rest[log p(x, e) - log q_rest(x) | x_i, pa_i] + constant

    (for mean field Jordan et al. 1999; with parents Saul & Jordan 1996). The gradient in a logit vanishes where its
    probability is nearly zero; this step does not, and so it leaves bad starts behind.

    Returns:
        The tables of logits, and the ELBO before and after each sweep.
    """
    grid, log_weights = target.grid(), target.log_weights().numpy()
    tables = list(logits)
    cells = [
        flat_index([grid[name] for name in (*given, variable)], table.shape)
        for (variable, given), table in zip(structure.parents.items(), tables, strict=True)
    ]
    log_factors = [log_softmax(table, -1).ravel()[cell] for table, cell in zip(tables, cells, strict=True)]
    log_surrogate = np.sum(log_factors, 0)
    trace = [float(np.exp(log_surrogate) @ (log_weights - log_surrogate))]
    for _ in range(MOST_SWEEPS):
        for number, (table, cell) in enumerate(zip(tables, cells, strict=True)):
            log_rest = log_surrogate - log_factors[number]
            weights = np.exp(log_rest - log_rest.max())
            mass = np.bincount(cell, weights, table.size)
            expected = np.bincount(cell, weights * (log_weights - log_rest), table.size)
            # Under parents that have no mass, any table is as good.
            tables[number] = np.divide(expected, mass, out=table.ravel().copy(), where=mass > 0).reshape(table.shape)
            log_factors[number] = log_softmax(tables[number], -1).ravel()[cell]
            log_surrogate = log_rest + log_factors[number]
        trace.append(float(np.exp(log_surrogate) @ (log_weights - log_surrogate)))
        if trace[-1] - trace[-2] < LITTLE:
            break
    return tables, trace


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
