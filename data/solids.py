"""Smooth solids in front of an orthographic camera: visible points, coverage, normals and light.

A solid is the set

    ((x - x0) / a)^2 + ((z - z0) / c)^2 <= P(y) + H(x, y)

with a profile P(y) = 1 - |(y - y0) / b|^p and smooth bumps H. A larger exponent p makes the end of the solid more
square. The camera looks along -z, and the solid turns about the vertical axis, so y is constant along a ray. For a
given H, the point where the ray meets the solid is the root of a quadratic equation. H depends on that point, so the
point and H are computed in turn. H is small and smooth, so a few rounds are enough. The normal is the gradient of
the left side minus the right side.

x points to the right of the image, y up, z to the camera. All arrays are float32. Colours are (3, height, width): one
plane for each of red, green and blue, because NumPy computes with whole planes several times faster than with triples.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

REFINEMENTS = 3
AMBIENT = (0.22, 0.07)  # ambient light on a vertical surface; how much more it is on one that looks up
WARM, COOL = (1.01, 0.95, 0.87), (0.92, 0.98, 1.12)  # colours of light and ambient light
ROOM_FOR_BUMPS = 0.15  # around a solid: its bumps reach no further
MARGIN = 0.04  # by how much x may change from row to row beside the change between three rows
BUMP_HALF_WIDTH, BUMP_COLUMNS = 1.2, 257  # of the grid in x on which H is computed


class Solid(NamedTuple):
    """A solid without its bumps.

    Attributes:
        width, depth: the half axes a and c.
        x0, y0, z0: the centre.
        top, bottom: the reach b of the profile above and below y0.
        top_power, bottom_power: the exponent p of the profile above and below y0.
        lean: below y0, the centre moves back to z0 - lean (y - y0)^2.
        lowest: no part of the solid below this y is needed; it may be computed or not.
    """

    width: float
    depth: float
    y0: float
    z0: float
    top: float
    bottom: float
    top_power: float
    bottom_power: float
    lean: float = 0.0
    x0: float = 0.0
    lowest: float = -math.inf


class Bump(NamedTuple):
    """A Gaussian term of H: its height (negative for a hollow), and its centre and standard deviations in x and y."""

    height: float
    x: float
    y: float
    width_x: float
    width_y: float


class Surface(NamedTuple):
    """The visible surface of one solid in a window of the image; the arrays but y are (height, width) float32.

    Attributes:
        window: rows and columns of the image.
        coverage: the share of each pixel that is inside the outline of the solid.
        depth: z of the visible point, in camera coordinates.
        x, y, z: the visible point, in the solid's own coordinates. y is the same in a row, (height, 1), so what
            depends on y alone is computed once for each row.
        normal: x, y and z of the unit normal, in camera coordinates.
    """

    window: tuple[slice, slice]
    coverage: np.ndarray
    depth: np.ndarray
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    normal: tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Camera:
    """The camera for a square image of `size` x `size` pixels, from -half_extent to half_extent in x and y."""

    size: int
    half_extent: float

    @functools.cached_property
    def pixel(self) -> float:
        """The width of a pixel, in units of the scene."""
        return 2.0 * self.half_extent / self.size

    @functools.cached_property
    def x(self) -> np.ndarray:
        """The centres of the pixels from left to right, (1, size)."""
        return ((np.arange(self.size) + 0.5) * self.pixel - self.half_extent).astype(np.float32)[None, :]

    @functools.cached_property
    def y(self) -> np.ndarray:
        """The centres of the pixels from top to bottom, (size, 1)."""
        return -self.x.T


def smoothstep(low: float, high: float, value: np.ndarray | float) -> np.ndarray:
    """0 below `low`, 1 above `high`, and a smooth cubic in between; decreasing if low > high."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    rising = 3.0 - 2.0 * t
    rising *= t * t
    return rising


def inside(distance: np.ndarray, softness: float | np.ndarray) -> np.ndarray:
    """The share of a pixel that is inside a region, from the signed distance to its edge (positive inside)."""
    return np.clip(0.5 + distance / softness, 0.0, 1.0)


def gaussian(distance: np.ndarray, width: float) -> np.ndarray:
    """A spot or line with soft edges: exp(-distance^2 / (2 width^2))."""
    scaled = distance * (math.sqrt(0.5) / width)
    scaled *= -scaled
    return np.exp(scaled)


