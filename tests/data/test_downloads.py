"""The downloads of scikit-learn, with small files in place of the real ones."""

import inspect
import io
import logging
import pickle
import socket
import tarfile
from http.client import IncompleteRead
from pathlib import Path
from urllib.error import HTTPError, URLError

import numpy as np
import pytest
import scipy.io
from PIL import Image
from sklearn.datasets import _base, _lfw, _olivetti_faces, fetch_lfw_people

from common.errors import UserError
from data import downloads
from data.downloads import LFW_SQUARE, lfw, olivetti
from data.split import split_indices

PERSONS = {"Ann_Lee": 3, "Bo_Derek": 1, "Cy_Young": 2}


def forbidden(*_, **__):
    raise AssertionError("downloaded again")


def photograph(index):
    """A JPEG of 250 x 250 pixels with a colour gradient; its blue depends on the index."""
    row, column = np.mgrid[:250, :250]
    pixels = np.stack([row, column, np.full_like(row, 40 * index)], axis=-1).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return file.getvalue()


@pytest.fixture
def photographs(monkeypatch):
    """Replaces the archive of LFW by six JPEGs; their bytes, {person: [...]}."""
    index = iter(range(sum(PERSONS.values())))
    files = {person: [photograph(next(index)) for _ in range(count)] for person, count in PERSONS.items()}

    def write(remote, dirname, **_):
        path = Path(dirname, remote.filename)
        if path.suffix == ".txt":
            path.touch()
            return
        with tarfile.open(path, "w:gz") as archive:
            for person, photographs in files.items():
                for number, content in enumerate(photographs, start=1):
                    member = tarfile.TarInfo(f"lfw_funneled/{person}/{person}_{number:04d}.jpg")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))

    monkeypatch.setattr(_lfw, "_fetch_remote", write)
    monkeypatch.setattr(downloads, "LFW_MANY", max(PERSONS.values()))
    return files


@pytest.fixture
def portraits(monkeypatch):
    """Replaces the file of Olivetti by 400 grey images of noise; their pixels over the full range, (400, 64, 64)."""
    images = np.random.default_rng(0).integers(3, 231, size=(400, 64, 64), dtype=np.uint8)

    def write(remote, dirname, **_):
        path = Path(dirname, remote.filename)
        # MATLAB stores an image column by column.
        scipy.io.savemat(path, {"faces": images.transpose(0, 2, 1).reshape(400, -1).T})
        return path

    monkeypatch.setattr(_olivetti_faces, "_fetch_remote", write)
    return np.rint((images - 3.0) * 255 / 227).astype(np.uint8)


def test_olivetti_has_ten_upright_portraits_of_each_of_forty_persons(portraits, tmp_path):
    data = olivetti(64, cache=tmp_path)
    np.testing.assert_array_equal(data.images.all()[..., 0], portraits)
    assert data.images.dtype == np.uint8
    assert data.names[:2] + data.names[-1:] == ("person-01-0001", "person-01-0002", "person-40-0010")
    assert len(set(data.names)) == 400
    assert data.classes.tolist() == [name[: len("person-01")] for name in data.names]
    assert data.label_names == data.factor_names == ()
    assert data.labels.shape == data.factors.shape == (400, 0)


