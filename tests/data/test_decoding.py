import numpy as np
import pytest
from PIL import Image, ImageCms

from data import decoding
from data.decoding import BLACK, DARK, NO_EXIF, NO_PROFILE
from tests.data.support_images import LEFT_RED, SIZE, save, write_png


def decode(path, size, channels):
    return decoding.decode(path, size, channels).pixels


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".TIFF"])
def test_every_format_is_read(tmp_path, suffix):
    image = decode(save(tmp_path / f"a{suffix}"), SIZE, 3)
    assert np.abs(image[:, :12].astype(int) - (200, 30, 30)).mean() < 12
    assert np.abs(image[:, 20:].astype(int) - (30, 30, 200)).mean() < 12


def test_exif_orientation_turns_the_image_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter clockwise
    image = decode(save(tmp_path / "a.jpg", exif=exif, quality=95), SIZE, 3)
    assert image[4, 16, 0] > 150  # the left side is now the top
    assert image[-4, 16, 2] > 150


def test_transparent_pixels_become_white(tmp_path):
    rgba = np.dstack([LEFT_RED, np.full((SIZE, SIZE), 255, np.uint8)])
    rgba[:, 16:, 3] = 0
    image = decode(save(tmp_path / "a.png", rgba), SIZE, 3)
    assert image[16, 24].min() > 250
    assert abs(int(image[16, 8, 0]) - 200) < 3


def test_palettes_are_read_with_and_without_transparency(tmp_path):
    palette = Image.fromarray(LEFT_RED).quantize(8)
    palette.save(tmp_path / "plain.png")
    np.testing.assert_allclose(decode(tmp_path / "plain.png", SIZE, 3), LEFT_RED, atol=3)
    transparent = palette.getpixel((SIZE - 1, 0))
    palette.save(tmp_path / "clear.png", transparency=transparent)
    assert decode(tmp_path / "clear.png", SIZE, 3)[16, 24].min() > 250


def test_cmyk_keeps_its_colours(tmp_path):
    Image.fromarray(LEFT_RED).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    image = decode(tmp_path / "a.jpg", SIZE, 3)
    assert np.abs(image[:, :12].astype(int) - (200, 30, 30)).mean() < 15


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_scaled_not_clipped(tmp_path, suffix):
    ramp = np.linspace(0, 65535, SIZE * SIZE).reshape(SIZE, SIZE).astype(np.uint16)
    image = decode(save(tmp_path / f"a{suffix}", ramp), SIZE, 1)
    np.testing.assert_allclose(image[..., 0], ramp / 257, atol=1)


def test_shrinking_averages_pixels(tmp_path):
    stripes = np.tile(np.array([[0], [255]], np.uint8), (SIZE * 4, SIZE * 8))
    image = decode(save(tmp_path / "a.png", stripes), SIZE, 1)
    assert np.abs(image.astype(int) - 127).max() < 12


def test_a_wide_image_is_cropped_not_squeezed(tmp_path):
    wide = np.zeros((SIZE, 3 * SIZE), np.uint8)
    wide[:, SIZE : 2 * SIZE] = 255
    assert decode(save(tmp_path / "a.png", wide), SIZE, 1).min() == 255


