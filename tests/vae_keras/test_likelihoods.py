from decimal import Decimal, localcontext
from itertools import product

import keras
import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_keras.likelihoods import LIKELIHOODS, Bernoulli, ContinuousBernoulli, Gaussian, LearnedGaussian


@pytest.fixture
def images():
    return np.random.default_rng(0).random((3, 4, 5, 2)).astype(np.float32)


@pytest.fixture
def logits():
    return np.random.default_rng(1).normal(scale=3, size=(3, 4, 5, 2)).astype(np.float32)


def test_bernoulli_agrees_with_an_independent_implementation(images, logits):
    binary = np.rint(images)
    expected = -np.sum(tfd.Bernoulli(logits=logits).log_prob(binary), axis=(1, 2, 3))
    np.testing.assert_allclose(Bernoulli().build().nll(binary, logits), expected, rtol=1e-5)


def test_bernoulli_is_a_distribution_over_binary_pictures():
    logits = np.float32([[[0.3], [-2.0]], [[4.0], [0.0]]])[None]
    pictures = np.float32(list(product([0, 1], repeat=4))).reshape(16, 2, 2, 1)
    nll = Bernoulli().build().nll(pictures, np.repeat(logits, 16, axis=0))
    assert np.exp(-np.asarray(nll, float)).sum() == pytest.approx(1, rel=1e-5)


def test_bernoulli_of_a_grey_picture_is_no_density_but_has_its_entropy_as_floor(images):
    assert not Bernoulli().build().is_density
    perfect = np.log(images / (1 - images))
    entropy = -np.sum(images * np.log(images) + (1 - images) * np.log(1 - images), axis=(1, 2, 3))
    np.testing.assert_allclose(Bernoulli().build().nll(images, perfect), entropy, rtol=1e-4)
    assert (np.asarray(Bernoulli().build().nll(images, perfect + 0.3)) > entropy).all()


def test_bernoulli_stays_finite_at_extreme_logits():
    images = np.float32([0, 1, 0, 1]).reshape(1, 2, 2, 1)
    logits = np.float32([1e4, -1e4, -1e4, 1e4]).reshape(1, 2, 2, 1)
    assert float(Bernoulli().build().nll(images, logits)[0]) == pytest.approx(2e4)


def test_gaussian_agrees_with_an_independent_implementation(images, logits):
    normal = tfd.Normal(1 / (1 + np.exp(-logits)), np.sqrt(np.float32(0.03)))
    expected = -np.sum(normal.log_prob(images), axis=(1, 2, 3))
    np.testing.assert_allclose(Gaussian(variance=0.03).build().nll(images, logits), expected, rtol=1e-4)


@pytest.mark.parametrize("logit", [-30.0, -2.0, -1e-7, 0.0, 0.4, 6.0, 800.0])
@pytest.mark.parametrize("name", LIKELIHOODS)
def test_samples_have_the_density(name, logit):
    likelihood = LIKELIHOODS[name]().build()
    outputs = np.full((1, 100, 100, 1), logit, np.float32)
    drawn = likelihood.sample(2, 3, outputs)
    assert (drawn.shape, drawn.dtype) == ((2, *outputs.shape), np.float32)
    np.testing.assert_array_equal(drawn, likelihood.sample(2, 3, outputs))
    mean = float(np.asarray(likelihood.mean(outputs)).ravel()[0])
    assert drawn.mean() == pytest.approx(mean, abs=float(5 * drawn.std() / 100 + 1e-6))
    if name == "bernoulli":
        assert set(np.unique(drawn)) <= {0.0, 1.0}
    elif name == "continuous_bernoulli":
        with np.errstate(over="ignore"):
            rate = scipy.special.expit(np.clip(logit, -30, 30))
        expected = tfd.ContinuousBernoulli(probs=np.float64(rate)).cdf
        if abs(logit) < 20:  # beyond, the distribution function of TensorFlow Probability is not accurate
            assert scipy.stats.kstest(drawn.ravel(), lambda x: np.asarray(expected(x))).pvalue > 1e-3
    else:
        width = np.sqrt(likelihood.variance)
        assert scipy.stats.kstest(drawn.ravel(), scipy.stats.norm(mean, width).cdf).pvalue > 1e-3


def one_pixel(value):
    return np.full((1, 1, 1, 1), value, np.float32)


DENSITIES = {name: cls for name, cls in LIKELIHOODS.items() if name != "bernoulli"}


