import io

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from vae_keras.plots import (
    add_to_caption,
    contact_sheet,
    distance_bars,
    error_bars,
    heat_map,
    image_animation,
    image_figure,
    image_grid,
    latent_bars,
    ranked_curves,
    reading_rows,
    scatter_maps,
    signed,
    signed_heat_map,
    thumbnail_map,
    training_curves,
)


def test_a_grid_shows_every_image_in_its_place_on_white():
    images = np.arange(5).reshape(5, 1, 1, 1) / 10 * np.ones((5, 3, 4, 1))
    grid = image_grid(images, columns=2)
    assert grid.shape == (3 * 5 - 2, 2 * 6 - 2, 1)
    for place, image in enumerate(images):
        top, left = place // 2 * 5, place % 2 * 6
        np.testing.assert_allclose(grid[top : top + 3, left : left + 4], image)
    assert grid[3:5].min() == grid[:, 4:6].min() == grid[10:, 6:].min() == 1


def test_a_contact_sheet_has_a_grid_under_each_heading():
    strips = {"first": np.zeros((6, 8, 8, 3)), "second": np.full((2, 8, 8, 3), 0.5)}
    figure = contact_sheet(strips, [3, 2], "Title", "What it shows.")
    assert (figure.get_suptitle(), figure.get_supxlabel()) == ("Title", "What it shows.")
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(strips)
    shapes = [axes.images[0].get_array().shape for axes in figure.axes]
    assert shapes == [(2 * 10 - 2, 3 * 10 - 2, 3), (8, 2 * 10 - 2, 3)]
    with pytest.raises(ValueError, match="zip"):
        contact_sheet(strips, [3], "Title", "What it shows.")


def test_figures_carry_their_caption_and_labels():
    figure = image_figure(np.zeros((4, 8, 8, 3)), 2, "Title", "What it shows.", ["left", "right"])
    assert figure.get_suptitle() == "Title"
    assert figure.get_supxlabel() == "What it shows."
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["left", "right"]


def test_curves_show_both_parts_of_every_term():
    terms = ("elbo", "reconstruction_nll", "kl")
    history = [
        {"epoch": epoch, **{t: i + epoch for i, t in enumerate(terms)}, **{f"val_{t}": 2.0 * epoch for t in terms}}
        for epoch in (1, 2, 3)
    ]
    figure = training_curves(history, "Training", "Caption")
    assert len(figure.axes) == 3
    for axes, term in zip(figure.axes, terms, strict=True):
        lines = [line.get_ydata().tolist() for line in axes.get_lines()]
        assert lines == [[row[key] for row in history] for key in (term, f"val_{term}")]


def test_no_title_and_no_name_of_the_bars_leaves_the_figure():
    bars = {"samples from the fitted prior": (0.0013, 0.0005), "samples": (0.0147, 0.0017)}
    figure = distance_bars({"Frechet distance": bars, "kernel distance ± 2 standard errors": bars}, "Title", "Caption")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    for text in [text for axes in figure.axes for text in (axes.title, *axes.get_yticklabels())]:
        box = text.get_window_extent()
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1, text.get_text()


def test_a_grid_without_gaps_is_the_images_alone():
    images = np.random.default_rng(0).random((4, 3, 2, 1)).astype(np.float32)
    np.testing.assert_array_equal(image_grid(images, 2, gap=0)[3:, 2:], images[3])


def test_an_animation_shows_each_of_its_frames():
    frames = np.linspace(0, 1, 4)[:, None, None, None, None] * np.ones((4, 2, 8, 8, 1))
    animation = image_animation(frames, 2, "Title", "Caption")
    (shown,) = animation.figure.axes[0].images
    seen = []
    for number in range(animation.frames):
        animation.show(number)
        seen.append(float(shown.get_array()[0, 0]))
    np.testing.assert_allclose(seen, [0, 1 / 3, 2 / 3, 1], rtol=1e-6)


def test_a_thumbnail_lies_where_its_point_is_and_the_nearest_to_the_centre_is_shown():
    points = np.array([[0.0, 0.0], [4.0, 4.0], [0.9, 0.9], [4.0, 0.0]])  # two in the lower left cell of four
    images = np.array([0.1, 0.2, 0.3, 0.4])[:, None, None, None] * np.ones((4, 2, 2, 1))
    grid = thumbnail_map(points, images, 2)[..., 0]
    corners = grid[0, 0], grid[0, -1], grid[-1, 0], grid[-1, -1]
    np.testing.assert_allclose(corners, [1.0, 0.2, 0.3, 0.4], rtol=1e-6)


