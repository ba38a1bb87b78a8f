"""Paints a face on the head and strands on the hair: colours as functions of the surface's own coordinates (x, y).

So eyes, mouth and brows turn with the head. Every edge is about one pixel wide, so it is antialiased.
"""

import functools
from collections.abc import Callable

import numpy as np

from data.face_shapes import EYE_X, EYE_Y, MOUTH_Y, NOSE_BRIDGE_Y, Factors
from data.solids import Surface, gaussian, inside, smoothstep, window_within

GAMMA = 2.2
Colour = tuple[int, int, int]

# The sRGB colours of each tone, from its lower to its upper end. Two neighbours are mixed as gamma-encoded colours.
SKIN: tuple[Colour, ...] = ((84, 54, 42), (180, 130, 102), (246, 212, 190))
LIPS: tuple[Colour, ...] = ((104, 46, 50), (164, 78, 76), (216, 116, 114))
HAIR: tuple[Colour, ...] = ((30, 26, 30), (84, 52, 38), (152, 98, 58), (232, 196, 134))
BACKGROUND: tuple[Colour, ...] = ((30, 42, 56), (120, 146, 164), (240, 236, 226))
MOUTH_INSIDE, TONGUE, TEETH = (78, 26, 32), (164, 76, 80), (240, 236, 228)
SCLERA, IRIS, PUPIL, LASHES, GLINT = (232, 231, 230), (84, 98, 92), (16, 16, 18), (30, 24, 24), (255, 255, 255)
EYE_HALF_WIDTH = 0.18


@functools.cache
def linear(colour: Colour) -> np.ndarray:
    """The linear RGB of an sRGB colour, (3, 1, 1)."""
    return (np.array(colour, np.float32) / 255)[:, None, None] ** GAMMA


@functools.lru_cache(maxsize=64)  # a face needs each tone several times
def tone(stops: tuple[Colour, ...], share: float) -> np.ndarray:
    """The linear RGB, (3, 1, 1), at a share from 0 to 1 of the way from the first sRGB colour to the last."""
    places = np.linspace(0, 1, len(stops))
    mixed = [np.interp(share, places, channel) for channel in zip(*stops, strict=True)]
    return (np.array(mixed, np.float32) / 255)[:, None, None] ** GAMMA


class Canvas:
    """The albedo (3, height, width) and the gloss (height, width) of a surface, to paint on.

    Attributes:
        x, y: the surface's own coordinates, (height, width) and (height, 1).
        edge: the width of an edge.
    """

    def __init__(self, surface: Surface, albedo: np.ndarray, gloss: float, edge: float):
        self.x, self.y, self.edge = surface.x, surface.y, edge
        self.front = smoothstep(0.05, 0.25, surface.z)
        self.albedo = np.empty((3, *self.x.shape), np.float32)
        self.albedo[:] = albedo
        self.gloss = np.full_like(self.x, gloss)

    def part(self, low_x: float, high_x: float, low_y: float, high_y: float) -> "Canvas":
        """The canvas where x and y lie between these values, and a little more; paint on it is paint on the whole."""
        rows, columns = window_within(self.x, self.y, low_x, high_x, low_y, high_y)
        part = Canvas.__new__(Canvas)
        part.edge = self.edge
        part.x, part.front, part.gloss = (plane[rows, columns] for plane in (self.x, self.front, self.gloss))
        part.y = self.y[rows]
        part.albedo = self.albedo[:, rows, columns]
        return part

    def paint(self, colour: np.ndarray, share: np.ndarray, gloss: float | None = None) -> None:
        """Mix a colour (3, 1, 1) into the front of the surface; `share` (height, width) is its opacity."""
        share = share * self.front
        self.albedo += (colour - self.albedo) * share
        if gloss is not None:
            self.gloss += (gloss - self.gloss) * share

    def darken(self, share: np.ndarray) -> None:
        """Take this share (height, width) of the light off the front: where little light of the surroundings comes."""
        self.albedo *= 1 - share * self.front


def lower_edge_of_hair(face: Factors, x: np.ndarray) -> np.ndarray:
    """The y above which there is hair, at x (height, width): a fringe from a parting on one side, and locks."""
    along = x * (1 / face.half_width)
    from_parting = along + 0.30
    # Highest at the parting; the fringe falls from it to both sides.
    fringe = 0.70 - 0.20 * smoothstep(0.0, 0.85, from_parting) - 0.24 * smoothstep(0.0, 0.45, -from_parting)
    # At the temples the edge falls to the ends of the locks, which are uneven.
    return np.maximum(
        fringe - 2.6 * smoothstep(0.66, 1.06, np.abs(along)) ** 2, face.hair_end_y + 0.025 * np.sin(27 * x)
    )


