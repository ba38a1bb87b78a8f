"""Families over continuous variables whose draws are differentiable functions of fixed noise.

A family turns noise e of a known distribution into z = T(e; parameters), and has a density. With the noise held fixed,
the Monte Carlo estimate of the ELBO is an ordinary function of the parameters. L-BFGS maximises it without a step size
to choose (Giordano, Ingram & Broderick 2024, "Black box variational inference with a deterministic objective"). The
noise is a scrambled Sobol sequence, whose error falls nearly as 1/samples (Buchholz, Wenzel & Mandt 2018).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from scipy.stats import norm, qmc

from common.errors import UserError
from pgm_tfp.maximisation import compiled, maximise, packed, unpacked
from pgm_tfp.variational.family import Settings, best_start
from pgm_tfp.variational.fits import Fit
from pgm_tfp.variational.targets import Target

ALGORITHM = "reparameterised"
NOISE = 4_096  # draws while fitting
EVALUATION, REPETITIONS = 16_384, 8  # draws of one evaluation of the fitted surrogate, and the number of evaluations
TRIED = 30  # draws of the prior; each start is at the one with the highest density
CHECKED = 100  # draws of the fitted surrogate at which densities are checked for NaN

Parameters = Mapping[str, tf.Tensor]


class ReparameterisedFamily(ABC):
    """A family of distributions over R^d. A subclass names its parameters in `start`; the methods receive them by name.

    Attributes:
        name: the name by which `fit` finds the family.
    """

    name: str

    @abstractmethod
    def start(self, location: np.ndarray, scale: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
        """Parameters from which a fit begins: about those of independent variables.

        Args:
            location: (d,).
            scale: (d,), above zero.
            random: for parameters that must not start at zero.
        """

    @abstractmethod
    def distribution(self, parameters: Parameters) -> tfp.distributions.Distribution:
        """The member of the family with these parameters, a distribution of vectors (d,)."""

    @abstractmethod
    def draw(self, parameters: Parameters, noise: tf.Tensor) -> tf.Tensor:
        """Draws (samples, d) of that distribution, from noise (samples, noise dimensions)."""

    def noise_dimensions(self, dimensions: int) -> int:
        """How many numbers of noise a draw of d = `dimensions` numbers takes."""
        return dimensions

    def quantile(self, probabilities: np.ndarray) -> np.ndarray:
        """The quantile function of one number of noise; the standard normal's unless a subclass says otherwise."""
        return norm.ppf(probabilities)

    def noise(self, dimensions: int, samples: int, seed: int) -> np.ndarray:
        """Evenly spread noise, (samples, noise dimensions)."""
        points = qmc.Sobol(self.noise_dimensions(dimensions), scramble=True, rng=seed).random(samples)
        return self.quantile(np.clip(points, 1e-12, 1 - 1e-12))

    def refusal(self, target: Target) -> str | None:
        """The family needs a hidden continuous variable."""
        return None if target.continuous else "is for continuous variables, and none is hidden"

    def fit(self, target: Target, settings: Settings) -> Fit:
        """L-BFGS on the ELBO with fixed noise, from several starts; the ELBO is then estimated with fresh noise."""
        if settings.algorithm not in (None, ALGORITHM):
            raise UserError(f"algorithm {settings.algorithm} is for discrete surrogates; leave it out for {self.name}")
        starts = self._starts(target, settings)
        names, shapes = list(starts[0]), [array.shape for array in starts[0].values()]

        def elbo(arrays: list[tf.Tensor], noise: tf.Tensor) -> tf.Tensor:
            parameters = dict(zip(names, arrays, strict=True))
            draws = self.draw(parameters, noise)
            # E_q[log p(u, e) - log q(u)]
            return tf.reduce_mean(target.log_density(draws) - self.distribution(parameters).log_prob(draws))

        fixed = tf.constant(self.noise(target.dimensions, NOISE, settings.seed))
        objective = compiled(lambda arrays: elbo(arrays, fixed), shapes)
        maxima = [maximise(objective, packed(list(start.values()))) for start in starts]
        best, converged = best_start(maxima, self.name)
        arrays = unpacked(best.parameters, shapes)
        parameters = dict(zip(names, arrays, strict=True))
        target.check_numbers(self.draw(parameters, fixed).numpy()[:CHECKED])
        evaluations = [
            float(elbo(arrays, tf.constant(self.noise(target.dimensions, EVALUATION, settings.seed + number))))
            for number in range(1, REPETITIONS + 1)
        ]
        return Fit(
            family=self.name,
            target=target,
            surrogate=self.distribution(parameters),
            variables=target.continuous,
            elbo=float(np.mean(evaluations)),
            elbo_error=float(np.std(evaluations, ddof=1) / np.sqrt(REPETITIONS)),
            trace=best.trace,
            algorithm=ALGORITHM,
            starts=[maximum.value for maximum in maxima],
            converged=converged,
        )

    def _starts(self, target: Target, settings: Settings) -> list[dict[str, np.ndarray]]:
        """Each start is as wide as the prior, at the draw of the prior with the highest density among a few."""
        prior, random = target.prior_draws, np.random.default_rng(settings.seed)
        density = np.logaddexp.reduce(target.prior_draw_log_densities, 1)
        tried = [random.choice(len(prior), TRIED) for _ in range(settings.starts)]
        locations = [prior[some[np.argmax(density[some])]] for some in tried]
        return [self.start(location, target.prior_scale, random) for location in locations]
