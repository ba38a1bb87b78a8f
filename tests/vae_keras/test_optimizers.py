import keras
import numpy as np
import pytest

import vae_keras
from vae_keras.optimization import Constant, Cosine
from vae_keras.optimizers import KERNEL, Adam, Muon, orthogonal

STEPS = 30


def walk(adam, steps=STEPS):
    """A kernel and a bias under that optimiser, pulled along; what the kernel was after each step."""
    kernel = keras.Variable(np.array([1.0, -2.0], np.float32), name="kernel")
    bias = keras.Variable(np.array([1.0], np.float32), name="bias")
    adam.build([kernel, bias])
    random = np.random.default_rng(0)
    places = []
    for _ in range(steps):
        gradients = [keras.ops.convert_to_tensor(random.normal(size=size).astype(np.float32)) for size in (2, 1)]
        adam.apply(gradients, [kernel, bias])
        places.append(kernel.numpy())
    return np.array(places), kernel, bias


@pytest.mark.parametrize("mean_age", [0.5, 0.25, 0.1])
def test_the_average_weighs_the_steps_by_a_power_of_their_number(mean_age):
    adam = Adam(0.1, mean_age=mean_age)
    places, kernel, bias = walk(adam)
    adam.exchange([kernel, bias])
    # The recursion unrolled: step s of t weighs (s^p - (s - 1)^p) / t^p, with p = gamma + 1.
    edges = (np.arange(STEPS + 1) / STEPS) ** (1 / mean_age - 1)
    shares = np.diff(edges)
    np.testing.assert_allclose(kernel.numpy(), shares @ places, rtol=1e-5)
    ages = STEPS - np.arange(1, STEPS + 1)
    assert shares @ ages == pytest.approx(mean_age * STEPS, abs=1)


def test_averaging_does_not_disturb_the_walk_and_two_exchanges_undo_each_other():
    averaging = Adam(0.1, mean_age=0.25)
    places, kernel, bias = walk(averaging)
    np.testing.assert_array_equal(places, walk(keras.optimizers.Adam(0.1))[0])
    averaging.exchange([kernel, bias])
    assert np.any(kernel.numpy() != places[-1])
    averaging.exchange([kernel, bias])
    np.testing.assert_array_equal(kernel.numpy(), places[-1])


def test_only_kernels_decay():
    adam = Adam(0.01, weight_decay=0.5)
    kernel = keras.Variable(np.array([3.0], np.float32), name="kernel")
    bias = keras.Variable(np.array([3.0], np.float32), name="bias")
    adam.build([kernel, bias])
    for _ in range(10):
        adam.apply([np.zeros(1, np.float32), np.zeros(1, np.float32)], [kernel, bias])
    assert kernel.numpy() == pytest.approx(3 * (1 - 0.01 * 0.5) ** 10, rel=1e-5)
    assert bias.numpy() == 3


def test_without_decay_and_average_it_is_keras_adam():
    np.testing.assert_array_equal(walk(Adam(0.1))[0], walk(keras.optimizers.Adam(0.1))[0])


def test_it_survives_its_configuration():
    adam = Adam.from_config(Adam(0.1, weight_decay=0.5, mean_age=0.25).get_config())
    assert (adam.weight_decay, adam.mean_age, adam.use_ema) == (0.5, 0.25, False)


def test_a_gradient_much_longer_than_usual_is_shortened_and_keeps_its_direction():
    adam = Adam(0.1, clipping=2.0)
    weights = [keras.Variable(np.zeros(3, np.float32)), keras.Variable(np.zeros(2, np.float32))]
    adam.build(weights)
    random = np.random.default_rng(0)
    usual, norms = 0.0, []
    for step in range(60):
        grads = [random.normal(size=size).astype(np.float32) * (50 if step == 40 else 1) for size in (3, 2)]
        length = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        mean = usual / (1 - 0.98 ** max(step, 1))
        expected = min(1.0, 2.0 * mean / length) if step >= 20 else 1.0
        given = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(keras.optimizers.Adam, "update_step", lambda self, g, v, rate, to=given: to.append(g))
            adam.apply([keras.ops.convert_to_tensor(grad) for grad in grads], weights)
        for shortened, grad in zip(given, grads, strict=True):
            np.testing.assert_allclose(shortened, expected * grad, rtol=1e-4)
        usual = 0.98 * usual + 0.02 * expected * length
        norms.append(expected * length)
    assert norms[40] < 0.1 * 50


def test_a_gradient_that_is_not_finite_is_not_hidden_and_does_not_stay_in_the_mean():
    adam = Adam(0.1, clipping=2.0)
    weight = keras.Variable(np.zeros(2, np.float32))
    adam.build([weight])
    for _ in range(30):
        adam.apply([keras.ops.ones(2)], [weight])
    before = float(adam.norm)
    assert not np.isfinite(adam.clipped([keras.ops.convert_to_tensor([np.inf, 1.0])])[0]).all()
    assert float(adam.norm) == before


