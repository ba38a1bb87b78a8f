"""The promise of the design: a new method is one file and one line that registers it.

This file is that file, outside of the packages. It holds a toy of each kind, with options of its own. Each is
registered by one line, trained by the script, resumed to the bit, evaluated and reported.
"""

import csv
import json
import math
from dataclasses import dataclass
from typing import ClassVar

import keras
import numpy as np
import pytest
from keras import layers, ops

import evaluate
import train
import vae_keras
from common.ranges import Range
from tests.support import TINY
from vae_keras.architectures import ARCHITECTURES, Architecture
from vae_keras.gaussians import log_density
from vae_keras.likelihoods import LIKELIHOODS, Likelihood, LikelihoodPart
from vae_keras.objectives import OBJECTIVES, Objective
from vae_keras.priors import PRIORS, Prior, PriorPart
from vae_keras.registry import option
from vae_keras.run_folder import Run
from vae_keras.types import Loss


@dataclass(frozen=True)
class WideNormal(Prior):
    """p(z) = N(0, width^2 I), without a closed form for the KL."""

    latent_dim: int
    width: float

    def log_prob(self, latents):
        log_variance = 2 * math.log(self.width)
        return ops.sum(log_density(latents, ops.zeros_like(latents), log_variance), axis=-1)

    def sample(self, n, seed):
        return (self.width * np.random.default_rng(seed).standard_normal((n, self.latent_dim))).astype(np.float32)


@dataclass(frozen=True)
class Wide(PriorPart):
    """N(0, width^2 I)."""

    width: float = option(2.0, "standard deviation of the prior", Range(0.1, 10).refusal)

    def build(self, latent_dim, image_shape, encode, seed):
        return WideNormal(latent_dim, self.width)


@dataclass(frozen=True)
class VariancePerPixel(Likelihood):
    """x ~ N(sigmoid(l), exp(v)), with the decoder's outputs (l, v)."""

    floor: float
    is_density: ClassVar[bool] = True
    outputs_per_channel: ClassVar[int] = 2

    def nll(self, images, outputs):
        logits, log_variance = ops.split(outputs, 2, axis=-1)
        log_variance = ops.softplus(log_variance) + self.floor
        return -ops.sum(log_density(images, ops.sigmoid(logits), log_variance), axis=(1, 2, 3))

    def mean(self, outputs):
        return ops.sigmoid(ops.split(outputs, 2, axis=-1)[0])


@dataclass(frozen=True)
class PixelVariance(LikelihoodPart):
    """A variance for each pixel."""

    outputs_per_channel: ClassVar[int] = 2
    floor: float = option(-6.0, "smallest log-variance of a pixel")

    def build(self):
        return VariancePerPixel(self.floor)


@dataclass(frozen=True)
class FreeBits(Objective):
    """reconstruction_nll + max(KL, free): the first nats of the KL cost nothing (Kingma et al. 2016, eq. 15)."""

    free: float = option(1.0, "nats of the KL that cost nothing", Range(0, 1e6).refusal)
    parts: ClassVar[tuple[str, ...]] = ("paid_kl",)

    def loss(self, forward):
        paid = ops.maximum(forward.terms.kl, self.free)
        return Loss(forward.terms.reconstruction_nll + paid, {"paid_kl": paid})

    def cost(self, measured):
        return [f"The first {self.free:g} nats of the KL, of {measured.kl:.1f}, cost nothing."]


@dataclass(frozen=True)
class Flat(Architecture):
    """Two Dense layers each way."""

    units: int = option(16, "units of the hidden layer", Range(1, 1000).refusal)

    def encoder(self, image_shape, latent_dim, seed):
        hidden = layers.Dense(self.units, "relu", kernel_initializer=keras.initializers.GlorotUniform(seed))
        heads = layers.Dense(2 * latent_dim, kernel_initializer=keras.initializers.GlorotUniform(seed + 1))
        return keras.Sequential([keras.Input(image_shape), layers.Flatten(), hidden, heads], name="encoder")

    def decoder(self, output_shape, latent_dim, seed):
        hidden = layers.Dense(self.units, "relu", kernel_initializer=keras.initializers.GlorotUniform(seed))
        drawn = layers.Dense(math.prod(output_shape), kernel_initializer=keras.initializers.GlorotUniform(seed + 1))
        return keras.Sequential(
            [keras.Input((latent_dim,)), hidden, drawn, layers.Reshape(output_shape)], name="decoder"
        )


@pytest.fixture(scope="module")
def registered():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRIORS, "wide", Wide)
        patch.setitem(LIKELIHOODS, "pixel_variance", PixelVariance)
        patch.setitem(OBJECTIVES, "free_bits", FreeBits)
        patch.setitem(ARCHITECTURES, "flat", Flat)
        yield


