import json

import numpy as np
import pytest
from PIL import Image

from vae_keras.evaluation import saving
from vae_keras.evaluation.record import merged
from vae_keras.evaluation.saving import save_animation, show_numbers
from vae_keras.plots import image_animation
from vae_keras.run_folder import Run


def test_numbers_of_a_later_evaluation_join_those_of_an_earlier_one():
    old = {"test": {"elbo": 1.0}, "attributes": {"smile": {"auc": 0.9}}}
    new = {"attributes": {"jaw": {"auc": 0.7}}, "test": {"elbo": 2.0}}
    assert merged(old, new) == {
        "test": {"elbo": 2.0},
        "attributes": {"smile": {"auc": 0.9}, "jaw": {"auc": 0.7}},
    }


@pytest.mark.parametrize("channels", [1, 3])
def test_what_moves_goes_there_and_back_without_end(tmp_path, channels):
    random = np.random.default_rng(0)
    start, end = random.random((2, 4, 16, 16, channels))
    frames = np.stack([(1 - share) * start + share * end for share in np.linspace(0, 1, 5)])
    save_animation(image_animation(frames, 4, "Title", "Caption"), tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.info["loop"] == 0
        assert gif.n_frames == 8
        shown = []
        for number in range(gif.n_frames):
            gif.seek(number)
            shown.append(np.asarray(gif.convert("RGB"), int))
    for number in range(1, 4):
        np.testing.assert_array_equal(shown[number], shown[-number])
    assert np.abs(shown[0] - shown[4]).max() > 100
    # What stands still does not flicker, and paper is white.
    assert len({frame[:20].tobytes() for frame in shown}) == 1
    assert shown[0][-1, -1].min() >= 250
    # In grey nothing is lost to the palette.
    if channels == 1:
        assert all(np.ptp(frame, axis=2).max() == 0 for frame in shown)


def test_a_folder_whose_name_reads_like_markup_is_shown_as_it_is(tmp_path, capsys):
    run = Run(tmp_path / "[red]a[" / "b]")
    run.folder.mkdir(parents=True)
    numbers = dict.fromkeys(("elbo", "reconstruction_nll", "kl", "psnr", "ssim"), 1.0)
    run.metrics.write_text(json.dumps({"test": {**numbers, "active_units": 1, "images": 1}}))
    show_numbers(run)
    assert "[red]a[/b]" in "".join(capsys.readouterr().out.split())


def test_an_animation_keeps_colours_that_few_pixels_have():
    random = np.random.default_rng(0)
    light = random.random((2, 200, 200, 1))
    brown = np.array([30, 26, 24]) + light * np.array([216, 186, 166]) + random.normal(0, 6, (2, 200, 200, 3))
    frames = brown.clip(0, 255).astype(np.uint8)
    lips = (190, 40, 50)
    frames[:, 100, 90:94] = lips
    for frame in saving._with_one_palette(list(frames)):
        shown = np.asarray(frame.convert("RGB"))[100, 90].astype(int)
        assert np.abs(shown - lips).max() < 25
