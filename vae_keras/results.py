"""Where figures and numbers of an evaluation go."""

import json
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image
from rich.console import Console
from rich.table import Table

from common.errors import UserError
from common.files import atomic_write, write_text
from common.names import file_name
from vae_keras.evaluation import Evaluation
from vae_keras.plots import Animation, add_to_caption
from vae_keras.run_folder import Run

DOTS_PER_INCH = 160
ANIMATION_DOTS_PER_INCH = 110
MILLISECONDS_A_FRAME = 80
RIVALS = {"linear_vae": "linear VAE", "pca": "PCA"}  # what metrics.json may hold beside the VAE's own numbers


def save_evaluations(
    run: Run, evaluations: Sequence[Evaluation], source: str, epoch: int | None, note: str = ""
) -> list[Path]:
    """Write figures and merge numbers into metrics.json; the figures' paths.

    Args:
        source, epoch: the images that the evaluations are about, and the epoch that the model is of. Numbers about
            others are dropped from metrics.json, so that all in it are about the same.
        note: to be added to every caption.
    """
    numbers, subject = read_metrics(run), {"data": source, "epoch": epoch}
    if {key: numbers.get(key) for key in subject} != subject:
        numbers = subject
    paths = []
    for evaluation in evaluations:
        for name, figure in evaluation.figures.items():
            path = run.figures / file_name(PurePath(name).stem, PurePath(name).suffix)
            if note:
                add_to_caption(figure.figure if isinstance(figure, Animation) else figure, note)
            with atomic_write(path) as temporary:
                if isinstance(figure, Animation):
                    save_animation(figure, temporary)
                else:
                    figure.savefig(temporary, dpi=DOTS_PER_INCH)
            paths.append(path)
        numbers = merged(numbers, evaluation.numbers)
    write_text(run.metrics, json.dumps(numbers, indent=2) + "\n")
    return paths


def save_animation(animation: Animation, path: Path) -> None:
    """Write an endless GIF."""
    canvas = FigureCanvasAgg(animation.figure)
    animation.figure.set_dpi(ANIMATION_DOTS_PER_INCH)
    canvas.draw()
    animation.figure.set_layout_engine("none")  # the layout of the first frame is that of all
    frames = []
    for number in range(animation.frames):
        animation.show(number)
        canvas.draw()
        frames.append(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    first, *others = _with_one_palette(frames)
    first.save(path, save_all=True, append_images=others, duration=MILLISECONDS_A_FRAME, loop=0)


def _with_one_palette(frames: list[np.ndarray]) -> list[Image.Image]:
    """RGB frames as GIF stores them; with a palette for each, what stands still would flicker."""
    if all(np.ptp(frame, axis=2).max() == 0 for frame in frames):
        return [Image.fromarray(frame[..., 0]) for frame in frames]
    # Colours of the first frame, of the last, and of one between.
    palette = Image.fromarray(np.concatenate(frames[:: max(1, len(frames) // 2)])).quantize()
    return [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]


def read_metrics(run: Run) -> dict[str, Any]:
    """What metrics.json holds so far.

    Raises:
        UserError: the file is damaged.
    """
    if not run.metrics.exists():
        return {}
    try:
        numbers = dict(json.loads(run.metrics.read_text(encoding="utf-8")))
        if not all(isinstance(numbers.get(key, {}), dict) for key in ("test", *RIVALS)):
            raise ValueError("its sections are no tables")
        return numbers
    except (ValueError, TypeError) as reason:
        raise UserError(f"{run.metrics} is damaged ({reason}); remove it and evaluate again") from reason


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The old numbers with the new ones in their places, dictionaries merged key by key."""
    both = {key: merged(old[key], new[key]) for key in old.keys() & new.keys() if isinstance(new[key], dict)}
    return {**old, **new, **both}


def show_numbers(run: Run) -> None:
    """Print the numbers on the test images, those of the linear model beside them, where they have been computed."""
    numbers = read_metrics(run)
    test = numbers.get("test", {})
    rivals = {name: numbers[key] for key, name in RIVALS.items() if key in numbers}
    if not test:
        return
    table = Table("on test images", "VAE", *rivals, title=str(run.folder))
    for name in test:
        table.add_row(name, *(_shown(column.get(name)) for column in (test, *rivals.values())))
    console = Console(highlight=False, markup=False)  # names in brackets are names
    console.print(table)
    for rival in rivals.values():
        print(rival.get("verdict", ""))
    if scores := numbers.get("disentanglement", {}).get("scores"):
        table = Table("disentanglement", "score", "standard error")
        for name, score in scores.items():
            table.add_row(name, _shown(score["value"]), _shown(score["standard_error"]))
        console.print(table)


def _shown(value: float | int | None) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) >= 0.1 else f"{value:.3g}"
    return f"{value:,}"
