"""Which images a run trains and tests on, and whether it finds the same ones again."""

import json
import logging
import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from PIL import Image

from common.errors import UserError
from tests import odd_names
from tests.support import examples
from vae_keras.callbacks.projector import write_projected_images
from vae_keras.config import Config
from vae_keras.config_file import load_config
from vae_keras.run_data import open_data, read_data, read_other_data
from vae_keras.run_folder import create_run

SIZE = 32


def save_images(folder, contents):
    """An image for each name; those of the same content have the same pixels."""
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(content).integers(0, 256, (SIZE, SIZE), dtype=np.uint8)
        Image.fromarray(pixels).save(path, "PNG")


@pytest.fixture
def folder(tmp_path):
    """Forty images, of which the first eight are each there three times."""
    contents = {f"{place:02d}.png": place if place < 24 else (place - 24) % 8 for place in range(40)}
    save_images(tmp_path / "faces", contents)
    return tmp_path / "faces"


@pytest.fixture
def config(folder):
    return Config.of(data=str(folder), image_size=SIZE).checked()


def pixels_of(data, part):
    digests = data.dataset.digests()
    return {digests[index] for index in getattr(data.split, part)}


def test_no_test_image_has_the_pixels_of_a_train_image_and_a_line_says_how_many_are_alike(config, caplog):
    data = open_data(config)
    assert not pixels_of(data, "test") & (pixels_of(data, "train") | pixels_of(data, "validation"))
    assert len(data.split.test) == 8
    (line,) = [record.message for record in caplog.records]
    assert line.startswith("16 of 40 images have the same pixels as another image (such as 00.png and 24.png)")


def test_images_that_all_differ_are_split_without_a_word(tmp_path, caplog):
    save_images(tmp_path / "faces", {f"{place}.png": place for place in range(20)})
    open_data(Config.of(data=str(tmp_path / "faces"), image_size=SIZE).checked())
    assert not caplog.records


@pytest.fixture
def old_run(tmp_path, config):
    """A run whose split.json has identical images in train and test."""
    run = create_run(tmp_path / "run", config, open_data(config))
    saved = json.loads(run.split.read_text())
    names = sorted(saved["digests"])
    saved |= {"test": names[:8], "validation": names[8:12], "train": names[12:]}
    run.split.write_text(json.dumps(saved))
    return run


def test_a_run_with_the_same_pixels_in_train_and_test_keeps_its_split_and_a_line_tells_of_it(old_run, config, caplog):
    with caplog.at_level(logging.WARNING):
        data = read_data(config, old_run.split)
    assert data.split.test.tolist() == list(range(8))
    assert "8 of the 8 test images, such as 00.png, have the same pixels as images that were used" in caplog.text


def test_a_new_run_is_read_back_without_a_word(tmp_path, config, caplog):
    run = create_run(tmp_path / "run", config, data := open_data(config))
    caplog.clear()
    again = read_data(config, run.split)
    for one, other in zip(data.split, again.split, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not caplog.records


def test_the_same_images_in_another_folder_keep_the_split_of_training(tmp_path, config, folder):
    run = create_run(tmp_path / "run", config, open_data(config))
    saved = json.loads(run.split.read_text())
    # Another version of the project may have split the images in this way.
    saved["test"], saved["train"][:8] = saved["train"][:8], saved["test"]
    run.split.write_text(json.dumps(saved))
    shutil.move(folder, tmp_path / "moved")
    data = read_other_data(config, run.split, str(tmp_path / "moved"))
    assert data.fitted
    assert {data.dataset.names[index] for index in data.split.train} == set(saved["train"])
    assert {data.dataset.names[index] for index in data.split.test} <= set(saved["test"])


def test_images_that_came_after_training_are_left_out_and_a_line_says_so(tmp_path, config, folder, caplog):
    run = create_run(tmp_path / "run", config, data := open_data(config))
    caplog.clear()
    save_images(folder, {"00a.png": 100, "new/b.png": 101})
    again = read_data(config, run.split)
    assert again.dataset.names == data.dataset.names
    np.testing.assert_array_equal(again.dataset.images.all(), data.dataset.images.all())
    np.testing.assert_array_equal(again.split.test, data.split.test)
    (line,) = [record.message for record in caplog.records]
    assert line == f"left out 2 images that were added to {folder} after training, such as 00a.png"
    (folder / "01.png").unlink()
    with pytest.raises(UserError, match=r"was trained: 1 gone \(such as 01\.png\), 2 new \(such as 00a\.png\); train"):
        read_data(config, run.split)


@examples(25, suppress_health_check=[HealthCheck.too_slow])
@given(odd_names.names, st.lists(odd_names.names, min_size=10, max_size=10, unique=True), st.booleans())
def test_whatever_images_and_folders_are_called_a_run_finds_them_again(tmp_path_factory, root, names, as_folders):
    folder = tmp_path_factory.mktemp("images") / root
    save_images(folder, {f"{name}/a" if as_folders else name: place for place, name in enumerate(names)})
    config = Config.of(data=str(folder), image_size=SIZE).checked()
    try:
        data = open_data(config)
    except UserError as error:
        assert "are shown as" in str(error)  # noqa: PT017
        return
    run = create_run(tmp_path_factory.mktemp("run") / root, config, data)
    assert load_config(run.config) == config
    again = read_data(load_config(run.config), run.split)
    assert again.dataset.names == data.dataset.names
    for one, other in zip(data.split, again.split, strict=True):
        np.testing.assert_array_equal(one, other)
    write_projected_images(run.folder, data.dataset, data.split.train)
    rows = (run.folder / "metadata.tsv").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    assert [row.count("\t") for row in rows] == [rows[0].count("\t")] * (1 + len(data.split.train))
    for path in run.folder.iterdir():
        if path.suffix != ".png":
            assert path.read_text(encoding="utf-8")
