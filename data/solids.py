"""Smooth solids in front of an orthographic camera: visible points, coverage, normals and light.

A solid is the set

    (x / a)^2 + ((z - z0) / c)^2 <= P(y) + H(x, y, z)

with a profile P(y) = 1 - |(y - y0) / b|^p and smooth bumps H. A larger exponent p makes the end of the solid more
square. The camera looks along -z, and the solid turns about the vertical axis, so y is constant along a ray. For a
given H, the point where the ray meets the solid is the root of a quadratic equation. H depends on that point, so the
point and H are computed in turn. H is small and smooth, so a few rounds are enough. The normal is the gradient of
the left side minus the right side.

x points to the right of the image, y up, z to the camera. All arrays are float32.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

REFINEMENTS = 3


class Solid(NamedTuple):
    """A solid without its bumps.

    Attributes:
        width, depth: the half axes a and c.
        y0, z0: the centre.
        top, bottom: the reach b of the profile above and below y0.
        top_power, bottom_power: the exponent p of the profile above and below y0.
        lean: below y0, the centre moves back to z0 - lean (y - y0)^2.
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


class Bump(NamedTuple):
    """A Gaussian term of H: its height (negative for a hollow), and its centre and standard deviations in x, y, z."""

    height: float
    x: float
    y: float
    z: float
    width_x: float
    width_y: float
    width_z: float


class Surface(NamedTuple):
    """The visible surface of one solid in a window of the image; the arrays are (height, width) float32.

    Attributes:
        window: rows and columns of the image.
        coverage: the share of each pixel that is inside the outline of the solid.
        depth: z of the visible point, in camera coordinates.
        x, y, z: the visible point, in the solid's own coordinates.
        normal: x, y and z of the unit normal, in camera coordinates.
    """

    window: tuple[slice, slice]
    coverage: np.ndarray
    depth: np.ndarray
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    normal: tuple[np.ndarray, np.ndarray, np.ndarray]


class Camera(NamedTuple):
    """The centres of the pixels, x (1, size) and y (size, 1), and the width of a pixel, in units of the scene."""

    x: np.ndarray
    y: np.ndarray
    pixel: float


def camera_of(size: int, half_extent: float) -> Camera:
    """The camera for a square image of `size` x `size` pixels, from -half_extent to half_extent in x and y."""
    pixel = 2.0 * half_extent / size
    centres = ((np.arange(size) + 0.5) * pixel - half_extent).astype(np.float32)
    return Camera(x=centres[None, :], y=-centres[:, None], pixel=pixel)


