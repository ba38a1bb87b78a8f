import numpy as np

from vae_keras.plots import image_grid, picture_figure, training_curves


def test_a_grid_shows_every_picture_in_its_place_on_white():
    images = np.arange(5).reshape(5, 1, 1, 1) / 10 * np.ones((5, 3, 4, 1))
    grid = image_grid(images, columns=2)
    assert grid.shape == (3 * 5 - 2, 2 * 6 - 2, 1)
    for place, image in enumerate(images):
        top, left = place // 2 * 5, place % 2 * 6
        np.testing.assert_allclose(grid[top : top + 3, left : left + 4], image)
    assert grid[3:5].min() == grid[:, 4:6].min() == grid[10:, 6:].min() == 1


def test_figures_carry_their_caption_and_labels():
    figure = picture_figure(np.zeros((4, 8, 8, 3)), 2, "Title", "What it shows.", ["left", "right"])
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
