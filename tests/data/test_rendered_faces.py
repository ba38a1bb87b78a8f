import numpy as np

from data import faces
from data.factors import FACTORS, NAMES
from data.rendered_faces import LevelledFaces, rendered_faces


def test_faces_are_rendered_once_and_then_read(tmp_path, monkeypatch):
    first = rendered_faces(12, 32, cache=tmp_path)
    monkeypatch.setattr(faces, "render", lambda *_: (_ for _ in ()).throw(AssertionError("rendered again")))
    second = rendered_faces(12, 32, cache=tmp_path)
    np.testing.assert_array_equal(first.images.all(), second.images.all())
    assert first.digests() == second.digests()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_damaged_cache_is_rendered_again(tmp_path):
    first = rendered_faces(12, 32, cache=tmp_path).images.all()
    (file,) = tmp_path.glob("*/pixels-*")
    file.write_bytes(file.read_bytes()[:2000])
    np.testing.assert_array_equal(rendered_faces(12, 32, cache=tmp_path).images.all(), first)


def test_each_request_and_each_version_of_the_code_has_its_own_file_in_the_cache(tmp_path, monkeypatch):
    rendered_faces(12, 32, cache=tmp_path)
    rendered_faces(12, 32, channels=3, cache=tmp_path)
    rendered_faces(12, 32, seed=1, cache=tmp_path)
    monkeypatch.setattr("inspect.getsource", lambda module: "other code")
    rendered_faces(12, 32, cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_faces_are_rendered_if_the_cache_cannot_be_written(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert len(rendered_faces(12, 32, cache=blocked).images.all()) == 12


def test_labels_and_classes_follow_the_factors(tmp_path):
    data = rendered_faces(20, 32, cache=tmp_path)
    np.testing.assert_array_equal(data.label("smile"), data.factors[:, NAMES.index("smile")] > 0)
    np.testing.assert_array_equal(data.classes == "smile", data.label("smile"))


def test_levels_are_equally_spaced_and_include_both_ends(tmp_path):
    world = LevelledFaces(levels=5, size=32)
    levels = world.sample(300, np.random.default_rng(0))
    values = world.values(levels)
    for column, factor in enumerate(FACTORS):
        np.testing.assert_allclose(np.unique(values[:, column]), np.linspace(factor.low, factor.high, 5))
        assert set(levels[:, column]) == set(range(5))
    images = world.render(levels[:2])
    assert images.shape == (2, 32, 32, 1)
    np.testing.assert_array_equal(images[0], faces.render(values[0], 32))
