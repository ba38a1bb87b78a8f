import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from common.errors import UserError
from data import image_files
from data.image_files import find_images
from data.image_folder import image_folder
from data.image_formats import image_formats
from tests.data.support_images import LEFT_RED, SIZE, save
from tests.support import ROOT, run_python

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)


def found(folder):
    return [path.relative_to(folder).as_posix() for path in find_images(folder)]


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".gif", ".avif", ".JPG", ".jp2", ".ppm", ".tga", ".ico", ".webp"])
def test_every_format_of_pillow_is_found_by_its_suffix(tmp_path, suffix):
    save(tmp_path / f"a{suffix}")
    assert found(tmp_path) == [f"a{suffix}"]
    assert image_folder(tmp_path, SIZE, 3).images.all().shape == (1, SIZE, SIZE, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "AVIF", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("name", ["photo", "photo.download", "photo.jpg.1", "photo.txt"])
def test_an_image_is_recognised_by_its_first_bytes_whatever_its_name(tmp_path, kind, name):
    Image.fromarray(LEFT_RED).save(tmp_path / name, kind)
    assert found(tmp_path) == [name]
    assert len(image_folder(tmp_path, SIZE, 3).images.all()) == 1


# The first characters of tables, notes and settings; some are those of an image, too.
BEGINNINGS = [
    "image,smile\n",
    "BMI,age\n",
    "P6,P5\n",
    "P1 of 3\n",
    "#define a 1\n",
    "{}",
    "II*",
    "MM",
    "GIF",
    "\x89PNG",
    "\0",
]


@given(st.sampled_from(BEGINNINGS), st.text(max_size=300))
def test_text_files_are_no_images_and_cause_no_warning(tmp_path_factory, beginning, rest):
    folder = tmp_path_factory.mktemp("folder")
    for name in ("a.csv", "a.txt", "a.json", "notes"):
        (folder / name).write_text(beginning + rest, encoding="utf-8", errors="replace")
    save(folder / "a.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image_files.log, "warning", lambda *line: pytest.fail(str(line)))
        assert found(folder) == ["a.png"]


def test_films_programs_and_tables_of_numbers_are_no_images(tmp_path):
    (tmp_path / "a.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    (tmp_path / "b.mpg").write_bytes(b"\0\0\1\xb3" + bytes(99))
    (tmp_path / "c.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(99))
    np.save(tmp_path / "d.npy", np.zeros(9))
    # A format without a signature: any file could have this format.
    Image.fromarray(LEFT_RED).save(tmp_path / "e.bin", "TGA")
    with pytest.raises(UserError, match=r"no images in .* \(looked at 5 files for the formats that Pillow reads"):
        found(tmp_path)


def test_the_error_for_an_empty_folder_names_formats_that_are_all_read(tmp_path):
    with pytest.raises(UserError, match="no images in") as error:
        found(tmp_path)
    named = str(error.value).partition("such as ")[2].partition(")")[0].replace(" and ", ", ").split(", ")
    assert {name.upper() for name in named} <= set(image_formats().names)
    assert "looked at 0 files" in str(error.value)


@pytest.mark.parametrize("name", ["a.heic", "a.HEIF", "IMG_0001"])
def test_a_warning_about_heic_names_the_plugin_to_install(tmp_path, caplog, name):
    save(tmp_path / "a.png")
    (tmp_path / name).write_bytes(HEIC)
    assert found(tmp_path) == ["a.png"]
    (line,) = [record.message for record in caplog.records]
    assert line.startswith("left out 1 .hei")
    assert name in line
    assert "python -m pip install pillow-heif" in line


def test_errors_about_heic_name_the_plugin_to_install(tmp_path):
    (tmp_path / "a.heic").write_bytes(HEIC)
    with pytest.raises(
        UserError, match=r"no images in .* but 1 \.heic files, such as a\.heic, .* pip install pillow-heif"
    ):
        found(tmp_path)
    (tmp_path / "a.heic").rename(tmp_path / "a.jpg")
    with pytest.raises(UserError, match=r"such as a\.jpg \(it is HEIF; run python -m pip install pillow-heif"):
        image_folder(tmp_path, SIZE, 1)


def test_heic_is_read_once_the_plugin_is_installed(tmp_path):
    # Stands in for pillow-heif, and reads any HEIF file as a grey square.
    (tmp_path / "pillow_heif.py").write_text(
        """
from PIL import Image, ImageFile

class HeifImageFile(ImageFile.ImageFile):
    format = "HEIF"
    def _open(self):
        self._size, self._mode = (40, 40), "L"
    def load(self):
        self.im = Image.new("L", (40, 40), 90).im
        return Image.Image.load(self)

def register_heif_opener():
    Image.register_open("HEIF", HeifImageFile, lambda prefix: prefix[4:12] == b"ftypheic")
    Image.register_extensions("HEIF", [".heic", ".heif"])
"""
    )
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "a.heic").write_bytes(HEIC)
    program = (
        "from pathlib import Path; from data.image_folder import image_folder; "
        "print(image_folder(Path('faces'), 32, 1).images.all().mean())"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    result = run_python("-c", program, cwd=tmp_path, env=environment)
    assert result.stdout == "90.0\n", result.stderr


@pytest.mark.parametrize("suffix", [".dng", ".CR2", ".jxl", ".svg"])
def test_a_warning_names_images_that_pillow_cannot_read(tmp_path, caplog, suffix):
    save(tmp_path / "a.png")
    Image.fromarray(LEFT_RED).save(tmp_path / f"b{suffix}", "TIFF")
    assert found(tmp_path) == ["a.png"]
    assert f"left out 1 {suffix.lower()} files, such as b{suffix}" in caplog.text
    assert "convert them to JPEG or PNG" in caplog.text


def test_an_image_too_large_to_open_is_found_and_reported(tmp_path, monkeypatch):
    save(tmp_path / "photo", format="PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert found(tmp_path) == ["photo"]
    with pytest.raises(UserError, match=r"1 of 1 images .* such as photo .*exceeds limit"):
        image_folder(tmp_path, SIZE, 1)


def test_a_pipe_is_not_opened(tmp_path):
    save(tmp_path / "a.png")
    os.mkfifo(tmp_path / "pipe")
    assert found(tmp_path) == ["a.png"]
    os.mkfifo(tmp_path / "b.png")
    with pytest.raises(UserError, match=r"b\.png \(it is not a regular file\)"):
        image_folder(tmp_path, SIZE, 1)


@pytest.fixture
def closed_folders(monkeypatch):
    """Folders called closed cannot be read, like folders of another user."""
    scandir = os.scandir

    def refuse(path="."):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)


def test_a_warning_names_a_folder_that_cannot_be_read(tmp_path, caplog, closed_folders):
    for name in ("a/1.png", "closed/2.png", "z/closed/3.png"):
        save(tmp_path / name)
    assert found(tmp_path) == ["a/1.png"]
    assert [record.message for record in caplog.records] == [
        f"left out the folder {tmp_path}/closed: Permission denied",
        f"left out the folder {tmp_path}/z/closed: Permission denied",
    ]
    with pytest.raises(
        UserError, match=r"closed cannot be read \(Permission denied\); pass another folder with --data"
    ):
        found(tmp_path / "closed")


@pytest.mark.parametrize("link", ["a_link", "z_link"])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_folder_appears_under_its_own_name_not_under_that_of_a_link(tmp_path, monkeypatch, caplog, link, backwards):
    for name in ("happy/1.png", "sad/2.png"):
        save(tmp_path / name)
    (tmp_path / link).symlink_to(tmp_path / "happy")
    scandir = os.scandir

    class AsOnDisk:
        """The entries of a folder, sorted or in reverse."""

        def __init__(self, path):
            self.entries = iter(sorted(scandir(path), key=lambda entry: entry.name, reverse=backwards))

        def __enter__(self):
            return self.entries

        def __exit__(self, *reason):
            pass

        def __iter__(self):
            return self.entries

        def __next__(self):
            return next(self.entries)

    monkeypatch.setattr(os, "scandir", AsOnDisk)
    assert found(tmp_path) == ["happy/1.png", "sad/2.png"]
    assert [record.message for record in caplog.records] == [
        f"left out {tmp_path}/{link}: it links to a folder that has been read already"
    ]


def test_a_linked_folder_appears_under_the_first_of_its_links(tmp_path, caplog):
    save(tmp_path / "elsewhere" / "1.png")
    save(tmp_path / "faces" / "0.png")
    for link in ("b", "a"):
        (tmp_path / "faces" / link).symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "loop").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "faces" / "gone").symlink_to(tmp_path / "absent")
    assert found(tmp_path / "faces") == ["0.png", "a/1.png"]
    assert [record.message.partition(": ")[2] for record in caplog.records] == [
        "it links to nothing",
        "it links to a folder that has been read already",
        "it links to a folder that has been read already",
    ]
