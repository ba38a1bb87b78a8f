import numpy as np
import scipy.stats
import tensorflow as tf

from vae_keras.sampling import Sampling
from vae_keras.types import Posterior


def test_samples_have_the_mean_and_the_variance_they_are_given():
    posterior = Posterior(np.full((50_000, 1), 1.5, np.float32), np.full((50_000, 1), np.log(0.25), np.float32))
    z = np.asarray(Sampling(seed=3)(posterior))[:, 0]
    assert scipy.stats.kstest(z, scipy.stats.norm(1.5, 0.5).cdf).pvalue > 1e-3


def test_samples_are_differentiable_in_mean_and_log_variance(posterior):
    mean, log_variance = (tf.constant(part) for part in posterior)
    with tf.GradientTape() as tape:
        tape.watch([mean, log_variance])
        z = Sampling(seed=0)(Posterior(mean, log_variance))
    to_mean, to_log_variance = tape.gradient(z, [mean, log_variance])
    # z = mean + exp(log_variance / 2) noise, so dz/dmean = 1 and dz/dlog_variance = (z - mean) / 2.
    np.testing.assert_allclose(to_mean, np.ones_like(posterior.mean))
    np.testing.assert_allclose(to_log_variance, 0.5 * (z - mean), rtol=1e-4, atol=1e-6)


def test_the_seed_decides_the_noise_and_each_call_draws_anew(posterior):
    first, second, other = Sampling(seed=1), Sampling(seed=1), Sampling(seed=2)
    z = np.asarray(first(posterior))
    np.testing.assert_array_equal(z, second(posterior))
    assert not np.any(z == np.asarray(other(posterior)))
    assert not np.any(z == np.asarray(first(posterior)))
