import numpy as np
import pytest
from PIL import Image

from data.decoding import decode
from tests.data.support_images import LEFT_RED, SIZE, save


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".TIFF"])
def test_every_format_is_read(tmp_path, suffix):
    picture = decode(save(tmp_path / f"a{suffix}"), SIZE, 3)
    assert np.abs(picture[:, :12].astype(int) - (200, 30, 30)).mean() < 12
    assert np.abs(picture[:, 20:].astype(int) - (30, 30, 200)).mean() < 12


def test_exif_orientation_turns_the_picture_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    picture = decode(save(tmp_path / "a.jpg", exif=exif, quality=95), SIZE, 3)
    assert picture[4, 16, 0] > 150  # what was left is now the top
    assert picture[-4, 16, 2] > 150


def test_what_is_transparent_is_white(tmp_path):
    rgba = np.dstack([LEFT_RED, np.full((SIZE, SIZE), 255, np.uint8)])
    rgba[:, 16:, 3] = 0
    picture = decode(save(tmp_path / "a.png", rgba), SIZE, 3)
    assert picture[16, 24].min() > 250
    assert abs(int(picture[16, 8, 0]) - 200) < 3


def test_palettes_with_and_without_transparency(tmp_path):
    palette = Image.fromarray(LEFT_RED).quantize(8)
    palette.save(tmp_path / "plain.png")
    np.testing.assert_allclose(decode(tmp_path / "plain.png", SIZE, 3), LEFT_RED, atol=3)
    transparent = palette.getpixel((SIZE - 1, 0))
    palette.save(tmp_path / "clear.png", transparency=transparent)
    assert decode(tmp_path / "clear.png", SIZE, 3)[16, 24].min() > 250


def test_cmyk_comes_out_in_its_colours(tmp_path):
    Image.fromarray(LEFT_RED).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    picture = decode(tmp_path / "a.jpg", SIZE, 3)
    assert np.abs(picture[:, :12].astype(int) - (200, 30, 30)).mean() < 15


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_scaled_not_clipped(tmp_path, suffix):
    ramp = np.linspace(0, 65535, SIZE * SIZE).reshape(SIZE, SIZE).astype(np.uint16)
    picture = decode(save(tmp_path / f"a{suffix}", ramp), SIZE, 1)
    np.testing.assert_allclose(picture[..., 0], ramp / 257, atol=1)


def test_resizing_averages_what_it_shrinks(tmp_path):
    stripes = np.tile(np.array([[0], [255]], np.uint8), (SIZE * 4, SIZE * 8))
    picture = decode(save(tmp_path / "a.png", stripes), SIZE, 1)
    assert np.abs(picture.astype(int) - 127).max() < 12


def test_a_wide_picture_is_cropped_not_squeezed(tmp_path):
    wide = np.zeros((SIZE, 3 * SIZE), np.uint8)
    wide[:, SIZE : 2 * SIZE] = 255
    assert decode(save(tmp_path / "a.png", wide), SIZE, 1).min() == 255