def test_the_cosine_rises_to_the_learning_rate_and_ends_at_zero():
    rates = np.array([float(Cosine(rise=0.1).build(0.3, 200)(step)) for step in range(201)])
    np.testing.assert_allclose(rates[:20], np.linspace(0.3 / 20, 0.3, 21)[:20], rtol=1e-5)
    expected = 0.15 * (1 + np.cos(np.pi * np.arange(181) / 180))
    np.testing.assert_allclose(rates[20:], expected, atol=1e-6)
    assert rates[0] > 0
    assert Constant().build(0.3, 200) == 0.3
    assert float(Cosine(rise=0.0).build(0.3, 200)(100)) == pytest.approx(0.15)


@pytest.mark.parametrize("shape", [(30, 7), (7, 30), (12, 12)])
def test_a_step_of_muon_is_nearly_orthogonal_and_keeps_the_directions(shape):
    matrix = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    made = left.T @ np.asarray(orthogonal(keras.ops.convert_to_tensor(matrix))) @ right.T
    assert np.abs(made - np.diag(np.diag(made))).max() < 0.02
    assert np.diag(made).min() > 0.6
    assert np.diag(made).max() < 1.25


@pytest.mark.parametrize("prior", ["standard", "vamp", "flow"])
@pytest.mark.parametrize("architecture", ["residual", "table"])
def test_a_weight_is_called_kernel_if_it_is_the_matrix_of_a_layer(architecture, prior):
    vae = vae_keras.build_vae((32, 32, 1), 4, architecture, prior=prior)
    called_kernel = [weight for weight in vae.trainable_variables if KERNEL in weight.name]
    matrices = [layer.kernel for layer in vae._flatten_layers() if hasattr(layer, "kernel")]
    assert {weight.path for weight in called_kernel} == {matrix.path for matrix in matrices}
    assert all(len(weight.shape) in (2, 4) for weight in called_kernel)


@pytest.mark.parametrize("prior", ["vamp", "flow"])
def test_muon_trains_a_learned_prior(prior):
    shades = np.random.default_rng(0).random((64, 1, 1, 1))
    images = np.tile(shades * np.linspace(0, 1, 32)[:, None, None], (1, 1, 32, 1)).astype(np.float32)
    vae = vae_keras.build_vae((32, 32, 1), 4, "residual", "learned_gaussian", prior=prior)
    vae.compile(Muon(3e-3, clipping=2.0), jit_compile=False)
    before = vae.evaluate(images, verbose=0, return_dict=True)["elbo"]
    vae.fit(images, batch_size=16, epochs=8, verbose=0)
    after = vae.evaluate(images, verbose=0, return_dict=True)["elbo"]
    assert after > before + 150, (before, after)


def test_muon_moves_kernels_and_leaves_other_weights_to_adam():
    random = np.random.default_rng(0)
    # kernels of a convolution and of dense layers, then a bias and the images of a VampPrior
    shapes = [(3, 3, 4, 8), (36, 8), (8, 36), (8,), (5, 4, 4, 1)]
    kernels = 3
    names = ["kernel"] * kernels + ["bias", "pseudo_inputs"]
    starts = [random.normal(size=shape).astype(np.float32) for shape in shapes]
    walks = []
    for kind in (Muon, Adam):
        weights = [keras.Variable(start, name=name) for start, name in zip(starts, names, strict=True)]
        optimizer = kind(0.01)
        optimizer.build(weights)
        noise = np.random.default_rng(1)
        grads = [[noise.normal(size=shape).astype(np.float32) for shape in shapes] for _ in range(3)]
        for step in grads:
            optimizer.apply([keras.ops.convert_to_tensor(grad) for grad in step], weights)
        walks.append([np.asarray(weight) for weight in weights])
    of_muon, of_adam = walks
    for one, other in zip(of_muon[kernels:], of_adam[kernels:], strict=True):
        np.testing.assert_array_equal(one, other)
    for place, start in enumerate(starts[:kernels]):
        matrix = (-1, start.shape[-1])
        momentum, should_move = np.zeros_like(start.reshape(matrix)), np.zeros_like(start.reshape(matrix))
        for step in grads:
            gradient = step[place].reshape(matrix)
            momentum = 0.9 * momentum + gradient
            left, _, right = np.linalg.svd(gradient + 0.9 * momentum, full_matrices=False)
            should_move = should_move - 0.01 * 0.2 * 6 * left @ right  # 6 is the root of the longer side
        moved = (of_muon[place] - start).reshape(matrix)
        # The iteration leaves singular values between 0.7 and 1.2.
        assert np.linalg.norm(moved - should_move) < 0.25 * np.linalg.norm(should_move)
