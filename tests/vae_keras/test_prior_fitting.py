"""The prior that is fitted after training: it finds the density of the latents, and a run keeps it."""

import json
import shutil

import numpy as np
import pytest

import evaluate
import vae_keras
from common.errors import UserError
from vae_keras import prior_fitting
from vae_keras.evaluation.refitted import prior_gain
from vae_keras.gaussians import Posterior
from vae_keras.prior_fitting import fit_prior, read_prior, write_prior
from vae_keras.priors import Mixture, StandardNormal
from vae_keras.run_folder import Run
from vae_keras.runs import load_run


def posteriors(mixture, n, seed, log_variance=-4.0):
    """q(z | x) of n images, whose means are drawn from the mixture."""
    mean = mixture.sample(n, seed)
    return Posterior(mean, np.full_like(mean, log_variance))


@pytest.fixture(scope="module")
def ring():
    """Eight components on a circle: latents with a hole where N(0, I) is largest."""
    angle = np.arange(8) * np.pi / 4
    return Mixture(np.full(8, 1 / 8), 2 * np.stack([np.cos(angle), np.sin(angle)], 1), np.stack([0.02 * np.eye(2)] * 8))


def test_the_fit_comes_near_to_the_density_of_the_latents(ring):
    fit = fit_prior(posteriors(ring, 2_000, 0), posteriors(ring, 500, 1))
    assert len(fit.weights) == 10  # of the sizes that are tried, the smallest that has a component for each
    # The aggregate posterior is the ring with the posteriors' variance added.
    wider = Mixture(ring.weights, ring.means, ring.covariances + np.exp(-4.0) * np.eye(2))
    z = wider.sample(20_000, 2)
    gap = np.mean(np.asarray(wider.log_prob(z)) - np.asarray(fit.log_prob(z)))
    assert 0 <= gap < 0.05  # KL(aggregate posterior || fit), in nats


def test_of_latents_that_fill_the_prior_one_component_is_enough():
    normal = Mixture(np.ones(1), np.zeros((1, 3)), np.eye(3)[None])
    fit = fit_prior(posteriors(normal, 3_000, 0), posteriors(normal, 3_000, 1))
    assert len(fit.weights) == 1
    np.testing.assert_allclose(fit.covariances[0], (1 + np.exp(-4.0)) * np.eye(3), atol=0.1)


@pytest.mark.parametrize("images", [1, 2, 3, 12])
def test_few_images_are_enough_also_without_validation(images):
    mean = np.random.default_rng(0).normal(size=(images, 4)).astype(np.float32)
    if images == 1:
        mean = np.repeat(mean, 2, axis=0)  # the same image twice: one chooses
    fit = fit_prior(Posterior(mean, np.full_like(mean, -2.0)))
    assert np.isfinite(np.asarray(fit.log_prob(mean))).all()


def test_the_gain_of_a_prior_is_the_difference_of_two_divergences(ring):
    posterior = posteriors(ring, 300, 3)
    gain = prior_gain(StandardNormal(2), ring, posterior, draws=200)
    z = np.asarray(posterior.reparameterised(np.random.default_rng(9).normal(size=(2_000, 300, 2)).astype(np.float32)))
    expected = np.mean(np.asarray(ring.log_prob(z)) - np.asarray(StandardNormal(2).log_prob(z)))
    assert gain.value == pytest.approx(expected, abs=5 * gain.standard_error)
    assert 0 < gain.standard_error < 0.05
    assert prior_gain(ring, ring, posterior).value == 0


@pytest.fixture
def run(tiny_run, tmp_path):
    return Run(shutil.copytree(tiny_run, tmp_path / "a", ignore=shutil.ignore_patterns("figures", "metrics.json")))


def test_an_evaluation_fits_the_prior_once_and_both_priors_stand_beside_each_other(run, monkeypatch):
    with pytest.raises(UserError, match="no prior is fitted for the model"):
        vae_keras.fitted_prior(run.folder)
    assert evaluate.main(["--run", str(run.folder), "--metrics", "--sample"]) == 0
    prior = vae_keras.fitted_prior(run.folder)
    numbers = json.loads(run.metrics.read_text())
    assert set(numbers["samples"]["pixel_standard_deviation"]) == {"samples", "samples from the fitted prior", "test"}
    told = numbers["fitted_prior"]
    assert told["components"] == len(prior.weights)
    assert told["elbo"]["value"] == pytest.approx(numbers["test"]["elbo"] + told["gain"]["value"])
    # A second evaluation reads it, and so does one on other images.
    monkeypatch.setattr("vae_keras.evaluation.context.fit_prior", None)
    assert evaluate.main(["--run", str(run.folder), "--sample"]) == 0
    assert evaluate.main(["--run", str(run.folder), "--sample", "--data", "faces:60"]) == 0
    assert load_run(run.folder).prior == StandardNormal(4)


def test_a_prior_of_an_earlier_model_is_not_used(run, ring):
    write_prior(run, ring)
    np.testing.assert_array_equal(read_prior(run).means, ring.means)
    with run.model.open("ab") as model:
        model.write(b"\0")
    assert read_prior(run) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-40]),
        lambda path: path.write_bytes(b"no archive"),
        lambda path: np.savez(path, weights=np.ones(1)),
        lambda path: np.savez(path, **(arrays(path) | {"means": np.ones((2, 3))})),
        lambda path: np.savez(path, **(arrays(path) | {"covariances": -arrays(path)["covariances"]})),
        lambda path: np.savez(path, **(arrays(path) | {"weights": np.array([object()])})),
    ],
)
def test_a_damaged_prior_is_refused(run, ring, damage):
    write_prior(run, ring)
    damage(run.prior)
    with pytest.raises(UserError, match=r"prior\.npz is damaged .*; remove it and evaluate again"):
        read_prior(run)


def arrays(path):
    with np.load(path, allow_pickle=False) as saved:
        return dict(saved)


def test_time_and_memory_do_not_grow_with_the_images(monkeypatch):
    sizes = []
    monkeypatch.setattr(prior_fitting, "_fitted", lambda samples, size, seed: sizes.append(len(samples)) or STUB)
    mean = np.zeros((30_000, 2), np.float32)
    fit_prior(Posterior(mean, mean), Posterior(mean[:50], mean[:50]))
    assert sizes == [prior_fitting.MOST_SAMPLES] * 2


class STUB:
    """A mixture that never grows better."""

    weights_, means_, covariances_ = np.ones(1), np.zeros((1, 2)), np.eye(2)[None]

    @staticmethod
    def score(samples):
        return 0.0