def test_bars_show_the_values_they_are_given():
    figure = latent_bars(np.array([2.0, 1.0]), np.array([0.1, 0.5]), ["z3", "z1"], "Title", "Caption")
    heights = [[bar.get_height() for bar in axes.patches] for axes in figure.axes]
    assert heights == [[2.0, 1.0], [0.1, 0.5]]
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["z3", "z1"]
    distances = {"Frechet": {"samples": (3.0, 0.0)}, "kernel": {"samples": (0.2, 0.01)}}
    widths = [[bar.get_width() for bar in axes.patches] for axes in distance_bars(distances, "Title", "Caption").axes]
    assert widths == [[3.0], [0.2]]


@pytest.mark.parametrize("values", [None, np.arange(6) > 2, np.arange(6.0), np.array(list("abcabc"))])
def test_maps_show_every_point_in_a_colour_of_its_group(values):
    points = np.random.default_rng(0).normal(size=(6, 2))
    figure = scatter_maps({"one": points, "two": -points}, values, "what", np.zeros((6, 4, 4, 1)), "Title", "Caption")
    shown = [np.concatenate([dots.get_offsets() for dots in axes.collections]) for axes in figure.axes[:2]]
    for found, expected in zip(shown, (points, -points), strict=True):
        np.testing.assert_allclose(sorted(found.tolist()), sorted(expected.tolist()))
    if values is not None and values.dtype.kind in "bU":
        assert len(figure.axes[0].collections) == len(np.unique(values))


def test_ranked_curves_are_listed_by_their_last_values_and_the_axis_shows_the_last_values():
    seconds = np.arange(1.0, 21.0)
    curves = {"slow": (seconds, -100 / seconds), "fast": (seconds, -10 / seconds)}
    axes = ranked_curves(curves, "Title", "Caption", "seconds", "nats").axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["fast", "slow"]
    lines = {line.get_label(): line for line in axes.get_lines()}
    np.testing.assert_array_equal(lines["slow"].get_ydata(), -100 / seconds)
    assert lines["slow"].get_linewidth() > lines["fast"].get_linewidth()
    low, high = axes.get_ylim()
    assert low == pytest.approx(-100 / 5 + 0.25 * (100 / 5 - 10 / 5))  # a quarter of the way from worst to best
    assert high > -0.5
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("seconds", "nats")


def test_a_sentence_is_added_to_a_caption_and_signs_to_numbers():
    figure = image_figure(np.zeros((4, 8, 8, 1)), 4, "Title", "A caption that is long enough to be wrapped.")
    add_to_caption(figure, "One more.")
    assert " ".join(figure.get_supxlabel().split()) == "A caption that is long enough to be wrapped. One more."
    assert figure.get_suptitle() == "Title"
    assert [signed(number) for number in (-1.0, 0.0, 0.5, 2.0)] == ["-1", "0", "+0.5", "+2"]


@pytest.mark.parametrize("name", ["$x_1^$", "$", "\\frac{", "_a"])
def test_every_figure_can_be_drawn_with_a_name_that_reads_like_a_formula(name):
    images, two, one = np.zeros((4, 8, 8, 1)), np.arange(8.0).reshape(4, 2), np.ones(1)
    bars = {name: (0.5, 0.1), "b": (0.2, 0.1)}
    history = [{"epoch": 1, "elbo": 1.0, "reconstruction_nll": 1.0, "kl": 1.0}]
    figures = [
        image_figure(images, 2, name, name, [name, "b"], [name, "a", "b", "c"]),
        image_animation(images[None], 2, name, name, column_labels=[name, "b"]).figure,
        scatter_maps({name: two}, np.array([name, "b", "b", "c"]), name, images, name, name),
        scatter_maps({name: two}, np.array([True, False, True, True]), name, images, name, name),
        scatter_maps({name: two}, np.arange(4.0), name, images, name, name),
        distance_bars({name: bars}, name, name),
        error_bars(bars, name, name, name),
        heat_map(np.eye(2), [name, "b"], [name, "b"], name, name, name),
        latent_bars(one, one, [name], name, name),
        reading_rows([name, "b"], {name: [0.2, 1.0], "c": [-3.0, 0.5]}, name, name, name),
        signed_heat_map(np.array([[1.0, -2.0], [0.0, 0.5]]), [name, "b"], [name, "b"], name, name, name),
        ranked_curves({name: (np.arange(5.0), np.arange(5.0))}, name, name, name, name),
        training_curves(history, name, name),
    ]
    for figure in figures:
        figure.savefig(io.BytesIO(), format="png", dpi=30)
        assert figure.get_suptitle() == name


def test_a_legend_has_every_class_whatever_its_name_begins_with():
    names = ["_unsorted", "$x$", "b"]
    figure = scatter_maps(
        {"map": np.arange(6.0).reshape(3, 2)}, np.array(names), "class", np.zeros((3, 8, 8, 1)), "title", "caption"
    )
    (legend,) = (axes.get_legend() for axes in figure.axes if axes.get_legend())
    assert sorted(text.get_text() for text in legend.get_texts()) == sorted(names)
