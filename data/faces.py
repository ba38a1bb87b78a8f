"""Renders a face from its factors; the same factors always give the same image.

Head, hair, neck and shoulders are solids (`data.solids`). Nose, brow, eye sockets, cheeks, lips and chin are bumps on
the head. Eyes, mouth and brows are painted on the head as regions in the head's own coordinates (x, y), so they turn
with the head. Every edge is about one pixel wide at the size of the image, so the edges are antialiased.

The unit of length is half the height of the head: the head reaches from y = -1 to 1, the image from y = -1.3 to 1.3.
Two tones are mixed as gamma-encoded colours; light and layers are computed with linear colours.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed

from data.solids import (
    Bump,
    Camera,
    Solid,
    Surface,
    camera_of,
    inside,
    light_direction,
    mix,
    see,
    shade,
    smoothstep,
)

HALF_IMAGE = 1.3
GAMMA = 2.2
PARALLEL_FROM = 200  # images; fewer images are rendered faster than parallel workers start
LUMINANCE = np.array([[0.2126], [0.7152], [0.0722]], np.float32)  # Rec. 709

EYE_X, EYE_Y, EYE_HALF_WIDTH = 0.28, 0.09, 0.165
MOUTH_Y = -0.49
NOSE_BRIDGE_Y = 0.12

# The sRGB colours at the lower and the upper end of each tone.
SKIN = ((92, 64, 50), (240, 206, 184))
LIPS = ((96, 52, 50), (202, 114, 110))
HAIR = ((32, 28, 26), (214, 176, 120))
BACKGROUND = ((34, 38, 46), (232, 236, 243))
SHIRT, MOUTH_INSIDE, TEETH = (90, 111, 138), (54, 26, 30), (230, 226, 217)
SCLERA, IRIS, PUPIL, LASHES, GLINT = (226, 225, 224), (88, 76, 60), (18, 18, 18), (34, 30, 28), (255, 255, 255)


class Factors(NamedTuple):
    """The factors of one face, in the order and the units of `data.factors.FACTORS`."""

    smile: float
    mouth_opening: float
    eye_opening: float
    brow_height: float
    yaw: float
    light_azimuth: float
    face_width: float
    jaw: float
    nose_length: float
    skin_tone: float
    hair_tone: float
    hair_length: float
    background: float


def linear(colour: tuple[int, int, int]) -> np.ndarray:
    """The linear RGB of an sRGB colour, (3,)."""
    return (np.array(colour, np.float32) / 255) ** GAMMA


def tone(ends: tuple[tuple[int, int, int], tuple[int, int, int]], share: float) -> np.ndarray:
    """The linear RGB, (3,), of a mixture of two sRGB colours: `share` of the second one, the rest of the first."""
    low, high = np.array(ends, np.float32) / 255
    return (low + (high - low) * np.float32(share)) ** GAMMA


def nose_tip_y(face: Factors) -> float:
    """The y of the tip of the nose."""
    return -0.09 - 0.16 * face.nose_length


def head_of(face: Factors) -> tuple[Solid, list[Bump]]:
    """The head: a solid whose lower end is more square for a larger jaw, and the bumps of the face."""
    head = Solid(
        width=0.70 * face.face_width,
        depth=0.86,
        y0=0.05,
        z0=0.0,
        top=0.95,
        bottom=1.05,
        top_power=2.2,
        bottom_power=1.6 + 2.4 * face.jaw,
    )
    front, tip, smile = head.depth, nose_tip_y(face), max(face.smile, 0.0)
    bumps = [
        # nose: bridge, middle and tip
        Bump(0.22, 0.0, NOSE_BRIDGE_Y - 0.02, front, 0.060, 0.11, 0.5),
        Bump(0.34, 0.0, 0.5 * (tip + NOSE_BRIDGE_Y), front, 0.070, 0.10, 0.5),
        Bump(0.58, 0.0, tip, front, 0.085, 0.075, 0.5),
        Bump(0.12, 0.0, 0.27, front, 0.34, 0.07, 0.4),  # brow ridge
        Bump(-0.10, 0.0, MOUTH_Y - 0.20, front, 0.16, 0.05, 0.5),  # hollow under the lips
        Bump(0.20, 0.0, MOUTH_Y, front, 0.24, 0.11, 0.5),  # lips
        Bump(0.22, 0.0, -0.86, 0.60, 0.10 + 0.14 * face.jaw, 0.12, 0.4),  # chin
    ]
    for side in (-1.0, 1.0):
        bumps += [
            Bump(0.20, 0.095 * side, tip - 0.03, front, 0.045, 0.045, 0.5),  # wing of the nose
            Bump(-0.20, EYE_X * side, EYE_Y + 0.02, front, 0.14, 0.09, 0.5),  # eye socket
            Bump(0.12, EYE_X * side, EYE_Y, front, 0.08, 0.06, 0.5),  # eyeball
            # cheek; a smile makes it higher and fuller
            Bump(0.13 + 0.13 * smile, 0.36 * side, -0.20 + 0.05 * smile, 0.65, 0.15, 0.13, 0.4),
        ]
    return head, bumps


def hair_of(face: Factors) -> Solid:
    """The hair: a solid higher than the head and behind it; its lower end leans back behind the shoulders."""
    return Solid(
        width=0.70 * face.face_width + 0.10,
        depth=0.86,
        y0=0.16,
        z0=-0.22,
        top=1.0,
        bottom=0.45 + 1.15 * face.hair_length,
        top_power=2.4,
        bottom_power=3.5,
        lean=0.30,
    )


NECK = Solid(width=0.33, depth=0.34, y0=-0.75, z0=-0.12, top=0.9, bottom=6.0, top_power=4.0, bottom_power=2.0)
SHOULDERS = Solid(width=1.22, depth=0.42, y0=-1.75, z0=-0.16, top=0.62, bottom=3.0, top_power=2.6, bottom_power=2.0)


class Canvas:
    """The albedo (height, width, 3) and the gloss (height, width) of a surface, to paint on."""

    def __init__(self, surface: Surface, albedo: np.ndarray, gloss: float, edge: float):
        self.x, self.y, self.edge = surface.x, surface.y, edge
        self.front = smoothstep(0.05, 0.25, surface.z)
        self.albedo = np.broadcast_to(albedo, (*self.x.shape, 3))
        self.gloss = np.full_like(self.x, gloss)

    def paint(self, colour: np.ndarray, share: np.ndarray, gloss: float | None = None) -> None:
        """Mix a colour into the front of the surface; `share` (height, width) is the opacity of the colour."""
        share = share * self.front
        self.albedo = mix(self.albedo, colour, share)
        if gloss is not None:
            self.gloss = self.gloss + (gloss - self.gloss) * share


def gaussian(distance: np.ndarray, width: float) -> np.ndarray:
    """A spot or line with soft edges: exp(-distance^2 / (2 width^2))."""
    return np.exp(-0.5 * (distance / width) ** 2)


def paint_skin(face: Factors, canvas: Canvas) -> None:
    """Paint red cheeks, nostrils, and the folds from nose to mouth, which a smile makes darker."""
    across, y, tip = np.abs(canvas.x), canvas.y, nose_tip_y(face)
    skin = tone(SKIN, face.skin_tone)
    blush = gaussian(across - 0.38, 0.14) * gaussian(y + 0.22, 0.12)
    canvas.paint(skin * np.array([1.05, 0.80, 0.78], np.float32), 0.6 * blush)

    nostril = 0.022 * (1 - np.hypot((across - 0.052) / 0.034, (y - tip + 0.062) / 0.020))
    canvas.paint(0.22 * skin, 0.85 * inside(nostril, canvas.edge))

    # The folds go from the wings of the nose to the corners of the mouth.
    fold = gaussian(across - 0.15 - 0.45 * (tip - y), 0.022)
    fold = fold * smoothstep(MOUTH_Y + 0.02, MOUTH_Y + 0.14, y) * (1 - smoothstep(tip - 0.06, tip + 0.02, y))
    canvas.paint(0.55 * skin, (0.12 + 0.48 * max(face.smile, 0.0)) * fold)


def paint_mouth(face: Factors, canvas: Canvas) -> None:
    """Paint lips along a line that the smile bends, and teeth and the dark inside of an open mouth."""
    x, y, edge = canvas.x, canvas.y, canvas.edge
    half = 0.29 + 0.07 * face.smile
    along = np.clip(x / half, -1.4, 1.4)
    arch = np.clip(1 - along * along, 0, 1)
    line = MOUTH_Y + 0.17 * face.smile * (along * along - 0.45)
    gap = 0.15 * face.mouth_opening
    upper_edge, lower_edge = line + 0.35 * gap * arch, line - 0.65 * gap * arch
    bow = 1 - 0.22 * gaussian(x, 0.035)
    upper_lip = upper_edge + 0.062 * np.sqrt(arch) * bow * (0.6 + 0.4 * arch)
    lower_lip = lower_edge - 0.085 * arch
    to_corner = half - np.abs(x)

    lips = np.minimum(np.minimum(upper_lip - y, y - lower_lip), to_corner)
    canvas.paint(tone(LIPS, face.skin_tone), inside(lips, 1.5 * edge), gloss=0.22)
    opening = np.minimum(np.minimum(upper_edge - y, y - lower_edge), to_corner)
    open_here = gap * arch
    canvas.paint(linear(MOUTH_INSIDE), inside(opening, edge) * smoothstep(0.0, 0.02, open_here), gloss=0.0)
    teeth = np.minimum(np.minimum(opening, y - upper_edge + 0.042), to_corner - 0.18 * half)
    canvas.paint(linear(TEETH), inside(teeth, edge) * smoothstep(0.015, 0.04, open_here), gloss=0.3)
    seam = gaussian(y - 0.5 * (upper_edge + lower_edge), 0.011 + 0.3 * edge) * inside(to_corner + 0.01, 2 * edge)
    canvas.paint(linear(MOUTH_INSIDE), 0.8 * seam * (1 - smoothstep(0.0, 0.03, open_here)))


def paint_eyes(face: Factors, canvas: Canvas) -> None:
    """Paint the eyes: sclera, iris and pupil between two lids, and lashes along the upper lid."""
    across, y, edge = np.abs(canvas.x), canvas.y, canvas.edge
    along = (across - EYE_X) / EYE_HALF_WIDTH
    arch = np.clip(1 - along * along, 0, 1)
    opening = 0.012 + 0.135 * face.eye_opening
    upper = EYE_Y + 0.65 * opening * arch
    lower = EYE_Y - 0.35 * opening * arch * np.sqrt(arch) - 0.006 * arch

    lid = np.minimum(EYE_Y + 0.125 * np.sqrt(arch) - y, y - upper)
    canvas.paint(0.72 * tone(SKIN, face.skin_tone), 0.7 * inside(lid, 3 * edge) * smoothstep(0.0, 0.5, arch))
    eye = inside(np.minimum(upper - y, y - lower), edge) * smoothstep(0.0, 0.12, arch)
    canvas.paint(linear(SCLERA), eye, gloss=0.02)
    from_centre = np.hypot(across - EYE_X, y - EYE_Y - 0.014)
    canvas.paint(linear(IRIS), eye * inside(0.066 - from_centre, edge))
    canvas.paint(linear(PUPIL), eye * inside(0.032 - from_centre, edge))
    glint = np.hypot(canvas.x - np.sign(canvas.x) * EYE_X - 0.022, y - EYE_Y - 0.038)
    canvas.paint(linear(GLINT), 0.8 * eye * inside(0.012 - glint, edge))
    lashes = gaussian(y - upper, 0.011 + 0.3 * edge) * smoothstep(0.0, 0.30, arch)
    canvas.paint(linear(LASHES), 0.92 * lashes)


def paint_brows(face: Factors, canvas: Canvas) -> None:
    """Paint the brows: thick near the nose, thin outside, highest at two thirds of their length."""
    along = (np.abs(canvas.x) - 0.28) / 0.18
    ridge = 0.295 + 0.075 * face.brow_height - 0.035 * (along - 0.3) ** 2
    thickness = 0.034 * np.sqrt(np.clip(1 - along * along, 0, 1)) * (1 - 0.3 * along)
    brow = inside(thickness - np.abs(canvas.y - ridge), 1.6 * canvas.edge) * smoothstep(0.0, 0.015, thickness)
    colour = 0.45 * tone(HAIR, face.hair_tone) + 0.12 * tone(SKIN, face.skin_tone)
    canvas.paint(colour, 0.9 * brow, gloss=0.02)


FACE_PAINTERS: tuple[Callable[[Factors, Canvas], None], ...] = (paint_skin, paint_mouth, paint_eyes, paint_brows)


Layer = tuple[Surface, np.ndarray, np.ndarray | np.float32]  # a surface, its albedo and its gloss


def head_layer(face: Factors, camera: Camera) -> Layer:
    """The surface, albedo and gloss of the head."""
    solid, bumps = head_of(face)
    surface = see(camera, solid, face.yaw, bumps)
    canvas = Canvas(surface, tone(SKIN, face.skin_tone), gloss=0.10, edge=max(camera.pixel, 0.012))
    for painter in FACE_PAINTERS:
        painter(face, canvas)
    return surface, canvas.albedo, canvas.gloss


def hair_layer(face: Factors, camera: Camera) -> Layer:
    """The surface, albedo and gloss of the hair, with strands."""
    surface = see(camera, hair_of(face), face.yaw)
    around = np.arctan2(surface.x, surface.z + 0.25)
    strands = np.sin(34 * around + 3 * surface.y) + 0.7 * np.sin(61 * around - 2 * surface.y)
    return surface, tone(HAIR, face.hair_tone) * (1 + 0.13 * strands)[..., None], 0.12 + 0.02 * strands


def neck_layer(face: Factors, camera: Camera) -> Layer:
    """The surface, albedo and gloss of the neck, which is darker below the chin."""
    surface = see(camera, NECK)
    shadow = 0.45 + 0.55 * smoothstep(-0.85, -1.35, surface.y)
    return surface, tone(SKIN, face.skin_tone) * shadow[..., None], np.float32(0.04)


def shoulders_layer(camera: Camera) -> Layer:
    """The surface, albedo and gloss of the shoulders in a shirt."""
    return see(camera, SHOULDERS), linear(SHIRT), np.float32(0.02)


def render(factors: np.ndarray, size: int = 128, channels: int = 1) -> np.ndarray:
    """An image of the face with these factors, (size, size, channels) uint8.

    Args:
        factors: (K,), in the order and the units of `data.factors.FACTORS`.
        size: height and width in pixels; the face is rendered in this size and not resized.
        channels: 1 (grey, the luminance) or 3 (RGB).
    """
    face = Factors(*(float(value) for value in factors))
    camera = camera_of(size, HALF_IMAGE)
    light = light_direction(face.light_azimuth)

    backdrop = tone(BACKGROUND, face.background) * (1 + 0.12 * camera.y)[..., None]
    image = np.broadcast_to(backdrop, (size, size, 3)).copy()
    depth = np.full((size, size), -np.inf, np.float32)
    # The layers behind come first, so that the soft edges of the layers in front are mixed with them.
    for surface, albedo, gloss in (
        hair_layer(face, camera),
        neck_layer(face, camera),
        shoulders_layer(camera),
        head_layer(face, camera),
    ):
        behind = depth[surface.window]
        # Where two surfaces have the same depth, each has a share of 1/2. This gives a soft edge without a seam.
        share = surface.coverage * smoothstep(-0.03, 0.03, surface.depth - behind)
        radiance = shade(surface, albedo, gloss, light)
        image[surface.window] = mix(image[surface.window], radiance, share)
        depth[surface.window] = np.where(share > 0.5, np.maximum(surface.depth, behind), behind)

    if channels == 1:
        image = image @ LUMINANCE
    return np.rint(255 * np.clip(image, 0, 1) ** (1 / GAMMA)).astype(np.uint8)


def render_many(factors: np.ndarray, size: int = 128, channels: int = 1) -> np.ndarray:
    """One image for each row of `factors` (n, K): (n, size, size, channels) uint8. All CPU cores are used."""
    # Processes are used instead of threads, because threads would wait for the interpreter's lock most of the time.
    jobs = -1 if len(factors) >= PARALLEL_FROM else 1
    return np.stack(Parallel(n_jobs=jobs)(delayed(render)(row, size, channels) for row in factors))