class BumpMap(NamedTuple):
    """H and its derivatives in x and y, in the rows of an image and at equally spaced x, (3, rows, BUMP_COLUMNS)."""

    values: np.ndarray

    def at(self, x: np.ndarray, fields: slice = slice(0, 3)) -> np.ndarray:
        """The fields at x (rows, width), interpolated linearly, (fields, rows, width)."""
        place = (x + BUMP_HALF_WIDTH) * ((BUMP_COLUMNS - 1) / (2 * BUMP_HALF_WIDTH))
        place.clip(0, BUMP_COLUMNS - 1.001, out=place)
        column = place.astype(np.intp)
        share = place - column.astype(np.float32)
        column += BUMP_COLUMNS * np.arange(len(x))[:, None]
        flat = self.values[fields].reshape(-1, len(x) * BUMP_COLUMNS)
        left, right = flat.take(column, axis=1), flat.take(column + 1, axis=1)
        right -= left
        right *= share
        right += left
        return right


def bump_map(bumps: Sequence[Bump], y: np.ndarray) -> BumpMap:
    """The sum of the bumps for rows at y (rows, 1).

    A Gaussian is a product of a function of x and a function of y, so the sum over bumps is a product of matrices.
    """
    height, x0, y0, width_x, width_y = (np.array(column, np.float32)[:, None] for column in zip(*bumps, strict=True))
    grid = np.linspace(-BUMP_HALF_WIDTH, BUMP_HALF_WIDTH, BUMP_COLUMNS, dtype=np.float32)
    dx, dy = (grid - x0) / width_x, (y[:, 0] - y0) / width_y
    along_x, along_y = np.exp(-0.5 * dx * dx), height * np.exp(-0.5 * dy * dy)
    slope_x, slope_y = -dx / width_x * along_x, -dy / width_y * along_y
    return BumpMap(np.array([along_y.T, along_y.T, slope_y.T]) @ np.array([along_x, slope_x, along_x]))


