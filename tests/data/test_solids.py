"""The solids against closed forms: a sphere and its shading."""

import numpy as np
import pytest
import scipy.optimize

from data import solids
from data.face_shapes import Factors, ears_of, hair_behind, hair_in_front, head_of
from data.faces import HALF_IMAGE
from data.factors import FACTORS, middle, sample_factors
from data.solids import Bump, Camera, Solid, bump_map, light_from, see, shade, window_within

RADIUS = 0.8
SPHERE = Solid(width=RADIUS, depth=RADIUS, y0=0.0, z0=0.0, top=RADIUS, bottom=RADIUS, top_power=2.0, bottom_power=2.0)


@pytest.mark.parametrize("yaw", [0.0, 25.0])
def test_a_sphere_looks_the_same_from_every_side(yaw):
    camera = Camera(64, 1.0)
    surface = see(camera, SPHERE, yaw)
    x, y = np.broadcast_arrays(camera.x[:, surface.window[1]], camera.y[surface.window[0]])
    inside = np.hypot(x, y) < RADIUS - camera.pixel
    exact = np.sqrt(RADIUS**2 - x[inside] ** 2 - y[inside] ** 2)
    np.testing.assert_allclose(surface.depth[inside], exact, atol=1e-5)
    for component, expected in zip(surface.normal, (x[inside], y[inside], exact), strict=True):
        np.testing.assert_allclose(component[inside], expected / RADIUS, atol=1e-4)


def test_the_sum_of_the_coverage_is_the_area():
    camera = Camera(256, 1.0)
    area = see(camera, SPHERE).coverage.sum() * camera.pixel**2
    assert area == pytest.approx(np.pi * RADIUS**2, rel=2e-3)


