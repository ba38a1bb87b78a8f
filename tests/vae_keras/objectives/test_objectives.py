import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae_keras.objectives import BetaVAE, NegativeElbo
from vae_keras.outputs import ElboTerms

terms = st.builds(
    ElboTerms, *(st.lists(st.floats(0, 1e4), min_size=3, max_size=3).map(np.array) for _ in ElboTerms._fields)
)


@given(terms)
def test_the_plain_loss_is_the_negative_elbo(terms):
    np.testing.assert_allclose(NegativeElbo().loss(terms), -terms.elbo)
    np.testing.assert_allclose(terms.elbo, -terms.reconstruction_nll - terms.kl)


@given(terms)
def test_beta_one_is_the_vae(terms):
    np.testing.assert_allclose(BetaVAE(beta=1.0).loss(terms), NegativeElbo().loss(terms))


@given(terms, st.floats(0.1, 100))
def test_beta_prices_the_kl_alone(terms, beta):
    extra = BetaVAE(beta).loss(terms) - NegativeElbo().loss(terms)
    np.testing.assert_allclose(extra, (beta - 1) * terms.kl, rtol=1e-6, atol=1e-6)


def test_an_objective_is_a_frozen_value():
    assert BetaVAE(2.0) == BetaVAE(2.0) != BetaVAE(3.0)
    with pytest.raises(AttributeError):
        BetaVAE(2.0).beta = 3.0