@pytest.mark.parametrize("name", DENSITIES)
@pytest.mark.parametrize("logit", [-20.0, -3.0, -1.0, -1e-3, 0.0, 0.4, 5.0])
def test_a_density_integrates_to_one_and_its_mean_is_the_picture(name, logit):
    likelihood = DENSITIES[name]().build()

    def density(x):
        return float(np.exp(-likelihood.nll(one_pixel(x), one_pixel(logit))[0]))

    ends = (0, 1) if name == "continuous_bernoulli" else (-4, 5)
    middle = [float(likelihood.mean(one_pixel(logit)).numpy().item())]
    # The density is float32, so no integral of it has more digits.
    accuracy = {"points": middle, "epsabs": 1e-6, "epsrel": 1e-6}
    assert scipy.integrate.quad(density, *ends, **accuracy)[0] == pytest.approx(1, abs=1e-5)
    mean = scipy.integrate.quad(lambda x: x * density(x), *ends, **accuracy)[0]
    assert middle[0] == pytest.approx(mean, abs=1e-5)


def test_what_is_called_no_density_is_none():
    assert set(LIKELIHOODS) - set(DENSITIES) == {"bernoulli"}
    integral = scipy.integrate.quad(
        lambda x: float(np.exp(-Bernoulli().build().nll(one_pixel(x), one_pixel(0.0))[0])), 0, 1
    )
    assert integral[0] == pytest.approx(0.5)


def test_continuous_bernoulli_agrees_with_an_independent_implementation(images, logits):
    expected = -np.sum(tfd.ContinuousBernoulli(logits=logits).log_prob(images), axis=(1, 2, 3))
    np.testing.assert_allclose(ContinuousBernoulli().build().nll(images, logits), expected, rtol=1e-5)
    np.testing.assert_allclose(
        ContinuousBernoulli().build().mean(logits), tfd.ContinuousBernoulli(logits=logits).mean(), atol=1e-4
    )


def log_normaliser(logit):
    """log((e^l - 1) / l) and its derivative, with 120 digits."""
    with localcontext(prec=120):
        value = Decimal(float(logit))
        if not value:
            return 0.0, 0.5
        return float(((value.exp() - 1) / value).ln()), float(1 / (1 - (-value).exp()) - 1 / value)


@pytest.mark.parametrize("size", [0.0, 1e-30, 1e-8, 1e-4, 1e-2, 0.3, 0.999, 1.0, 1.001, 3.0, 30.0, 90.0, 1e4])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_normaliser_of_the_continuous_bernoulli_is_stable_near_one_half_and_far_from_it(size, sign):
    logit = tf.constant(one_pixel(sign * size))
    with tf.GradientTape() as tape:
        tape.watch(logit)
        nll = ContinuousBernoulli().build().nll(one_pixel(0.0), logit)  # at x = 0 it is the normaliser alone
    value, mean = log_normaliser(np.float32(sign * size))
    assert float(nll[0]) == pytest.approx(value, rel=1e-6, abs=2e-7)
    # The derivative of the log-normaliser is the mean, which is what is shown.
    assert float(tape.gradient(nll, logit)) == pytest.approx(mean, rel=2e-6, abs=1e-7)
    assert float(ContinuousBernoulli().build().mean(logit)) == pytest.approx(mean, rel=2e-6, abs=1e-7)


def test_the_learned_variance_goes_to_the_mean_squared_error():
    random = np.random.default_rng(0)
    logits = random.normal(size=(50, 4, 4, 1)).astype(np.float32)
    images = (1 / (1 + np.exp(-logits)) + random.normal(scale=0.05, size=logits.shape)).astype(np.float32)
    likelihood, optimizer = LearnedGaussian().build(), keras.optimizers.Adam(1e-2)
    assert likelihood.variance == pytest.approx(Gaussian().variance)
    np.testing.assert_allclose(likelihood.nll(images, logits), Gaussian().build().nll(images, logits), rtol=1e-5)
    for _ in range(400):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(likelihood.nll(images, logits))
        optimizer.apply(tape.gradient(loss, likelihood.trainable_weights), likelihood.trainable_weights)
    assert likelihood.variance == pytest.approx(np.mean((images - 1 / (1 + np.exp(-logits))) ** 2), rel=1e-3)


def test_an_eighth_as_variance_is_four_times_the_squared_error(images, logits):
    differences = np.diff(Gaussian(0.125).build().nll(images, logits))
    squared = np.sum((images - 1 / (1 + np.exp(-logits))) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(differences, np.diff(4 * squared), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["bernoulli", "gaussian", "learned_gaussian"])
def test_the_shown_picture_is_the_sigmoid_of_the_logits(name, logits):
    np.testing.assert_allclose(
        LIKELIHOODS[name]().build().mean(logits), 1 / (1 + np.exp(-logits)), rtol=1e-4, atol=1e-6
    )
