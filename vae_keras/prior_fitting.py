"""A prior that is fitted after training: a Gaussian mixture on the latents of the training images.

Training pulls q(z | x) towards N(0, I), but the average of q(z | x) over images, the aggregate posterior, does not
become N(0, I). Latents drawn from N(0, I) can therefore lie where no image was encoded, and the decoder has not learnt
to draw them. A density of the aggregate posterior has no such holes (ex-post density estimation: Ghosh et al. 2020,
arXiv 1903.12436, section 4; Dai & Wipf 2019, arXiv 1903.05789). The decoder stays as it is.

A run keeps its fitted prior in `prior.npz`.
"""

import logging
import math
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from common.errors import UserError
from common.files import atomic_write
from vae_keras.gaussians import Posterior
from vae_keras.priors.mixture import Mixture
from vae_keras.run_folder import Run, open_run, saved_arrays

SIZES = (1, 2, 5, 10, 20, 30, 50, 80, 120)  # numbers of components to try
MOST_SAMPLES = 10_000  # of the posteriors; the time grows with their number
MOST_DRAWS = 10  # of one posterior
LEAST_VARIANCE = 1e-6  # that is added to each variance
ARRAYS = ("weights", "means", "covariances")

log = logging.getLogger(__name__)


# The matrices are small, so a second thread only makes the first one wait.
@threadpool_limits.wrap(limits=1, user_api="blas")
def fit_prior(train: Posterior, validation: Posterior | None = None, seed: int = 0) -> Mixture:
    """The mixture whose density is largest on samples of the validation images' posteriors.

    The mixtures of each size in `SIZES` are fitted to samples of the train images' posteriors. Sizes are tried in
    increasing order, until one is worse than the best one.

    Args:
        train, validation: q(z | x) of images, mean and log-variance (n, latents) each. Without validation images, a
            fifth of the train images choose.
    """
    random = np.random.default_rng(seed)
    if validation is None:
        order = random.permutation(len(train.mean))
        parts = np.split(order, [max(1, len(order) // 5)])
        validation, train = (Posterior(*(part[at] for part in train)) for at in parts)
    samples, held_out = _samples(train, random), _samples(validation, random)
    best = _fitted(samples, SIZES[0], seed)
    for size in SIZES[1:]:
        if size > len(train.mean) // 2:
            break
        larger = _fitted(samples, size, seed)
        if larger.score(held_out) <= best.score(held_out):
            break
        best = larger
    return Mixture(best.weights_, best.means_, best.covariances_)


def _samples(posterior: Posterior, random: np.random.Generator) -> np.ndarray:
    """Samples from the posteriors, as many from each, (at most MOST_SAMPLES, latents)."""
    mean, log_variance = (np.asarray(part, float) for part in posterior)
    if len(mean) > MOST_SAMPLES:
        chosen = random.permutation(len(mean))[:MOST_SAMPLES]
        mean, log_variance = mean[chosen], log_variance[chosen]
    draws = min(MOST_DRAWS, max(1, MOST_SAMPLES // len(mean)))
    noise = random.standard_normal((draws, *mean.shape))
    return np.asarray(Posterior(mean, log_variance).reparameterised(noise)).reshape(-1, mean.shape[1])


def _fitted(samples: np.ndarray, size: int, seed: int) -> GaussianMixture:
    with warnings.catch_warnings():  # a mixture that could still grow better is a density all the same
        warnings.simplefilter("ignore", ConvergenceWarning)
        return GaussianMixture(size, reg_covar=LEAST_VARIANCE, max_iter=60, tol=1e-3, random_state=seed).fit(samples)


def write_prior(run: Run, prior: Mixture) -> None:
    """Write prior.npz. It names the model for which the prior was fitted."""
    with atomic_write(run.prior) as temporary:
        arrays = {name: getattr(prior, name) for name in ARRAYS}
        np.savez(temporary, model=np.array(run.model_digest()), **arrays, allow_pickle=False)


def read_prior(run: Run) -> Mixture | None:
    """The fitted prior of the run; None if there is none, or if it was fitted for an earlier model.

    Raises:
        UserError: prior.npz is damaged.
    """
    if not run.prior.exists():
        return None
    with saved_arrays(run.prior) as saved:
        if str(saved["model"]) != run.model_digest():
            return None
        weights, means, covariances = (np.asarray(saved[name], float) for name in ARRAYS)
        latents = means.shape[1]
        right = means.shape == (len(weights), latents) and covariances.shape == (len(weights), latents, latents)
        if not right or not math.isclose(weights.sum(), 1) or not np.isfinite(means).all():
            raise ValueError("it holds no Gaussian mixture")
        return Mixture(weights, means, covariances)


def fitted_prior(run_dir: str | Path) -> Mixture:
    """The prior that was fitted to the latents of a run after its training.

    Raises:
        UserError: there is no such run, or `evaluate.py` has fitted no prior for its model.
    """
    run = open_run(Path(run_dir))
    prior = read_prior(run)
    if prior is None:
        raise UserError(f"no prior is fitted for the model of {run.folder}; run python evaluate.py --run {run.folder}")
    return prior