CHOSEN = ["--architecture", "flat", "--units", "8", "--prior", "wide", "--width", "1.5"]
CHOSEN += ["--objective", "free_bits", "--free", "2", "--likelihood", "pixel_variance", "--floor", "-5"]


@pytest.fixture(scope="module")
def run(registered, tmp_path_factory):
    """A run of four epochs with a toy of each kind."""
    folder = tmp_path_factory.mktemp("extension") / "whole"
    assert train.main([*TINY, *CHOSEN, "--epochs", "4", "--run", str(folder)]) == 0
    return Run(folder)


def test_the_options_of_a_registered_part_are_settings_of_the_run(run):
    config = json.loads(run.config.read_text())
    assert {name: config[name] for name in ("architecture", "prior", "objective", "likelihood")} == {
        "architecture": "flat", "prior": "wide", "objective": "free_bits", "likelihood": "pixel_variance",
    }  # fmt: skip
    assert {name: config[name] for name in ("units", "width", "free", "floor")} == {
        "units": 8, "width": 1.5, "free": 2.0, "floor": -5.0,
    }  # fmt: skip


def test_an_option_of_a_registered_part_is_refused_where_it_is_out_of_range_or_unused(registered, tmp_path, capsys):
    wrong = {
        ("--prior", "wide", "--width", "11"): "--width 11.0 must be from 0.1 to 10",
        ("--width", "1"): "--width is not used by --prior standard; leave it out or pass --prior wide",
        ("--prior", "wider"): "unknown prior wider; did you mean wide?",
    }
    for flags, line in wrong.items():
        assert train.main([*TINY, *flags, "--run", str(tmp_path / "run")]) == 2
        assert line in capsys.readouterr().err


def test_the_help_of_the_script_explains_a_registered_part(registered, capsys):
    with pytest.raises(SystemExit):
        train.parse(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "one of standard, vamp, flow, wide" in said
    assert "--free FLOAT of free_bits: nats of the KL that cost nothing (default 1.0)" in said


def test_a_run_with_registered_parts_is_resumed_to_the_bit(run, tmp_path):
    folder = tmp_path / "interrupted"
    assert train.main([*TINY, *CHOSEN, "--epochs", "2", "--run", str(folder)]) == 0
    assert train.main(["--resume", "--epochs", "4", "--run", str(folder)]) == 0
    assert Run(folder).history.read_text() == run.history.read_text()
    for which in ("best", "last"):
        whole, resumed = (vae_keras.load_run(one, which) for one in (run.folder, folder))
        for weight, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
            np.testing.assert_array_equal(weight, other)


def test_a_loaded_model_has_the_registered_parts_and_trained_with_their_densities(run):
    vae = vae_keras.load_run(run.folder)
    assert (vae.prior, vae.objective) == (WideNormal(4, 1.5), FreeBits(2.0))
    assert (vae.likelihood, vae.decoder.output_shape) == (VariancePerPixel(-5.0), (None, 32, 32, 2))
    images = np.random.default_rng(0).random((3, 32, 32, 1)).astype(np.float32)
    forward = vae.forward(images)
    # log q(z | x) - log N(z; 0, 1.5^2 I), at the sample
    z, (mean, log_variance) = np.asarray(forward.latents, float), (np.asarray(one, float) for one in forward.posterior)
    log_q = -0.5 * (log_variance + (z - mean) ** 2 / np.exp(log_variance))
    log_p = -0.5 * (math.log(1.5**2) + z**2 / 1.5**2)
    np.testing.assert_allclose(forward.terms.kl, (log_q - log_p).sum(axis=1), rtol=1e-3, atol=1e-3)
    rows = list(csv.DictReader(run.history.read_text().splitlines()))
    assert all(float(row["loss"]) >= -float(row["elbo"]) - 1e-3 for row in rows)  # the free nats only raise the loss


def test_a_run_with_registered_parts_is_evaluated_and_reported(run):
    assert evaluate.main(["--run", str(run.folder), "--report"]) == 0
    numbers = json.loads(run.metrics.read_text())
    test = numbers["test"]
    assert math.isfinite(test["elbo"])
    # Nothing says that the prior's KL is a sum over latents, so none is told.
    assert set(numbers["latents"]) == {"information", "mean_std"}
    assert (run.figures / "samples.png").is_file()
    page = " ".join((run.folder / "report.html").read_text().split())
    assert "The first 2 nats of the KL" in page
    assert f"sum over latents is not the KL, {test['kl']:.1f} nats" in page
    assert "FreeBits" not in page
    assert FreeBits.__doc__.partition(":")[0] in page


def test_an_unregistered_part_cannot_be_loaded_and_is_named(run, monkeypatch, capsys):
    monkeypatch.delitem(PRIORS, "wide")
    assert evaluate.main(["--run", str(run.folder), "--sample"]) == 2
    assert "width" in capsys.readouterr().err
