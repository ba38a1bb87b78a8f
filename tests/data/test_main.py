"""`python -m data faces` writes a folder that trains as the rendered faces themselves do."""

import numpy as np
import pytest

from data.__main__ import main
from data.image_folder import image_folder
from data.rendered_faces import rendered_faces


@pytest.mark.parametrize("channels", [1, 3])
def test_the_folder_has_the_faces_with_their_classes(tmp_path, capsys, channels):
    folder = tmp_path / "my_faces"
    assert main(["faces", "12", str(folder), "--size", "32", "--channels", str(channels)]) == 0
    assert str(folder) in capsys.readouterr().out
    faces = rendered_faces(12, 32, channels)
    known = {
        f"{kind}/{name}.png": image
        for kind, name, image in zip(faces.classes, faces.names, faces.images.all(), strict=True)
    }
    read = image_folder(folder, 32, channels)
    assert set(read.names) == set(known)
    for name, image in zip(read.names, read.images.all(), strict=True):
        np.testing.assert_array_equal(image, known[name])
    assert set(read.label_names) == {"smile", "non_smile"}


def test_a_folder_with_files_is_left_as_it_is(tmp_path, capsys):
    (tmp_path / "thesis.tex").touch()
    assert main(["faces", "2", str(tmp_path)]) == 2
    assert "is not an empty folder; name another one" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("arguments", [["faces", "0", "a"], ["faces", "x", "a"], ["cats", "2", "a"], ["faces", "2"]])
def test_wrong_use_is_one_line(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not any(tmp_path.iterdir())
