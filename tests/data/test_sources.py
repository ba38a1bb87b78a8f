import pytest

from common.errors import UserError
from data import sources
from data.sources import canonical, open_dataset


def test_rendered_faces_are_written_with_their_number():
    assert canonical("faces") == "faces:2000"
    assert canonical("faces:0040") == "faces:40"


def test_a_folder_is_written_as_an_absolute_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    assert canonical("mine") == str(tmp_path / "mine")


@pytest.mark.parametrize("wrong", ["faces:", "faces:-3", "faces:many", "faces:9"])
def test_a_wrong_number_of_faces_is_an_error(wrong):
    with pytest.raises(UserError, match="whole number from 10"):
        canonical(wrong)


@pytest.mark.parametrize("name", ["olivetti", "lfw"])
def test_a_download_is_written_by_its_name_even_if_a_folder_has_that_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    assert canonical(name) == name
    assert canonical(f"./{name}") == str(tmp_path / name)


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [("face:200", "faces"), ("olivetty", "olivetti"), ("Olivetti", "olivetti"), ("lfv", "lfw"), ("lfw:50", "lfw")],
)
def test_an_unknown_source_is_an_error_that_suggests_the_nearest_source(wrong, nearest):
    with pytest.raises(UserError, match=rf"no folder {wrong} \(did you mean {nearest}\?\)"):
        canonical(wrong)


def test_the_home_of_an_unknown_user_is_an_error():
    with pytest.raises(UserError, match="~nosuchuser/x: no user is called nosuchuser"):
        canonical("~nosuchuser/x")


def test_the_home_of_the_user_is_written_in_full(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine").mkdir()
    assert canonical("~/mine") == str(tmp_path / "mine")


def test_an_error_about_an_odd_name_is_one_line():
    with pytest.raises(UserError, match=r"no folder a\\nb\\udce9; pass"):
        canonical("a\nb\udce9")


def test_a_source_similar_to_none_is_an_error_that_names_all_sources():
    with pytest.raises(UserError, match="no folder absent; pass faces, faces:N, olivetti, lfw or a folder of images"):
        canonical("absent")


def test_a_source_opens_in_the_requested_size():
    assert open_dataset("faces:10", 32, 3).images.all().shape == (10, 32, 32, 3)


@pytest.mark.parametrize("name", ["olivetti", "lfw"])
def test_a_download_opens_in_the_requested_size(monkeypatch, name):
    assert sources.DOWNLOADS[name].__name__ == name
    monkeypatch.setitem(sources.DOWNLOADS, name, lambda size, channels, cache: (name, size, channels))
    assert open_dataset(name, 32, 3) == (name, 32, 3)