def test_olivetti_in_colour_repeats_its_grey_in_any_size(portraits, tmp_path):
    colour, grey = olivetti(32, 3, tmp_path).images.all(), olivetti(32, 1, tmp_path).images.all()
    assert colour.shape == (400, 32, 32, 3)
    np.testing.assert_array_equal(colour, np.repeat(grey, 3, axis=-1))
    half = Image.fromarray(portraits[7]).resize((32, 32), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(grey[7, ..., 0], half)


def test_a_split_of_olivetti_has_every_person_in_test(portraits, tmp_path):
    classes = olivetti(32, cache=tmp_path).classes
    persons, counts = np.unique(classes[split_indices(400, classes).test], return_counts=True)
    assert len(persons) == 40
    assert set(counts) <= {1, 2, 3}


def test_lfw_has_every_photograph_of_every_person_in_colour(photographs, tmp_path):
    data = lfw(128, 3, tmp_path)
    assert list(data.names) == [
        "Ann_Lee-0001",
        "Ann_Lee-0002",
        "Ann_Lee-0003",
        "Bo_Derek-0001",
        "Cy_Young-0001",
        "Cy_Young-0002",
    ]
    for person, files in photographs.items():
        there = [image for name, image in zip(data.names, data.images.all(), strict=True) if person in name]
        cut = [np.asarray(Image.open(io.BytesIO(file)))[LFW_SQUARE] for file in files]
        np.testing.assert_array_equal(there, cut)
    assert data.classes is None
    assert data.labels.shape == (6, 0)


def test_lfw_in_grey_is_the_luma_of_its_colours(photographs, tmp_path):
    grey, colour = (lfw(128, channels, tmp_path).images.all() for channels in (1, 3))
    np.testing.assert_allclose(grey[..., 0], colour @ np.array([0.299, 0.587, 0.114]), atol=1)
    assert lfw(32, 1, tmp_path).images.all().shape == (6, 32, 32, 1)


def test_the_square_of_lfw_contains_the_region_of_scikit_learn():
    for ours, theirs in zip(LFW_SQUARE, inspect.signature(fetch_lfw_people).parameters["slice_"].default, strict=True):
        assert ours.start <= theirs.start < theirs.stop <= ours.stop
        assert ours.stop - ours.start == 128


@pytest.mark.parametrize("source", [olivetti, lfw])
def test_a_source_is_downloaded_once_without_output_and_then_read_from_the_cache(
    portraits, photographs, source, tmp_path, monkeypatch, capsys, caplog
):
    with caplog.at_level(logging.INFO):
        first = source(32, cache=tmp_path)
    assert capsys.readouterr() == ("", "")
    assert caplog.messages == [f"downloading {source.__name__}; this may take minutes, and is needed only once"]
    monkeypatch.setattr(_olivetti_faces, "_fetch_remote", forbidden)
    monkeypatch.setattr(_lfw, "_fetch_remote", forbidden)
    second = source(32, cache=tmp_path)
    np.testing.assert_array_equal(first.images.all(), second.images.all())
    assert first.names == second.names
    assert [path.name for path in tmp_path.iterdir()] == [f"{source.__name__}.npz"]


@pytest.mark.parametrize("source", [olivetti, lfw])
def test_no_pickle_is_loaded(portraits, photographs, source, tmp_path, monkeypatch):
    for unpickler in ("joblib.load", "joblib.numpy_pickle.load", "pickle.load", "pickle.loads"):
        monkeypatch.setattr(unpickler, forbidden)
    for _ in range(2):
        source(32, cache=tmp_path)


@pytest.mark.parametrize("source", [olivetti, lfw])
@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-200], lambda _: b"", lambda _: b"no archive", lambda _: pickle.dumps([1])]
)
def test_a_damaged_cache_is_downloaded_again(portraits, photographs, source, damage, tmp_path, caplog):
    first = source(32, cache=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    np.testing.assert_array_equal(source(32, cache=tmp_path).images.all(), first.images.all())
    assert "cannot be read" in caplog.text
    caplog.clear()
    source(32, cache=tmp_path)
    assert not caplog.messages


def deliver(wrong):
    def urlretrieve(_, path):
        Path(path).write_bytes(b"<html>not found</html>")
        if isinstance(wrong, BaseException):
            raise wrong

    return urlretrieve


@pytest.mark.parametrize("source", [olivetti, lfw])
@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (URLError("no route to host"), "no route to host"),
        (HTTPError("https://a.b", 503, "Service Unavailable", None, None), "HTTP Error 503: Service Unavailable"),
        (TimeoutError("timed out"), "timed out"),
        (IncompleteRead(b""), r"IncompleteRead\(0 bytes read\)"),
        (ConnectionResetError(), "ConnectionResetError"),
        ("nothing raised, and other bytes than were asked for", "checksum"),
    ],
)
def test_a_failed_download_is_one_line_and_leaves_nothing(
    source, wrong, reason, tmp_path, monkeypatch, recwarn, caplog
):
    monkeypatch.setattr(_base, "urlretrieve", deliver(wrong))
    monkeypatch.setattr(_base.time, "sleep", lambda _: None)
    remedy = "try again when the network works, or pass --data faces or a folder of images"
    with (
        caplog.at_level(logging.INFO),
        pytest.raises(UserError, match=rf"^{source.__name__} cannot .*{reason}.*; {remedy}$") as error,
    ):
        source(32, cache=tmp_path / "cache")
    assert "\n" not in str(error.value)
    assert caplog.messages == [f"downloading {source.__name__}; this may take minutes, and is needed only once"]
    assert not recwarn.list
    assert not list((tmp_path / "cache").iterdir())


def test_a_connection_without_data_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "TIMEOUT", 0.05)
    monkeypatch.setattr(_base.time, "sleep", lambda _: None)
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/faces.mat"
        monkeypatch.setattr(_olivetti_faces, "FACES", _olivetti_faces.FACES._replace(url=url))
        with pytest.raises(UserError, match="timed out"):
            olivetti(32, cache=tmp_path)
    assert socket.getdefaulttimeout() is None


def test_an_interrupted_download_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(_base, "urlretrieve", deliver(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        olivetti(32, cache=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_cache_that_cannot_be_written_is_an_error(portraits, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(UserError, match=r"cannot be downloaded to .*file"):
        olivetti(32, cache=blocked)
