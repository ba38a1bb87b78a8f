"""Renders a face from its factors; the same factors always give the same image.

Background, hair behind the head, neck, shoulders, head and the hair in front are layers, each a solid (`data.solids`,
`data.face_shapes`) with colours on it (`data.face_painting`). Light and layers are computed with linear colours.
"""

import functools

import numpy as np
from joblib import Parallel, delayed

from common.progress import tracked
from data.face_painting import (
    BACKGROUND,
    FACE_PAINTERS,
    GAMMA,
    HAIR,
    SKIN,
    Canvas,
    linear,
    lower_edge_of_hair,
    strands,
    tone,
)
from data.face_shapes import NECK, SHOULDERS, Factors, ears_of, hair_behind, hair_in_front, head_of
from data.solids import Camera, Solid, Surface, gaussian, inside, light_from, see, shade, smoothstep

# Half the side of the image; the head reaches from y = -1 to 1. Face data sets are cropped as close (CelebA's aligned
# images from the hair to the chin), and every pixel beside the face is one that the mouth does not have.
HALF_IMAGE = 1.06
PARALLEL_FROM = 200  # images; fewer images are rendered faster than parallel workers start
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # Rec. 709
SHIRT = (92, 112, 140)
GAMMA_STEPS = 2**15

Layer = tuple[Surface, np.ndarray, np.ndarray | np.float32]  # a surface, its albedo and its gloss


def head_layer(face: Factors, camera: Camera) -> Layer:
    """The surface, albedo and gloss of the head."""
    solid, bumps = head_of(face)
    surface = see(camera, solid, face.yaw, bumps)
    canvas = Canvas(surface, tone(SKIN, face.skin_tone), gloss=0.07, edge=max(camera.pixel, 0.012))
    for painter in FACE_PAINTERS:
        painter(face, canvas)
    return surface, canvas.albedo, canvas.gloss


def hair_behind_layer(face: Factors, camera: Camera) -> Layer:
    """The surface, albedo and gloss of the hair behind the head, which gets less light."""
    surface = see(camera, hair_behind(face), face.yaw)
    pattern = strands(0.9 * surface.x + 0.05 * surface.y)
    return surface, tone(HAIR, face.hair_tone) * (0.72 + 0.10 * pattern), np.float32(0.04)


def hair_in_front_layer(face: Factors, camera: Camera) -> Layer:
    """The surface, albedo and gloss of the hair in front: combed from a parting to both sides."""
    surface = see(camera, hair_in_front(face), face.yaw)
    x, y = surface.x, surface.y
    side = x + 0.30 * face.half_width
    spread = np.abs(side)
    phase = y + 0.25 * spread + 1.1 * spread * spread * spread
    pattern = strands(phase)
    parting = gaussian(side, 0.020) * smoothstep(0.55, 0.75, y)
    colour = tone(HAIR, face.hair_tone) * (1 + 0.20 * pattern) * (1 - 0.45 * parting)
    above = y - lower_edge_of_hair(face, x) - 0.012 * pattern
    # At the temples the edge is steep, so the distance to it is not measured in y, but in steps of the gradient.
    down, across = np.gradient(above)
    cut = inside(above, 1.4 * np.sqrt(down * down + across * across) + 0.012) * smoothstep(-0.35, -0.1, surface.z)
    return surface._replace(coverage=surface.coverage * cut), colour, np.float32(0.16) * (1 + 0.5 * pattern)


def ear_layer(face: Factors, ear: Solid, camera: Camera) -> Layer:
    """The surface, albedo and gloss of an ear, whose middle is darker."""
    surface = see(camera, ear, face.yaw)
    hollow = gaussian(surface.y - ear.y0, 0.08) * gaussian(surface.x - ear.x0 * 1.02, 0.03)
    return surface, tone(SKIN, face.skin_tone) * (0.95 - 0.35 * hollow), np.float32(0.03)


@functools.lru_cache(maxsize=8)  # two solids for each of four sizes of images
def seen_once(camera: Camera, solid: Solid) -> Surface:
    """The surface of neck or shoulders, which are the same for every face; its arrays cannot be written."""
    surface = see(camera, solid)
    for array in (surface.coverage, surface.depth, surface.x, surface.y, surface.z, *surface.normal):
        array.flags.writeable = False
    return surface


def neck_layer(face: Factors, camera: Camera) -> Layer:
    """The surface, albedo and gloss of the neck, which is darker below the chin."""
    surface = seen_once(camera, NECK)
    shadow = 0.40 + 0.60 * smoothstep(-0.85, -1.35, surface.y)
    return surface, tone(SKIN, face.skin_tone) * shadow, np.float32(0.04)


def shoulders_layer(camera: Camera) -> Layer:
    """The surface, albedo and gloss of the shoulders in a shirt."""
    return seen_once(camera, SHOULDERS), linear(SHIRT), np.float32(0.02)


def render(factors: np.ndarray, size: int = 128, channels: int = 1) -> np.ndarray:
    """An image of the face with these factors, (size, size, channels) uint8.

    Args:
        factors: (K,), in the order and the units of `data.factors.FACTORS`.
        size: height and width in pixels; the face is rendered in this size and not resized.
        channels: 1 (grey, the luminance) or 3 (RGB).
    """
    face = Factors(*(float(value) for value in factors))
    camera = Camera(size, HALF_IMAGE)
    light = light_from(face.light_azimuth)

    image = np.empty((3, size, size), np.float32)
    image[:] = tone(BACKGROUND, face.background) * (1.04 + 0.10 * camera.y - 0.10 * camera.x * camera.x)
    depth = np.full((size, size), -np.inf, np.float32)
    # The layers behind come first, so that the soft edges of the layers in front are mixed with them.
    for surface, albedo, gloss in (
        hair_behind_layer(face, camera),
        neck_layer(face, camera),
        shoulders_layer(camera),
        *(ear_layer(face, ear, camera) for ear in ears_of(face)),
        head_layer(face, camera),
        hair_in_front_layer(face, camera),
    ):
        behind = depth[surface.window]
        # Where two surfaces have the same depth, each has a share of 1/2. This gives a soft edge without a seam.
        share = surface.coverage * smoothstep(-0.03, 0.03, surface.depth - behind)
        below, change = image[:, *surface.window], shade(surface, albedo, gloss, light)
        change -= below
        change *= share
        below += change
        np.copyto(behind, surface.depth, where=share > 0.5)

    planes = image if channels == 3 else np.tensordot(LUMINANCE, image, 1)[None]
    steps = (np.clip(planes, 0, 1) * np.float32(GAMMA_STEPS) + np.float32(0.5)).astype(np.uint16)
    return np.ascontiguousarray(ENCODED[steps].transpose(1, 2, 0))


# The gamma-encoded pixel of each linear value in GAMMA_STEPS steps; a table is faster than a power for each pixel.
ENCODED = np.rint(255 * np.linspace(0, 1, GAMMA_STEPS + 1) ** (1 / GAMMA)).astype(np.uint8)


def render_many(factors: np.ndarray, size: int = 128, channels: int = 1) -> np.ndarray:
    """One image for each row of `factors` (n, K): (n, size, size, channels) uint8. All CPU cores are used."""
    # Processes are used instead of threads, because threads would wait for the interpreter's lock most of the time.
    jobs = -1 if len(factors) >= PARALLEL_FROM else 1
    rendered = Parallel(n_jobs=jobs, return_as="generator")(delayed(render)(row, size, channels) for row in factors)
    return np.stack([*tracked(rendered, f"rendering {len(factors):,} faces", len(factors))])
