"""Any number that a user can type is either a valid setting, with which float32 is enough, or one line of error."""

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st

import train
import vae_keras
from common.errors import UserError
from tests.support import examples
from vae_keras.config import all_settings, described_as
from vae_keras.objectives import AnnealedVAE, BetaTCVAE, BetaVAE, FactorVAE, NegativeElbo
from vae_keras.optimizers import Adam

# What else has to be asked for so that a setting is used.
USERS = {
    "beta": ["--objective", "beta_vae"],
    "capacity": ["--objective", "annealed_vae"],
    "gamma": ["--objective", "factor_vae"],
    "warm_up": ["--objective", "annealed_vae"],
    "mutual_information_weight": ["--objective", "beta_tc_vae"],
    "dimension_wise_weight": ["--objective", "beta_tc_vae"],
    "variance": ["--likelihood", "gaussian"],
    "hidden_size": ["--architecture", "deep"],
    "dropout": ["--architecture", "deep"],
}
NUMERIC = [name for name in all_settings() if described_as(name)[0].type in (int, float)]
TYPED = st.one_of(
    st.integers().map(str),
    st.integers(1, 400).map(lambda digits: digits * "9"),
    st.floats().map(repr),
    st.integers(-400, 400).map(lambda exponent: f"1e{exponent}"),
    st.sampled_from(["", "1e", "0x10", "1_000", "\u0663", "-0.0", 5000 * "9"]),
)


def stop(config, cache):
    raise UserError("the images would be opened now")


@examples(400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(NUMERIC), typed=TYPED)
@example("shift", "3000000000")
@example("batch_size", "99999999999999999999")
@example("beta", "1e38")
@example("capacity", "1e39")
@example("variance", "1e-300")
@example("weight_decay", "1e9")
@example("seed", "-1")
def test_a_typed_number_ends_in_one_line_and_no_folder_or_in_settings(tmp_path, monkeypatch, capsys, name, typed):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train, "open_data", stop)
    assert train.main([f"--{name.replace('_', '-')}={typed}", *USERS.get(name, [])]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def ends(name):
    """The smallest number above zero, and the largest, that a setting can have."""
    check = described_as(name)[0].check
    allowed = [10.0**exponent for exponent in range(-12, 12) if check(10.0**exponent) is None]
    return allowed[0], allowed[-1]


EXTREMES = [
    NegativeElbo(),
    *(BetaVAE(beta) for beta in ends("beta")),
    BetaVAE(ends("beta")[1], warm_up=ends("warm_up")[0]),
    AnnealedVAE(ends("capacity")[1], ends("gamma")[1]),
    BetaTCVAE(ends("beta")[1], ends("mutual_information_weight")[1], ends("dimension_wise_weight")[1]),
    FactorVAE(ends("gamma")[1]),
]


@pytest.mark.parametrize("variance", [*ends("variance"), None])
@pytest.mark.parametrize("objective", EXTREMES, ids=str)
def test_steps_at_the_ends_of_all_ranges_keep_every_number_finite(objective, variance):
    """The loss is that of images with 10,000 times as many pixels: those of the largest side."""
    likelihood = vae_keras.likelihoods.Gaussian(variance) if variance else "bernoulli"
    vae = vae_keras.build_vae((32, 32, 1), 8, likelihood=likelihood, objective=objective, training_images=64)
    optimizer = Adam(ends("lr")[0], ends("weight_decay")[1], ends("weight_averaging")[0])
    vae.compile(optimizer, run_eagerly=True)  # a few steps are not worth a compilation
    original = optimizer.scale_loss
    optimizer.scale_loss = lambda loss: 1e4 * original(loss)
    images = np.random.default_rng(0).random((16, 32, 32, 1)).astype(np.float32)
    for _ in range(3):
        terms = vae.train_on_batch(images, return_dict=True)
    assert all(np.isfinite(value) for value in terms.values()), terms
    for variable in (*vae.variables, *optimizer.variables):
        assert np.isfinite(keras.ops.convert_to_numpy(variable)).all(), variable.path