def test_the_visible_point_of_a_bump_agrees_with_a_root_finder():
    bumps = [Bump(0.4, 0.1, -0.1, 0.12, 0.12)]
    camera = Camera(64, 1.0)
    yaw = 20.0
    surface = see(camera, SPHERE, yaw, bumps)
    cos, sin = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    rows, columns = surface.coverage.shape
    for row, column in [
        (rows // 2, columns // 2),
        (rows // 2 + 5, columns // 2 + 9),
        (rows // 2 + 3, columns // 2 + 13),
    ]:
        ray_x, y = float(camera.x[0, surface.window[1]][column]), float(camera.y[surface.window[0]][row, 0])

        def outside(t, ray_x=ray_x, y=y):
            x, z = ray_x * cos - t * sin, ray_x * sin + t * cos
            bump = bumps[0]
            hill = bump.height * np.exp(-0.5 * (((x - bump.x) / 0.12) ** 2 + ((y - bump.y) / 0.12) ** 2))
            return (x**2 + y**2 + z**2) / RADIUS**2 - 1 - hill

        exact = scipy.optimize.brentq(outside, 0.0, 2.0)
        assert surface.depth[row, column] == pytest.approx(exact, abs=0.1 * camera.pixel)


def test_normals_on_bumps_agree_with_the_slope_of_the_depth():
    bumps = [Bump(0.3, 0.1, -0.1, 0.2, 0.2)]
    camera = Camera(256, 1.0)
    surface = see(camera, SPHERE, 15.0, bumps)
    down, across = np.gradient(surface.depth.astype(float), camera.pixel)
    centre = tuple(slice(n // 3, 2 * n // 3) for n in surface.depth.shape)
    nx, ny, nz = (component[centre] for component in surface.normal)
    # A surface z(x, y) has the normal (-dz/dx, -dz/dy, 1); rows run downwards.
    np.testing.assert_allclose(-nx / nz, across[centre], atol=0.02)
    np.testing.assert_allclose(ny / nz, down[centre], atol=0.02)


def test_a_matte_sphere_is_brightest_on_the_side_of_the_light():
    camera = Camera(128, 1.0)
    surface = see(camera, SPHERE)
    light = light_from(40.0)
    radiance = shade(surface, np.ones((3, *surface.depth.shape), np.float32), np.float32(0), light)[0]
    row, column = np.unravel_index(np.argmax(radiance * (surface.coverage == 1)), radiance.shape)
    brightest = [component[row, column] for component in surface.normal]
    assert np.dot(brightest, light.direction) > 0.99


def test_the_map_of_bumps_is_their_sum_and_its_derivatives():
    random = np.random.default_rng(0)
    bumps = [Bump(*random.uniform((-0.5, -0.6, -0.9, 0.05, 0.05), (0.5, 0.6, 0.9, 0.3, 0.3))) for _ in range(9)]
    y = np.linspace(1, -1, 40, dtype=np.float32)[:, None]
    x = random.uniform(-0.9, 0.9, (40, 30)).astype(np.float32)
    hills = [b.height * np.exp(-0.5 * (((x - b.x) / b.width_x) ** 2 + ((y - b.y) / b.width_y) ** 2)) for b in bumps]
    height, along_x, along_y = bump_map(bumps, y).at(x)
    np.testing.assert_allclose(height, sum(hills), atol=2e-3)  # linear interpolation
    slopes_x = sum(-(x - b.x) / b.width_x**2 * hill for b, hill in zip(bumps, hills, strict=True))
    slopes_y = sum(-(y - b.y) / b.width_y**2 * hill for b, hill in zip(bumps, hills, strict=True))
    np.testing.assert_allclose(along_x, slopes_x, atol=0.03)
    np.testing.assert_allclose(along_y, slopes_y, atol=0.03)


@pytest.mark.parametrize("yaw", [-20.0, 0.0, 13.0])
def test_a_window_holds_every_point_of_its_part(yaw):
    surface = see(Camera(96, 1.0), SPHERE, yaw)
    low_x, high_x, low_y, high_y = -0.35, 0.1, -0.4, 0.05
    within = (low_x <= surface.x) & (surface.x <= high_x) & (low_y <= surface.y) & (surface.y <= high_y)
    window = window_within(surface.x, surface.y, low_x, high_x, low_y, high_y)
    outside = within.copy()
    outside[window] = False
    assert within.any()
    assert not (outside & (surface.coverage == 1)).any()
    assert np.mean(within[window]) > 0.5


@pytest.mark.parametrize("size", [17, 64, 128])
def test_the_window_of_a_solid_leaves_nothing_of_it_out(size, monkeypatch):
    camera = Camera(size, HALF_IMAGE)
    for face in (Factors(*row) for row in faces_to_try(12)):
        head, bumps = head_of(face)
        seen = [(head, bumps), *((solid, ()) for solid in (hair_behind(face), hair_in_front(face), *ears_of(face)))]
        for solid, hills in seen:
            part = see(camera, solid, face.yaw, hills)
            with monkeypatch.context() as patch:
                patch.setattr(solids, "window_of", lambda *_, **__: (slice(0, size), slice(0, size)))
                whole = see(camera, solid, face.yaw, hills)
            # Nothing below `lowest` is needed.
            outside = whole.coverage * (whole.y >= solid.lowest)
            outside[part.window] = 0
            assert not outside.any()
            np.testing.assert_array_equal(part.coverage, whole.coverage[part.window])


def faces_to_try(count):
    """Faces with each factor at one of its ends, then the middle one and some between, (count + 5, K)."""
    random = np.random.default_rng(0)
    ends = [[random.choice((factor.low, factor.high)) for factor in FACTORS] for _ in range(count)]
    return [*ends, middle(), *sample_factors(4)]


def test_the_window_of_a_part_holds_it_where_x_falls_beside_the_outline():
    # Beside the outline of a turned head x does not increase, so a bisection would go wrong with the columns there.
    x = np.tile(np.r_[0.9, 0.8, np.linspace(-0.7, 0.7, 60), 0.2, 0.3].astype(np.float32), (9, 1))
    y = np.linspace(1, -1, 9, dtype=np.float32)[:, None]
    rows, columns = window_within(x[:, 2:-2], y, -0.3, 0.4, -0.5, 0.5)
    # The last two columns have x in the range again, so they belong to the part.
    assert window_within(x[:, 2:], y, -0.3, 0.4, -0.5, 0.5) == (rows, slice(columns.start, 62))
    assert window_within(x[:, :-2], y, -0.3, 0.4, -0.5, 0.5) == (rows, slice(columns.start + 2, columns.stop + 2))


def test_a_solid_beside_the_axis_turns_about_the_axis():
    camera = Camera(128, 1.0)
    small = SPHERE._replace(width=0.2, depth=0.2, top=0.2, bottom=0.2, x0=0.6)
    surface = see(camera, small, 30.0)
    x = np.broadcast_to(camera.x[:, surface.window[1]], surface.coverage.shape)
    assert np.average(x, weights=surface.coverage) == pytest.approx(0.6 * np.cos(np.radians(30.0)), abs=0.01)
    assert surface.depth[surface.coverage > 0].max() == pytest.approx(0.2 - 0.6 * np.sin(np.radians(30.0)), abs=0.01)