def window_within(
    x: np.ndarray, y: np.ndarray, low_x: float, high_x: float, low_y: float, high_y: float
) -> tuple[slice, slice]:
    """The rows and columns of an image that hold all points with x and y between these values, and few others.

    Args:
        x: increases from left to right but at its ends, and changes little from row to row, (height, width).
        y: decreases from row to row, (height, 1).
    """
    rows = rows_within(y, low_y, high_y)
    if rows.start >= rows.stop:
        return rows, slice(0)
    three = x[[rows.start, (rows.start + rows.stop) // 2, rows.stop - 1]]
    # Bisection would go wrong: beside the outline of a turned solid, x falls for a few columns.
    columns = np.flatnonzero((three >= low_x - MARGIN).any(axis=0) & (three < high_x + MARGIN).any(axis=0))
    return rows, slice(columns[0], columns[-1] + 1) if len(columns) else slice(0)


def rows_within(y: np.ndarray, low: float, high: float) -> slice:
    """The rows of an image between two values of y; y decreases from row to row."""
    heights = -y[:, 0]
    return slice(*np.searchsorted(heights, [-high, -low]))


def profile_and_slope(solid: Solid, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P(y) and P'(y)."""
    above = y > solid.y0
    reach = np.where(above, np.float32(solid.top), np.float32(solid.bottom))
    power = np.where(above, np.float32(solid.top_power), np.float32(solid.bottom_power))
    share = np.abs(y - solid.y0) / reach
    slope = -power * share ** (power - 1) * np.sign(y - solid.y0) / reach
    return 1 - share**power, slope


def window_of(camera: Camera, solid: Solid, yaw: float, margin: float) -> tuple[slice, slice]:
    """The part of the image that contains the turned solid, and `margin` around it."""
    cos, sin = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
    # The outline of an ellipse with the half axes a and c, and its centre, which moves by the lean at most.
    reach = math.hypot(solid.width * cos, solid.depth * sin) + solid.lean * solid.bottom**2 * abs(sin) + margin
    centre = solid.x0 * cos + solid.z0 * sin
    lowest = max(solid.y0 - solid.bottom - margin, solid.lowest)
    rows = rows_within(camera.y, lowest, solid.y0 + solid.top + margin)
    return rows, slice(*np.searchsorted(camera.x[0], [centre - reach, centre + reach]))


def see(camera: Camera, solid: Solid, yaw: float = 0.0, bumps: Sequence[Bump] = ()) -> Surface:
    """The visible surface of the solid with its bumps, turned by `yaw` degrees about the vertical axis."""
    # An edge is a pixel wide, and strands of hair take differences between neighbours.
    window = window_of(camera, solid, yaw, margin=ROOM_FOR_BUMPS if bumps else 3 * camera.pixel)
    ray_x, y = camera.x[:, window[1]], camera.y[window[0]]
    cos, sin = np.float32(np.cos(np.radians(yaw))), np.float32(np.sin(np.radians(yaw)))
    inverse_a2, inverse_c2 = np.float32(solid.width**-2), np.float32(solid.depth**-2)
    profile, profile_slope = profile_and_slope(solid, y)
    below = np.minimum(y - solid.y0, 0)
    # Without lean z0 is a number, so the coefficients below are computed for one row instead of all.
    z0 = solid.z0 - solid.lean * below**2 if solid.lean else np.float32(solid.z0)

    # On the ray (X, Y, t): x = X cos - t sin, z = X sin + t cos, and
    # ((x - x0)/a)^2 + ((z - z0)/c)^2 = quadratic t^2 + 2 linear t + constant.
    quadratic = sin * sin * inverse_a2 + cos * cos * inverse_c2
    near_x, near_z = ray_x * cos - solid.x0, ray_x * sin - z0
    linear = near_z * cos * inverse_c2 - near_x * sin * inverse_a2
    constant = near_x**2 * inverse_a2 + near_z**2 * inverse_c2
    # The smallest value on the ray. The ray meets the solid if this value is below P + H.
    least = constant - linear**2 / quadratic

    hills = bump_map(bumps, y) if bumps else None
    level = profile
    for remaining in range(REFINEMENTS if hills else 0, -1, -1):
        t = level - least
        np.maximum(t, 0, out=t)
        t *= quadratic
        np.sqrt(t, out=t)
        t -= linear
        t *= 1 / quadratic
        x = ray_x * cos - t * sin
        if hills and remaining:
            level = profile + hills.at(x, slice(1))[0]
    z = ray_x * sin + t * cos
    _, bump_x, bump_y = hills.at(x) if hills else np.zeros((3, 1, 1), np.float32)

    # The gradient of ((x - x0)/a)^2 + ((z - z0)/c)^2 - P - H, converted to camera coordinates.
    nx = (2 * inverse_a2) * (x - solid.x0) - bump_x
    nz = (2 * inverse_c2) * (z - z0)
    ny = -profile_slope - bump_y
    if solid.lean:
        ny = ny + (4 * inverse_c2 * solid.lean) * below * (z - z0)
    nx, nz = nx * cos + nz * sin, nz * cos - nx * sin
    in_plane = nx * nx + ny * ny
    shorten = 1 / (np.sqrt(in_plane + nz * nz) + np.float32(1e-6))
    normal = (nx * shorten, ny * shorten, nz * shorten)
    # At the outline the ray touches the solid, so this gradient in x and y is that of the distance to the outline.
    coverage = inside(level - least, camera.pixel * np.sqrt(in_plane) + np.float32(1e-6))
    return Surface(window, coverage, t, x, y, z, normal)


class Light(NamedTuple):
    """Two unit vectors, (3,) each.

    Attributes:
        direction: to the light.
        halfway: halfway between the direction and the vector to the camera; a surface with this normal has a highlight.
    """

    direction: np.ndarray
    halfway: np.ndarray


def shade(surface: Surface, albedo: np.ndarray, gloss: np.ndarray | np.float32, light: Light) -> np.ndarray:
    """The radiance in linear RGB, (3, height, width): Lambert's law with ambient light, and Blinn-Phong highlights.

    The light is a little warm, the ambient light a little cool.
    """
    nx, ny, nz = surface.normal
    lambert, aligned = (
        np.maximum(nx * towards[0] + ny * towards[1] + nz * towards[2], 0.0)
        for towards in (light.direction, light.halfway)
    )
    ambient = AMBIENT[0] + AMBIENT[1] * ny
    highlight = gloss * _power_24(aligned)
    radiance = np.empty((3, *nx.shape), np.float32)
    for plane, colour, warm, cool in zip(radiance, albedo, WARM, COOL, strict=True):
        np.add(colour * (cool * ambient + warm * lambert), highlight, out=plane)
    return radiance


def _power_24(value: np.ndarray) -> np.ndarray:
    """value^24 by squares; NumPy's own power of floats takes ten times as long."""
    eighth = np.square(np.square(np.square(value)))
    return eighth * np.square(eighth)


def light_from(azimuth: float) -> Light:
    """The light 30 degrees above and `azimuth` degrees to the right of the camera."""
    up, around = np.radians(30.0), np.radians(azimuth)
    direction = np.array([np.sin(around) * np.cos(up), np.sin(up), np.cos(around) * np.cos(up)], np.float32)
    halfway = direction + np.array([0.0, 0.0, 1.0], np.float32)
    halfway /= np.linalg.norm(halfway)
    return Light(direction, halfway)
