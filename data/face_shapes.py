"""The solids of a rendered face: head, hair, neck and shoulders, each from the factors of the face.

Nose, brow, eye sockets, cheeks, lips and chin are bumps on the head. The unit of length is half the height of the
head: the head reaches from y = -1 to 1.
"""

from typing import NamedTuple

from data.solids import Bump, Solid

EYE_X, EYE_Y = 0.29, 0.06
MOUTH_Y = -0.50
NOSE_BRIDGE_Y = 0.10
HEAD_WIDTH = 0.69  # half of it, for a face of middle width
NECK = Solid(width=0.40, depth=0.36, y0=-0.80, z0=-0.16, top=0.2, bottom=6.0, top_power=4.0, bottom_power=2.0)
SHOULDERS = Solid(width=1.45, depth=0.42, y0=-1.75, z0=-0.20, top=0.84, bottom=3.0, top_power=2.3, bottom_power=2.0)


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

    @property
    def smiling(self) -> float:
        """The smile, and 0 for a frown: cheeks, lids and folds move with smiles alone."""
        return max(self.smile, 0.0)

    @property
    def half_width(self) -> float:
        """Half the width of the head."""
        return HEAD_WIDTH * self.face_width

    @property
    def nose_tip_y(self) -> float:
        """The y of the tip of the nose."""
        return -0.09 - 0.16 * self.nose_length

    @property
    def hair_end_y(self) -> float:
        """The y of the lower end of the hair: from above the ears to below the chin."""
        return 0.34 - 1.36 * self.hair_length


def head_of(face: Factors) -> tuple[Solid, list[Bump]]:
    """The head: a solid whose lower end is more square for a larger jaw, and the bumps of the face."""
    head = Solid(
        width=face.half_width,
        depth=0.86,
        y0=0.05,
        z0=0.0,
        top=0.95,
        bottom=1.05,
        top_power=2.2,
        bottom_power=1.65 + 1.95 * face.jaw,
    )
    tip, smile, dropped = face.nose_tip_y, face.smiling, 0.04 * face.mouth_opening
    bumps = [
        # nose: bridge, middle and tip
        Bump(0.20, 0.0, NOSE_BRIDGE_Y - 0.02, 0.060, 0.11),
        Bump(0.32, 0.0, 0.5 * (tip + NOSE_BRIDGE_Y), 0.070, 0.10),
        Bump(0.55, 0.0, tip, 0.085, 0.075),
        Bump(0.11, 0.0, 0.25, 0.34, 0.08),  # brow ridge
        Bump(-0.10, 0.0, MOUTH_Y - 0.21 - dropped, 0.16, 0.05),  # hollow under the lips
        Bump(0.18, 0.0, MOUTH_Y, 0.26, 0.11),  # lips
        Bump(0.24, 0.0, -0.86 - dropped, 0.11 + 0.14 * face.jaw, 0.12),  # chin
    ]
    for side in (-1.0, 1.0):
        bumps += [
            Bump(0.20, 0.095 * side, tip - 0.03, 0.045, 0.045),  # wing of the nose
            Bump(-0.22, EYE_X * side, EYE_Y + 0.02, 0.14, 0.09),  # eye socket
            Bump(0.14, EYE_X * side, EYE_Y, 0.09, 0.07),  # eyeball
            # cheek; a smile makes it higher and fuller
            Bump(0.15 + 0.15 * smile, 0.37 * side, -0.22 + 0.08 * smile, 0.15, 0.13),
        ]
    return head, bumps


def ears_of(face: Factors) -> tuple[Solid, Solid]:
    """The ears, which longer hair covers."""
    left, right = (
        Solid(
            width=0.075, depth=0.14, y0=-0.02, z0=-0.10, top=0.17, bottom=0.20, top_power=2.4, bottom_power=1.8,
            x0=side * (face.half_width - 0.005),
        )
        for side in (-1.0, 1.0)
    )  # fmt: skip
    return left, right


def hair_behind(face: Factors) -> Solid:
    """The hair behind the head; its lower end leans back behind the shoulders."""
    return Solid(
        width=face.half_width + 0.10,
        depth=0.86,
        y0=0.16,
        z0=-0.24,
        top=0.99,
        bottom=0.40 + 1.00 * face.hair_length,
        top_power=2.4,
        bottom_power=3.5,
        lean=0.20,
    )


def hair_in_front(face: Factors) -> Solid:
    """A shell around the head. The hair is the part of it above the hairline and, at the sides, above `hair_end_y`."""
    return Solid(
        width=face.half_width + 0.075,
        depth=0.90,
        y0=0.10,
        z0=-0.02,
        top=1.01,
        bottom=2.2,
        top_power=2.3,
        bottom_power=5.0,
        lowest=face.hair_end_y - 0.10,
    )