def display_p3():
    """The profile of Display P3, version 4: the primaries adapted to D50, and the curve of sRGB."""

    def fixed(number):
        return round(number * 65536).to_bytes(4, "big", signed=True)

    def xyz(*numbers):
        return b"XYZ " + bytes(4) + b"".join(map(fixed, numbers))

    def text(words):
        encoded = words.encode("utf-16-be")
        return (
            b"mluc"
            + bytes(4)
            + (1).to_bytes(4, "big")
            + (12).to_bytes(4, "big")
            + b"enUS"
            + len(encoded).to_bytes(4, "big")
            + (28).to_bytes(4, "big")
            + encoded
        )

    curve = b"para" + bytes(4) + (3).to_bytes(2, "big") + bytes(2)
    curve += b"".join(map(fixed, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))
    tags = {
        b"desc": text("Display P3"), b"cprt": text("none"), b"wtpt": xyz(0.96419, 1.0, 0.82489),
        b"rXYZ": xyz(0.51512, 0.2412, -0.00105), b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.1571, 0.06657, 0.78407), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve,
    }  # fmt: skip
    place, table, data = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += name + (place + len(data)).to_bytes(4, "big") + len(content).to_bytes(4, "big")
        data += content
    size = place + len(data)
    header = size.to_bytes(4, "big") + b"none" + b"\x04\x30\x00\x00" + b"mntrRGB XYZ " + bytes(12) + b"acsp"
    header += bytes(128 - len(header) - 60) + xyz(0.9642, 1.0, 0.82491)[8:] + bytes(48)
    return header + len(tags).to_bytes(4, "big") + table + data


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_colours_of_a_wide_profile_become_srgb(tmp_path, suffix):
    colour = np.array([180, 120, 90])
    path = tmp_path / f"a{suffix}"
    lossless = (
        {"quality": 100, "subsampling": 0} if suffix == ".jpg" else {"lossless": True} if suffix == ".webp" else {}
    )
    Image.new("RGB", (SIZE, SIZE), tuple(colour.tolist())).save(path, icc_profile=display_p3(), **lossless)

    def linear(values):
        return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)

    # From Display P3 to sRGB in linear light (both D65): CSS Color Module Level 4, section 10.
    p3_to_srgb = np.array([[1.2249, -0.2249, 0], [-0.0421, 1.0421, 0], [-0.0196, -0.0786, 1.0983]])
    light = p3_to_srgb @ linear(colour / 255)
    expected = 255 * (1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(expected - colour).max() > 5
    np.testing.assert_allclose(decode(path, SIZE, 3).reshape(-1, 3).mean(0), expected, atol=1.5)


def test_an_srgb_profile_changes_no_pixel(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = tmp_path / "a.png"
    Image.fromarray(LEFT_RED).save(path, icc_profile=profile)
    np.testing.assert_array_equal(decode(path, SIZE, 3), LEFT_RED)


def test_a_damaged_profile_is_a_warning_and_the_image_is_kept(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(LEFT_RED).save(path, icc_profile=b"no profile at all")
    decoded = decoding.decode(path, SIZE, 3)
    np.testing.assert_array_equal(decoded.pixels, LEFT_RED)
    assert decoded.warnings == (NO_PROFILE,)


@pytest.mark.parametrize(("suffix", "kind"), [(".png", np.uint16), (".tif", np.uint16), (".tif", np.int32)])
def test_eight_bits_in_more_are_black_and_a_warning_says_so(tmp_path, suffix, kind):
    ramp = np.linspace(0, 255, SIZE * SIZE).reshape(SIZE, SIZE).astype(kind)
    decoded = decoding.decode(save(tmp_path / f"a{suffix}", ramp), SIZE, 1)
    assert decoded.warnings == (BLACK,)
    assert decoding.decode(save(tmp_path / f"b{suffix}", 0 * ramp), SIZE, 1).warnings == ()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bits", [8, 16])
def test_the_transparent_colour_becomes_white_at_every_depth(tmp_path, channels, bits):
    pixels = np.full((SIZE, SIZE, channels), 2**bits // 5, np.uint8 if bits == 8 else np.uint16)
    pixels[:, SIZE // 2 :] = 2**bits // 3
    colour = np.full(channels, 2**bits // 3, ">u2").tobytes()
    decoded = decoding.decode(write_png(tmp_path / "a.png", pixels, (b"tRNS", colour)), SIZE, 1)
    assert decoded.warnings == ()
    assert decoded.pixels[16, 24, 0] == 255
    assert abs(int(decoded.pixels[16, 8, 0]) - 51) <= 1


@pytest.mark.parametrize("block", [b"junk", b"", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\0\x05"])
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_exif_data_that_cannot_be_read_do_not_stop_a_run(tmp_path, block):
    pixels = LEFT_RED
    path = write_png(tmp_path / "a.png", pixels, (b"eXIf", block))
    decoded = decoding.decode(path, SIZE, 3)
    np.testing.assert_array_equal(decoded.pixels, pixels)
    assert decoded.warnings == ((NO_EXIF,) if block == b"junk" else ())


def test_twelve_bits_in_sixteen_are_dark_and_a_warning_says_so(tmp_path):
    ramp = np.linspace(0, 4095, SIZE * SIZE).reshape(SIZE, SIZE).astype(np.uint16)
    decoded = decoding.decode(save(tmp_path / "a.png", ramp), SIZE, 1)
    assert decoded.warnings == (DARK,)
    assert decoded.pixels.max() == 16
    assert decoding.decode(save(tmp_path / "b.png", ramp * 16), SIZE, 1).warnings == ()