def smoothstep(low: float, high: float, value: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high`, and a smooth cubic in between; decreasing if low > high."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def inside(distance: np.ndarray, softness: float | np.ndarray) -> np.ndarray:
    """The share of a pixel that is inside a region, from the signed distance to its edge (positive inside)."""
    return np.clip(0.5 + distance / softness, 0.0, 1.0)


def mix(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """A mixture of two colours (..., channels): `share` (...) of the second one, the rest of the first."""
    return first + (second - first) * share[..., None]


def height_and_gradient(
    bumps: Sequence[Bump], x: np.ndarray, y: np.ndarray, z: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """H and its derivatives in x, y and z, each (height, width); x and z are (height, width), y is (height, 1)."""
    total, along_x, along_y, along_z = (np.zeros_like(x) for _ in range(4))
    for bump in bumps:
        # Beyond four standard deviations, a Gaussian is below 4e-4 of its height.
        rows = rows_within(y, bump.y - 4.0 * bump.width_y, bump.y + 4.0 * bump.width_y)
        dx, dz = (x[rows] - bump.x) / bump.width_x, (z[rows] - bump.z) / bump.width_z
        dy = (y[rows] - bump.y) / bump.width_y
        hill = bump.height * np.exp(-0.5 * dy * dy) * np.exp(-0.5 * (dx * dx + dz * dz))
        total[rows] += hill
        along_x[rows] -= hill * dx / bump.width_x
        along_y[rows] -= hill * dy / bump.width_y
        along_z[rows] -= hill * dz / bump.width_z
    return total, along_x, along_y, along_z


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


def window_of(camera: Camera, solid: Solid, margin: float = 0.15) -> tuple[slice, slice]:
    """The part of the image that contains the solid for every yaw."""
    reach = max(solid.width, solid.depth) + abs(solid.z0) / 2 + margin
    rows = rows_within(camera.y, solid.y0 - solid.bottom - margin, solid.y0 + solid.top + margin)
    return rows, slice(*np.searchsorted(camera.x[0], [-reach, reach]))


def see(camera: Camera, solid: Solid, yaw: float = 0.0, bumps: Sequence[Bump] = ()) -> Surface:
    """The visible surface of the solid with its bumps, turned by `yaw` degrees about the vertical axis."""
    window = window_of(camera, solid)
    ray_x, y = camera.x[:, window[1]], camera.y[window[0]]
    cos, sin = np.float32(np.cos(np.radians(yaw))), np.float32(np.sin(np.radians(yaw)))
    inverse_a2, inverse_c2 = np.float32(solid.width**-2), np.float32(solid.depth**-2)
    profile, profile_slope = profile_and_slope(solid, y)
    below = np.minimum(y - solid.y0, 0)
    z0 = solid.z0 - solid.lean * below**2

    # On the ray (X, Y, t): x = X cos - t sin, z = X sin + t cos, and
    # (x/a)^2 + ((z - z0)/c)^2 = quadratic t^2 + 2 linear t + constant.
    quadratic = sin * sin * inverse_a2 + cos * cos * inverse_c2
    linear = -ray_x * cos * sin * inverse_a2 + (ray_x * sin - z0) * cos * inverse_c2
    constant = (ray_x * cos) ** 2 * inverse_a2 + (ray_x * sin - z0) ** 2 * inverse_c2
    # The smallest value on the ray. The ray meets the solid if this value is below P + H.
    least = constant - linear**2 / quadratic

    level = np.broadcast_to(profile, least.shape)
    for refinements_left in range(REFINEMENTS if bumps else 0, -1, -1):
        t = (np.sqrt(np.maximum(level - least, 0) * quadratic) - linear) / quadratic
        x, z = ray_x * cos - t * sin, ray_x * sin + t * cos
        height, bump_x, bump_y, bump_z = height_and_gradient(bumps, x, y, z)
        if refinements_left:
            level = profile + height

    outside = least - level
    down, across = np.gradient(outside)
    coverage = inside(-outside, np.hypot(down, across) + 1e-6)

    # The gradient of (x/a)^2 + ((z - z0)/c)^2 - P - H, converted to camera coordinates.
    nx = 2 * x * inverse_a2 - bump_x
    ny = 4 * (z - z0) * inverse_c2 * solid.lean * below - profile_slope - bump_y
    nz = 2 * (z - z0) * inverse_c2 - bump_z
    length = np.sqrt(nx * nx + ny * ny + nz * nz) + np.float32(1e-6)
    normal = ((nx * cos + nz * sin) / length, ny / length, (nz * cos - nx * sin) / length)
    return Surface(window, coverage, t, x, np.broadcast_to(y, x.shape), z, normal)


def shade(surface: Surface, albedo: np.ndarray, gloss: np.ndarray | np.float32, light: np.ndarray) -> np.ndarray:
    """The radiance in linear RGB: Lambert's law with ambient light, and Blinn-Phong highlights."""
    nx, ny, nz = surface.normal
    lambert = np.maximum(nx * light[0] + ny * light[1] + nz * light[2], 0.0)
    ambient = 0.20 + 0.06 * ny
    half = light + np.array([0.0, 0.0, 1.0], np.float32)
    half /= np.linalg.norm(half)
    highlight = np.maximum(nx * half[0] + ny * half[1] + nz * half[2], 0.0) ** 24
    return albedo * (ambient + 0.95 * lambert)[..., None] + (gloss * highlight)[..., None]


def light_direction(azimuth: float) -> np.ndarray:
    """The unit vector to the light, which is 30 degrees above and `azimuth` degrees to the right of the camera."""
    up, around = np.radians(30.0), np.radians(azimuth)
    return np.array([np.sin(around) * np.cos(up), np.sin(up), np.cos(around) * np.cos(up)], np.float32)