def paint_skin(face: Factors, canvas: Canvas) -> None:
    """Paint blush, nostrils, the folds from nose to mouth, and the soft shadows of brows, nose, lower lip and hair."""
    tip, skin = face.nose_tip_y, tone(SKIN, face.skin_tone)
    # waves of two directions: skin is not of one colour
    x, y = canvas.x, canvas.y
    canvas.albedo *= 1 + 0.03 * np.sin(19 * x + 9 * y) * np.sin(17 * y - 13 * x + 1)
    hair = canvas.part(-1.0, 1.0, face.hair_end_y - 0.2, 0.75)
    hair.darken(0.38 * gaussian(np.maximum(lower_edge_of_hair(face, hair.x) - hair.y, 0), 0.055))
    part = canvas.part(-0.78, 0.78, -0.60, 0.36)
    across = np.abs(part.x)
    blush = gaussian(across - 0.40, 0.15) * gaussian(part.y + 0.22 - 0.06 * face.smiling, 0.12)
    part.paint(skin * np.array([1.06, 0.76, 0.74], np.float32)[:, None, None], (0.5 + 0.2 * face.smiling) * blush)
    below_brow = gaussian(across - EYE_X + 0.04, 0.13) * gaussian(part.y - EYE_Y - 0.10, 0.06)
    beside_nose = gaussian(across - 0.13, 0.035) * gaussian(part.y - NOSE_BRIDGE_Y + 0.04, 0.09)
    part.darken(0.24 * below_brow + 0.30 * beside_nose)
    # The folds go from the wings of the nose to the corners of the mouth.
    fold = gaussian(across - 0.16 - 0.50 * (tip - part.y), 0.024)
    fold = fold * smoothstep(MOUTH_Y + 0.02, MOUTH_Y + 0.14, part.y) * (1 - smoothstep(tip - 0.06, tip + 0.02, part.y))
    part.darken((0.06 + 0.40 * face.smiling) * fold)
    part = canvas.part(-0.12, 0.12, tip - 0.11, tip - 0.01)
    nostril = 0.022 * (1 - np.hypot((np.abs(part.x) - 0.055) / 0.036, (part.y - tip + 0.062) / 0.021))
    part.paint(0.20 * skin, 0.85 * inside(nostril, part.edge))
    nose = canvas.part(-0.3, 0.3, tip - 0.24, tip - 0.02)
    nose.darken(0.30 * gaussian(nose.x, 0.10) * gaussian(nose.y - tip + 0.10, 0.035))
    chin = canvas.part(-0.4, 0.4, -0.88, -0.5)
    chin.darken(0.26 * gaussian(chin.x, 0.15) * gaussian(chin.y - MOUTH_Y + 0.185 + 0.08 * face.mouth_opening, 0.04))


def paint_mouth(face: Factors, canvas: Canvas) -> None:
    """Paint lips along a line that the smile bends; an open mouth shows the dark inside, the tongue, and teeth.

    A frown hides the teeth. With teeth, an open mouth that frowns would look like a moustache.
    """
    half = 0.33 + 0.05 * face.smile
    canvas = canvas.part(-1.1 * half, 1.1 * half, MOUTH_Y - 0.36, MOUTH_Y + 0.28)
    x, y, edge = canvas.x, canvas.y, canvas.edge
    along = np.clip(x * (1 / half), -1.4, 1.4)
    arch = np.clip(1 - along * along, 0, 1)
    line = MOUTH_Y + (0.21 if face.smile > 0 else 0.18) * face.smile * (along * along - 0.30)
    gap = 0.19 * face.mouth_opening
    upper_edge, lower_edge = line + 0.35 * gap * arch, line - 0.65 * gap * arch
    bow = 1 - 0.22 * gaussian(x, 0.035)
    upper_lip = upper_edge + 0.066 * np.sqrt(arch) * bow * (0.6 + 0.4 * arch)
    lower_lip = lower_edge - 0.088 * arch
    to_corner = half - np.abs(x)

    lips = np.minimum(np.minimum(upper_lip - y, y - lower_lip), to_corner)
    canvas.paint(tone(LIPS, face.skin_tone), inside(lips, 1.5 * edge), gloss=0.16)
    opening = np.minimum(np.minimum(upper_edge - y, y - lower_edge), to_corner)
    open_here = gap * arch
    inner = inside(opening, edge)
    canvas.paint(linear(MOUTH_INSIDE), inner * smoothstep(0.0, 0.02, open_here), gloss=0.0)
    tongue = np.minimum(opening, (0.10 + 0.05 * max(-face.smile, 0.0)) * arch * face.mouth_opening - (y - lower_edge))
    canvas.paint(linear(TONGUE), 0.8 * inside(tongue, 2 * edge) * smoothstep(0.06, 0.12, open_here))
    teeth = np.minimum(np.minimum(opening, y - upper_edge + 0.05), to_corner - 0.18 * half)
    # A NumPy scalar of 64 bits would make the product one of 64 bits, so it becomes a float.
    shown = smoothstep(0.015, 0.04, open_here) * float(smoothstep(-0.45, 0.35, face.smile))
    canvas.paint(linear(TEETH), inside(teeth, edge) * shown, gloss=0.2)
    seam = gaussian(y - 0.5 * (upper_edge + lower_edge), 0.012 + 0.3 * edge) * inside(to_corner + 0.01, 2 * edge)
    canvas.paint(linear(MOUTH_INSIDE), 0.85 * seam * (1 - smoothstep(0.0, 0.03, open_here)))


