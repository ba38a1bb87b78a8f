"""Posteriors with several modes: an evidence that is called known is right to within its error."""

import numpy as np
import pytest
from hypothesis import given

from pgm_tfp.backend import tf, tfd
from pgm_tfp.variational import fit, integration, nuts, quadrature, target
from tests.pgm_tfp.variational.multimodal import cases, mixture, network
from tests.support import examples


@examples(30)
@given(cases)
def test_a_known_evidence_is_right_to_within_its_error(case):
    grid = quadrature(target(case.network, case.evidence))
    assert np.isfinite(grid.log_evidence.value)
    if grid.converged:
        assert abs(grid.log_evidence.value - case.log_evidence) <= grid.log_evidence.error + 1e-9


def sine():
    return network(z=lambda: tfd.Normal(0.0, 1.0), y=lambda z: tfd.Normal(tf.sin(z), 0.05)), {"y": 0.0}


def test_all_modes_of_a_sine_are_found():
    grid = quadrature(target(*sine()))
    assert grid.converged
    assert grid.log_evidence.value == pytest.approx(-0.904479, abs=1e-6)
    assert grid.std()[0] == pytest.approx(0.379, abs=1e-3)  # the modes at pi and -pi are two of its parts


def test_the_gap_of_a_fit_counts_the_modes_that_the_surrogate_lacks():
    fitted = fit(*sine(), "normal", starts=2)
    assert fitted.log_evidence.value == pytest.approx(-0.904479, abs=1e-6)
    # A normal has one of three modes; N(+-pi; 0, 1) / N(0; 0, 1) = exp(-pi^2 / 2)
    assert fitted.gap > np.log1p(2 * np.exp(-(np.pi**2) / 2)) - 1e-3


def test_five_distant_narrow_normals_have_the_mass_one():
    model = network(z=lambda: mixture([0.2] * 5, [-50.0, -25.0, 0.0, 25.0, 50.0], [0.01] * 5))
    grid = quadrature(target(model))
    assert grid.converged
    assert abs(grid.log_evidence.value) < 1e-9


def test_a_narrow_and_light_mode_in_the_plane_is_found():
    locations, scales = [[-3.0, -3.0], [3.0, 3.0]], np.sqrt([[0.1, 0.1], [0.05, 0.2]])
    model = network(
        z=lambda: tfd.MixtureSameFamily(
            tfd.Categorical(probs=[0.9, 0.1]), tfd.MultivariateNormalDiag(locations, scales)
        )
    )
    grid = quadrature(target(model))
    assert grid.converged
    assert abs(grid.log_evidence.value) < 1e-9
    assert grid.mean() == pytest.approx([-2.4, -2.4], abs=1e-8)


def test_spikes_at_each_measurement_are_counted():
    names, seen = ["y0", "y1", "y2", "y3"], [-3.0, 0.0, 3.0, 6.0]
    model = network(
        z=lambda: tfd.Normal(0.0, 10.0),
        **{name: lambda z: mixture([0.9, 0.1], z[..., tf.newaxis], [0.001, 10.0]) for name in names},
    )
    grid = quadrature(target(model, dict(zip(names, seen, strict=True))))
    assert abs(grid.log_evidence.value + 18.988332) < min(grid.log_evidence.error, 1e-3)


def test_what_importance_sampling_contradicts_is_not_known(monkeypatch):
    """If the search sees one of two modes, the mass of the other is part of the error."""
    real = integration.frames_of_modes

    def first_alone(density, known=(), points=None):
        return [*known] or real(density)[:1]

    monkeypatch.setattr(integration, "frames_of_modes", first_alone)
    grid = quadrature(target(network(z=lambda: mixture([0.7, 0.3], [-300.0, 300.0], [0.5, 0.5]))))
    assert not grid.converged
    assert grid.log_evidence.value == pytest.approx(np.log(0.7), abs=1e-3)
    assert np.log(1 / 0.7) < grid.log_evidence.error < 1.1 * np.log(1 / 0.7)


def test_chains_that_all_miss_a_mode_have_not_converged():
    model = network(z=lambda: mixture([0.5, 0.5], [0.0, 1000.0], [1.0, 1.0]))
    posterior = target(model)
    chains = nuts(posterior, draws=400, burn_in=200, chains=2)
    one_mode = chains.draws[..., 0].std() < 100
    assert one_mode == (chains.missed > 0.4)
    assert not chains.converged
