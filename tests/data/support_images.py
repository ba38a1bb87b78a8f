"""Writes small image files for tests."""

import struct
import zlib

import numpy as np
from PIL import Image

SIZE = 32
LEFT_RED = np.zeros((SIZE, SIZE, 3), np.uint8)
LEFT_RED[:, : SIZE // 2] = (200, 30, 30)
LEFT_RED[:, SIZE // 2 :] = (30, 30, 200)


def save(path, array=LEFT_RED, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


def write_png(path, pixels, *blocks):
    """A PNG of grey or RGB pixels of 8 or 16 bits, with these blocks (name, content) before the pixels."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, {1: 0, 3: 2}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(pixels.dtype.newbyteorder(">")).tobytes() for row in pixels)
    everything = [(b"IHDR", header), *blocks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
            for name, content in everything
        )
    )
    return path
