"""Saves the figures and numbers of an evaluation."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from rich.console import Console
from rich.table import Table

from common.estimates import Estimate
from common.files import atomic_write, write_text
from common.names import file_name
from vae_keras.evaluation.comparison import Comparison, Number
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.record import baselines, finite, merged, read_record, record_about
from vae_keras.plots import Animation, add_to_caption
from vae_keras.run_folder import Run

log = logging.getLogger(__name__)

DOTS_PER_INCH = 160
ANIMATION_DOTS_PER_INCH = 110
MILLISECONDS_A_FRAME = 80


def save_evaluations(
    run: Run, evaluations: Sequence[Evaluation], context: EvaluationContext, note: str = ""
) -> list[Path]:
    """Write the figures and merge the numbers into metrics.json; returns the paths of the figures.

    Numbers in metrics.json whose inputs have changed are dropped, so that all numbers in the file belong together. A
    warning names those that the evaluations do not replace.

    Args:
        context: of the evaluations.
        note: a sentence that is added to every caption.
    """
    record, stale = record_about(read_record(run), context.source, context.epoch, context.inputs)
    paths: list[Path] = []
    for evaluation in evaluations:
        paths += save_figures(run, evaluation.figures, note)
        record = merged(record, evaluation.numbers)
    if gone := [name for name in stale if name not in record]:
        log.warning(
            "removed from %s, because the model, the images, their labels or the history changed since: %s",
            run.metrics,
            ", ".join(gone),
        )
    record, unfinite = finite(record)
    if unfinite:
        log.warning("left out of %s, because a number is not finite: %s", run.metrics, ", ".join(unfinite))
    write_text(run.metrics, json.dumps(record, indent=2, allow_nan=False) + "\n")
    return paths


def save_figures(run: Run, figures: Mapping[str, Figure | Animation], note: str = "") -> list[Path]:
    """Write figures and animations, by file name, into the run's folder; returns their paths.

    Args:
        note: a sentence that is added to every caption.
    """
    paths = []
    for name, figure in figures.items():
        path = run.figures / file_name(PurePath(name).stem, PurePath(name).suffix)
        if note:
            add_to_caption(figure.figure if isinstance(figure, Animation) else figure, note)
        with atomic_write(path) as temporary:
            if isinstance(figure, Animation):
                save_animation(figure, temporary)
            else:
                figure.savefig(temporary, dpi=DOTS_PER_INCH)
        paths.append(path)
    return paths


def save_animation(animation: Animation, path: Path) -> None:
    """Write the animation as a GIF that repeats without end."""
    canvas = FigureCanvasAgg(animation.figure)
    animation.figure.set_dpi(ANIMATION_DOTS_PER_INCH)
    canvas.draw()
    animation.figure.set_layout_engine("none")  # all frames keep the layout of the first one
    frames = []
    for number in range(animation.frames):
        animation.show(number)
        canvas.draw()
        frames.append(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    drawn = _with_one_palette(frames)
    first, *others = [*drawn, *drawn[-2:0:-1]]  # forwards, then backwards
    first.save(path, save_all=True, append_images=others, duration=MILLISECONDS_A_FRAME, loop=0)


def _with_one_palette(frames: list[np.ndarray]) -> list[Image.Image]:
    """RGB frames as images with one common palette. With one palette per frame, still parts would flicker."""
    if all(np.ptp(frame, axis=2).max() == 0 for frame in frames):
        return [Image.fromarray(frame[..., 0]) for frame in frames]
    # The palette comes from the first frame, the last one, and one between them. Each of their colours counts once, cut
    # to 6 bits a channel, so that rare colours are covered, too: a face has few red pixels, and they are its lips.
    pixels = np.concatenate(frames[:: max(1, len(frames) // 2)]).reshape(-1, 3)
    numbers = (pixels >> 2).astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    _, firsts = np.unique(numbers, return_index=True)
    palette = Image.fromarray(pixels[firsts][None]).quantize(method=Image.Quantize.MAXCOVERAGE)
    return [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]


def show_numbers(run: Run) -> None:
    """Print the numbers of the VAE and the linear model on the test images, and the disentanglement scores."""
    record = read_record(run)
    if "test" not in record:
        return
    linear = baselines(record)
    columns: list[Mapping[str, Any]] = [record["test"], *linear.values()]
    table = Table("on test images", "VAE", *linear, title=str(run.folder))
    for name in record["test"]:
        table.add_row(name, *(_shown(column.get(name)) for column in columns))
    for name, value in record.get("additional", {}).items():
        table.add_row(name, _shown(value), *("" for _ in linear))
    console = Console(highlight=False, markup=False)  # text in brackets is part of a name, not markup
    console.print(table)
    for baseline in linear.values():
        print(baseline["verdict"])
    if "disentanglement" in record:
        table = Table("disentanglement", "score", "standard error")
        for name, score in record["disentanglement"]["scores"].items():
            table.add_row(name, _shown(score["value"]), _shown(score["standard_error"]))
        console.print(table)


def show_comparison(comparison: Comparison) -> None:
    """Print the settings that differ, all numbers, and how much better or worse each run is than the first one."""
    runs, differences = comparison.runs, comparison.differences
    different = Table("setting", *runs, title="settings that differ")
    for name, values in comparison.settings.items():
        different.add_row(name, *values)
    measured = Table("number", *runs, title="numbers, with standard errors where they are known")
    for name in dict.fromkeys(name for one in comparison.numbers for name in one):
        measured.add_row(name, *(_with_error(one.get(name)) for one in comparison.numbers))
    better = Table("on the same test images", *differences, title=f"difference from {runs[0]}")
    for name in dict.fromkeys(name for one in differences.values() for name in one):
        better.add_row(name, *(_with_error(one.get(name)) for one in differences.values()))
    console = Console(highlight=False, markup=False)
    for table in (different, measured, better):
        if table.row_count:
            console.print(table)


def _with_error(number: Number | Estimate | None) -> str:
    if number is None:
        return ""
    if number.standard_error is None:
        return _shown(number.value)
    return f"{_shown(number.value)} ± {number.standard_error:.2g}"


def _shown(value: float | int | None) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) >= 0.1 else f"{value:.3g}"
    return f"{value:,}"
