import json
import logging
import shutil

import keras
import numpy as np
import pytest

from common.errors import UserError
from data import faces
from data.factors import FACTORS, NAMES, middle, sample_factors
from data.rendered_faces import RENDERER, rendered_faces
from vae_keras import feature_spaces
from vae_keras.command_line import start_tensorflow
from vae_keras.factor_networks import __main__ as train_networks
from vae_keras.feature_spaces import factor_space, inception_features, label_space
from vae_keras.metrics.sample_quality import frechet_distance

FEW = {"count": 40, "epochs": 1}


@pytest.fixture(autouse=True)
def few_held_out(monkeypatch):
    monkeypatch.setattr(feature_spaces, "HELD_OUT", 150)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """A space learnt from three hundred faces, and the folder that it is kept in."""
    folder = tmp_path_factory.mktemp("datasets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feature_spaces, "HELD_OUT", 150)
        return factor_space(1, count=300, epochs=12, cache=folder), folder


@pytest.fixture
def kept_faces(learnt, tmp_path):
    """A folder with the faces that are held out, but no network."""
    for path in learnt[1].glob("faces-150x*.npy"):
        shutil.copy(path, tmp_path)
    return tmp_path


def test_a_label_that_can_be_seen_is_learnt():
    random = np.random.default_rng(0)
    label = np.arange(90) % 3 == 0
    images = random.integers(0, 120, (90, 32, 32, 1)) + 100 * label[:, None, None, None]
    space = label_space(images[:60].astype(np.uint8), label[:60], epochs=6)
    read = space.factors(images[60:].astype(np.uint8))[:, 0]
    np.testing.assert_array_equal(read > 0, label[60:])
    assert space.features(images[60:].astype(np.uint8)).shape == (30, feature_spaces.UNITS)


def sweep(name, value, count=60):
    """Faces with one factor at a value and the others at random."""
    table = np.random.default_rng(5).uniform(*np.array([(f.low, f.high) for f in FACTORS]).T, (count, len(FACTORS)))
    table[:, NAMES.index(name)] = value
    return np.stack([faces.render(row, 64) for row in table])


@pytest.fixture
def trainings(monkeypatch):
    """Trainings that take no time, and how many there were."""
    calls = []

    def _train(images, targets, epochs):
        calls.append(len(images))
        return feature_spaces._network(images.shape[1:], targets.shape[1])

    monkeypatch.setattr(feature_spaces, "_train", _train)
    return calls


def regressors(folder):
    return sorted(folder.glob("regressor-*.keras"))


def test_the_network_explains_factors_of_faces_it_has_not_seen(learnt):
    r_squared = learnt[0].r_squared
    assert tuple(r_squared) == NAMES
    assert np.mean(list(r_squared.values())) > 0.25
    assert min(r_squared[name] for name in ("light_azimuth", "skin_tone", "background")) > 0.7
    assert max(r_squared.values()) <= 1
    assert json.loads(json.dumps(r_squared)) == r_squared


def test_r_squared_is_near_that_of_a_linear_fit_to_the_features(learnt):
    # An independent method: least squares on the features of the faces that were learnt from.
    space, folder = learnt
    seen, unseen = (rendered_faces(count, 64, 1, 64_001 + part, folder) for part, count in enumerate((300, 150)))
    with_one = [np.c_[space.features(data.images.all()), np.ones(len(data.images.all()))] for data in (seen, unseen)]
    ridge = with_one[0].T @ with_one[0] + np.eye(65)
    predicted = with_one[1] @ np.linalg.solve(ridge, with_one[0].T @ seen.factors)
    for name in ("light_azimuth", "skin_tone", "hair_tone", "background"):
        column = NAMES.index(name)
        correlation = np.corrcoef(predicted[:, column], unseen.factors[:, column])[0, 1]
        assert space.r_squared[name] == pytest.approx(correlation**2, abs=0.06)


def test_a_network_that_says_the_mean_explains_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(
        feature_spaces, "_train", lambda images, targets, epochs: constant_network(images, targets, 0.0)
    )
    assert np.mean(list(factor_space(1, **FEW, cache=tmp_path).r_squared.values())) == pytest.approx(0, abs=0.02)
    (file,) = regressors(tmp_path)
    file.unlink()
    # One standard deviation off everywhere costs as much as there is to explain.
    monkeypatch.setattr(
        feature_spaces, "_train", lambda images, targets, epochs: constant_network(images, targets, 1.0)
    )
    assert np.mean(list(factor_space(1, **FEW, cache=tmp_path).r_squared.values())) == pytest.approx(-1, abs=0.1)


def constant_network(images, targets, value):
    network = feature_spaces._network(images.shape[1:], targets.shape[1])
    network.layers[-1].set_weights([np.zeros((64, len(NAMES))), np.full(len(NAMES), value)])
    return network


@pytest.mark.parametrize("name", ["background", "skin_tone", "light_azimuth", "yaw"])
def test_features_tell_the_ends_of_a_factor_apart(learnt, name):
    factor = FACTORS[NAMES.index(name)]
    low, high = (learnt[0].features(sweep(name, value)) for value in (factor.low, factor.high))
    assert low.shape == (60, 64)
    assert low.dtype == np.float32
    assert frechet_distance(low, high) > 2 * frechet_distance(low[::2], low[1::2])


def test_no_feature_is_constant(learnt):
    assert np.all(np.std(learnt[0].features(sweep("smile", 0.5)), axis=0) > 1e-3)


def test_features_do_not_depend_on_the_type_of_the_images_or_on_the_other_images(learnt):
    images = rendered_faces(150, 64, 1, 64_002, learnt[1]).images.all()
    together = learnt[0].features(images)
    np.testing.assert_allclose(learnt[0].features(images / 255), together, atol=1e-4)
    np.testing.assert_allclose(learnt[0].features(images[70:73]), together[70:73], atol=1e-4)


def test_features_are_nearly_the_same_at_any_size(learnt):
    table = middle() + np.random.default_rng(0).uniform(-0.2, 0.2, (20, len(FACTORS)))
    small, large = (learnt[0].features(np.stack([faces.render(row, size) for row in table])) for size in (64, 160))
    spread = learnt[0].features(sweep("background", 0.5)).std(axis=0)
    assert np.mean(np.abs(large - small) / spread) < 0.1


def test_images_are_resized_with_antialiasing(learnt):
    # Stripes much finer than 64 pixels are the grey of their mean; picking pixels instead would miss them.
    stripes = np.zeros((1, 256, 256, 1), np.float32)
    stripes[:, :, ::4] = 1.0
    to_mean, to_black = (
        np.linalg.norm(learnt[0].features(stripes) - learnt[0].features(np.full((1, 64, 64, 1), grey, np.float32)))
        for grey in (0.25, 0.0)
    )
    assert to_mean < 0.1 * to_black


def test_the_network_learns_from_faces_of_no_data_set_and_is_tested_on_others(tmp_path, monkeypatch, trainings):
    seeds = []

    def seen(count, size, channels, seed, cache):
        seeds.append(seed)
        return rendered_faces(count, size, channels, seed, cache)

    monkeypatch.setattr(feature_spaces, "rendered_faces", seen)
    factor_space(1, **FEW, cache=tmp_path)
    assert len({0, *seeds}) == 3


def test_a_space_is_learnt_once_says_so_and_is_then_read(kept_faces, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "vae_keras")
    first = factor_space(1, **FEW, cache=kept_faces)
    said = [record.getMessage() for record in caplog.records if record.name == "vae_keras.feature_spaces"]
    assert said[0] == "training the network that compares faces, once, on 40 rendered faces"
    assert sum("training" in line for line in said) == 1
    caplog.clear()
    second = factor_space(1, **FEW, cache=kept_faces)
    assert "training" not in caplog.text
    assert first.r_squared == second.r_squared
    images = sweep("smile", 1.0, count=3)
    np.testing.assert_array_equal(first.features(images), second.features(images))


@pytest.mark.parametrize(
    "damage",
    [lambda whole: whole[:2000], lambda whole: whole[: len(whole) // 2] + b"x" + whole[len(whole) // 2 + 1 :]],
    ids=["cut short", "one byte changed"],
)
def test_a_damaged_network_is_trained_again_with_a_warning(kept_faces, caplog, trainings, damage):
    factor_space(1, **FEW, cache=kept_faces)
    (file,) = regressors(kept_faces)
    file.write_bytes(damage(file.read_bytes()))
    factor_space(1, **FEW, cache=kept_faces)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warning.startswith(f"{file} cannot be read (")
    assert "\n" not in warning
    assert trainings == [40, 40]
    factor_space(1, **FEW, cache=kept_faces)
    assert trainings == [40, 40]
    assert regressors(kept_faces) == [file]


def test_a_network_that_cannot_be_saved_is_a_warning_only(tmp_path, caplog, trainings):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    space = factor_space(1, **FEW, cache=blocked)
    assert space.features(sweep("smile", 0.0, count=2)).shape == (2, 64)
    assert "the network could not be saved" in caplog.text


def test_the_network_is_trained_again_for_other_settings_and_for_other_code(kept_faces, monkeypatch, trainings):
    monkeypatch.setattr(feature_spaces, "HELD_OUT", 2)
    factor_space(1, count=10, epochs=1, cache=kept_faces)
    factor_space(3, count=10, epochs=1, cache=kept_faces)
    factor_space(1, count=11, epochs=1, cache=kept_faces)
    factor_space(1, count=10, epochs=2, cache=kept_faces)
    assert len(regressors(kept_faces)) == 4
    for part in [*(module.__name__ for module in RENDERER), "_learnt", "_train", "_network", "standardised"]:
        source = feature_spaces.inspect.getsource
        with monkeypatch.context() as patch:
            patch.setattr("inspect.getsource", lambda m, name=part, s=source: "new" if m.__name__ == name else s(m))
            factor_space(1, count=10, epochs=1, cache=kept_faces)
    assert len(regressors(kept_faces)) == 4 + len(RENDERER) + 4


@pytest.mark.parametrize("channels", [1, 3])
def test_the_network_that_comes_with_the_project_reads_all_factors(tmp_path, caplog, channels):
    caplog.set_level(logging.INFO, "vae_keras")
    (file,) = feature_spaces.SHIPPED.glob(f"regressor-64x64x{channels}-*")
    r_squared = factor_space(channels, cache=tmp_path).r_squared
    assert "training" not in caplog.text, "run python -m vae_keras.factor_networks"
    assert min(r_squared.values()) > 0.9
    assert file.stat().st_size < 1_000_000


def test_a_damaged_network_of_the_project_is_replaced_in_the_cache_with_a_warning(
    kept_faces, tmp_path, monkeypatch, caplog, trainings
):
    monkeypatch.setattr(feature_spaces, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(feature_spaces, "FACES", 40)
    monkeypatch.setattr(feature_spaces, "EPOCHS", 1)
    former = tmp_path / "shipped" / "regressor-64x64x1-0123.keras"
    former.parent.mkdir()
    former.touch()
    file = feature_spaces.ship(1, cache=kept_faces)
    assert regressors(tmp_path / "shipped") == [file]
    factor_space(1, **FEW, cache=kept_faces)
    assert trainings == [40]
    file.write_bytes(file.read_bytes()[:2000])
    factor_space(1, **FEW, cache=kept_faces)
    factor_space(1, **FEW, cache=kept_faces)
    assert trainings == [40, 40]
    assert f"{file} cannot be read (" in caplog.text


def test_the_command_trains_both_networks_and_takes_no_arguments(monkeypatch, capsys):
    monkeypatch.setattr(train_networks, "ship", lambda channels: f"network {channels}")
    monkeypatch.setattr(train_networks, "start_tensorflow", lambda deterministic: None)
    assert train_networks.main([]) == 0
    assert capsys.readouterr().out.split("\n") == ["network 1", "network 3", ""]
    assert train_networks.main(["4"]) == 2
    assert capsys.readouterr().out == ""


def test_two_trainings_give_the_same_weights_and_leave_other_random_numbers_alone():
    data = np.random.default_rng(0).integers(0, 256, (150, 64, 64, 1), dtype=np.uint8)
    targets = np.random.default_rng(1).normal(size=(150, 13)).astype(np.float32)
    start_tensorflow(deterministic=True)  # as evaluate.py does
    keras.utils.set_random_seed(1)
    undisturbed = np.random.random(), float(keras.random.uniform(()))  # noqa: NPY002
    first = feature_spaces._train(data, targets, epochs=2).get_weights()
    keras.utils.set_random_seed(1)
    second = feature_spaces._train(data, targets, epochs=2).get_weights()
    assert (np.random.random(), float(keras.random.uniform(()))) == undisturbed  # noqa: NPY002
    for weights, repeated in zip(first, second, strict=True):
        np.testing.assert_array_equal(weights, repeated)


@pytest.fixture
def without_inception():
    """InceptionV3 not yet loaded, before and after."""
    feature_spaces._inception.cache_clear()
    yield
    feature_spaces._inception.cache_clear()


def test_inception_features_of_grey_images_are_those_of_the_same_images_in_colour(without_inception, monkeypatch):
    untrained = keras.applications.InceptionV3
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda **options: untrained(**{**options, "weights": None}))
    grey = sweep("smile", 0.0, count=2)
    ours = inception_features(grey)
    assert ours.shape == (2, 2048)
    np.testing.assert_allclose(inception_features(np.repeat(grey, 3, axis=-1) / 255), ours, atol=1e-5)


def test_inception_is_given_coloured_images_from_minus_one_to_one(monkeypatch):
    seen = []
    monkeypatch.setattr(
        feature_spaces, "_inception", lambda: lambda batch, training: seen.append(batch) or batch[:, 0, 0]
    )
    inception_features(np.stack([np.zeros((32, 32, 3)), np.ones((32, 32, 3))]).astype(np.float32))
    assert seen[0].shape == (2, 299, 299, 3)
    np.testing.assert_allclose(seen[0][0], -1.0)
    np.testing.assert_allclose(seen[0][1], 1.0, atol=1e-6)


@pytest.mark.parametrize(
    "failure",
    [
        Exception("URL fetch failure on https://storage: None -- [Errno -2] Name or service not known"),
        ConnectionResetError("connection reset\nby peer"),
        ValueError("Incomplete or corrupted file detected."),
        TimeoutError(),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_weights_that_cannot_be_downloaded_are_an_error_in_one_line(without_inception, monkeypatch, failure, capsys):
    def fails(**options):
        assert options == {"include_top": False, "weights": "imagenet", "pooling": "avg"}
        print("Downloading data from https://storage")
        raise failure

    monkeypatch.setattr(keras.applications, "InceptionV3", fails)
    with pytest.raises(UserError, match=r"^--inception needs the weights .*; leave --inception out.*$") as error:
        inception_features(np.zeros((2, 32, 32, 1), np.uint8))
    reason = str(failure).partition("\n")[0] or type(failure).__name__
    assert f"({reason})" in str(error.value)
    assert "\n" not in str(error.value)
    assert capsys.readouterr().out == ""


def test_factors_return_to_their_units():
    values = sample_factors(20, seed=3)
    np.testing.assert_allclose(feature_spaces.in_units(feature_spaces.standardised(values)), values, atol=1e-4)
    # Of uniform numbers, the standardised ones have mean 0 and standard deviation 1.
    many = feature_spaces.standardised(sample_factors(4_000, seed=4))
    np.testing.assert_allclose([many.mean(axis=0), many.std(axis=0)], [[0] * 13, [1] * 13], atol=0.06)
