import io

import numpy as np
import pytest
from PIL import Image

import vae_keras
from common.errors import UserError
from data.image_folder import image_folder


@pytest.fixture(scope="module")
def vae():
    return vae_keras.build_vae((32, 32, 1), 2)


def test_a_picture_is_read_as_the_images_of_a_folder_are(vae, tmp_path):
    size, _, channels = vae.image_shape
    noise = np.random.default_rng(0).integers(0, 256, (50, 37, 4), np.uint8)  # with transparency, and not square
    Image.fromarray(noise).save(tmp_path / "one.png")
    picture = vae_keras.read_picture(str(tmp_path / "one.png"), vae)
    (expected,) = image_folder(tmp_path, size, channels).images.all()
    np.testing.assert_array_equal(np.rint(picture * 255).astype(np.uint8), expected)
    with (tmp_path / "one.png").open("rb") as opened:
        np.testing.assert_array_equal(vae_keras.read_picture(opened, vae), picture)
    assert vae.encode(picture[None]).mean.shape == (1, vae.latent_dim)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_saved_picture_is_read_back(channels, tmp_path):
    picture = np.random.default_rng(1).integers(0, 256, (9, 9, channels)) / 255
    vae_keras.save_picture(picture, tmp_path / "new" / "one.png")
    with Image.open(tmp_path / "new" / "one.png") as saved:
        np.testing.assert_array_equal(np.asarray(saved).reshape(9, 9, channels), np.rint(picture * 255))


@pytest.mark.parametrize(
    "wrong", [np.zeros((1, 4, 4, 3)), np.zeros((4, 4)), np.full((4, 4, 1), 255), np.full((4, 4, 1), np.nan)]
)
def test_an_array_that_is_no_picture_is_refused(wrong, tmp_path):
    with pytest.raises(ValueError, match=r"picture|pixels"):
        vae_keras.save_picture(wrong, tmp_path / "one.png")
    assert not [*tmp_path.iterdir()]


def test_what_cannot_be_read_or_written_is_refused(vae, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    for path in ("text.png", "missing.png", "."):
        with pytest.raises(UserError):
            vae_keras.read_picture(tmp_path / path, vae)
    for content in (b"", b"no picture", b"\x89PNG\r\n\x1a\n"):
        with pytest.raises(UserError, match="the picture"):
            vae_keras.read_picture(io.BytesIO(content), vae)
    for name in ("one", "one.docx", "one.heic.txt"):
        with pytest.raises(UserError):
            vae_keras.save_picture(np.zeros((4, 4, 1)), tmp_path / name)


def test_an_enlarged_picture_is_told(vae, tmp_path, caplog):
    Image.new("L", (5, 5)).save(tmp_path / "small.png")
    vae_keras.read_picture(tmp_path / "small.png", vae)
    (record,) = caplog.records
    assert "small.png" in record.getMessage()
