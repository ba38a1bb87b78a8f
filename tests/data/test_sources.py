import pytest

from data.errors import UserError
from data.sources import canonical, open_dataset


def test_rendered_faces_are_spelled_with_their_number():
    assert canonical("faces") == "faces:2000"
    assert canonical("faces:0040") == "faces:40"


def test_a_folder_is_spelled_so_that_it_means_the_same_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    assert canonical("mine") == str(tmp_path / "mine")


@pytest.mark.parametrize("wrong", ["faces:", "faces:-3", "faces:many", "faces:9"])
def test_a_number_of_faces_that_is_none_is_an_error(wrong):
    with pytest.raises(UserError, match="whole number from 10"):
        canonical(wrong)


def test_an_unknown_source_is_an_error_with_the_nearest_right_one():
    with pytest.raises(UserError, match="did you mean faces"):
        canonical("face:200")


def test_a_source_opens_at_the_asked_size():
    assert open_dataset("faces:10", 32, 3).images.shape == (10, 32, 32, 3)