def paint_eyes(face: Factors, canvas: Canvas) -> None:
    """Paint the eyes: sclera, iris and pupil between two lids, and lashes along the upper lid.

    A smile lifts the lower lid.
    """
    opening = 0.012 + 0.150 * face.eye_opening
    part = canvas.part(-EYE_X - 0.22, EYE_X + 0.22, EYE_Y - 0.12, EYE_Y + 0.18)
    across, y, edge = np.abs(part.x), part.y, part.edge
    along = (across - EYE_X) * (1 / EYE_HALF_WIDTH)
    arch = np.clip(1 - along * along, 0, 1)
    upper = EYE_Y + 0.012 * along + 0.65 * opening * arch
    lift = 0.18 * opening * face.smiling
    lower = EYE_Y + 0.012 * along - (0.35 * opening - lift) * arch * np.sqrt(arch) - 0.006 * arch

    lid = np.minimum(EYE_Y + 0.135 * np.sqrt(arch) - y, y - upper)
    part.paint(0.70 * tone(SKIN, face.skin_tone), 0.7 * inside(lid, 3 * edge) * smoothstep(0.0, 0.5, arch))
    eye = inside(np.minimum(upper - y, y - lower), edge) * smoothstep(0.0, 0.12, arch)
    part.paint(linear(SCLERA), eye, gloss=0.02)
    from_centre = np.hypot(across - EYE_X, y - EYE_Y - 0.016)
    part.paint(linear(IRIS), eye * inside(0.078 - from_centre, edge))
    part.paint(linear(PUPIL), eye * inside(0.036 - from_centre, edge))
    part.darken(0.5 * eye * gaussian(upper - y, 0.02))  # the shadow of the lid
    glint = np.hypot(part.x - np.copysign(np.float32(EYE_X), part.x) - 0.024, y - EYE_Y - 0.044)
    part.paint(linear(GLINT), 0.85 * eye * inside(0.015 - glint, edge))
    lashes = gaussian(y - upper, 0.013 + 0.3 * edge) * smoothstep(0.0, 0.30, arch)
    part.paint(linear(LASHES), 0.92 * lashes)


def paint_brows(face: Factors, canvas: Canvas) -> None:
    """Paint the brows: thick near the nose, thin outside, highest a little outside of their middle."""
    colour = 0.08 * tone(HAIR, face.hair_tone) + 0.16 * tone(SKIN, face.skin_tone)  # darker than both
    part = canvas.part(-0.53, 0.53, 0.08, 0.52)
    along = (np.abs(part.x) - 0.29) * (1 / 0.20)
    ridge = 0.290 + 0.105 * face.brow_height - 0.038 * (along - 0.12) ** 2
    thickness = 0.048 * np.sqrt(np.clip(1 - along * along, 0, 1)) * (1 - 0.3 * along)
    brow = inside(thickness - np.abs(part.y - ridge), 1.6 * part.edge) * smoothstep(0.0, 0.015, thickness)
    part.paint(colour, 0.94 * brow, gloss=0.02)


FACE_PAINTERS: tuple[Callable[[Factors, Canvas], None], ...] = (paint_skin, paint_mouth, paint_eyes, paint_brows)


def strands(phase: np.ndarray) -> np.ndarray:
    """Light and dark strands along lines of equal `phase` (height, width), about from -1 to 1.

    Where a wave is short against a pixel it fades, so strands do not shimmer in small images.
    """
    down, across = np.gradient(phase)
    step = down * down + across * across
    total = np.zeros_like(phase)
    for waves, height, shift in ((24.0, 0.7, 0.0), (47.0, 0.8, 1.3)):
        total += height * np.exp(-0.25 * waves * waves * step) * np.sin(waves * phase + shift)
    return total
