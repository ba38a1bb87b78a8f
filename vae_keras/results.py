"""Where figures and numbers of an evaluation go."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from data.errors import UserError
from data.files import whole_file, write_text
from vae_keras.exhibits import Exhibit
from vae_keras.runs import Run

DOTS_PER_INCH = 160


def save_exhibits(run: Run, source: str, exhibits: Sequence[Exhibit]) -> list[Path]:
    """Write figures as PNG and merge numbers into metrics.json; the figures' paths.

    Args:
        source: the images that the exhibits are about. Numbers about other images are dropped
            from metrics.json, so that all in it are about the same.
    """
    numbers = read_metrics(run)
    if numbers.get("data") != source:
        numbers = {"data": source}
    paths = []
    for exhibit in exhibits:
        for name, figure in exhibit.figures.items():
            path = run.figures / f"{name}.png"
            with whole_file(path) as temporary:
                figure.savefig(temporary, dpi=DOTS_PER_INCH)
            paths.append(path)
        numbers = merged(numbers, exhibit.numbers)
    write_text(run.metrics, json.dumps(numbers, indent=2) + "\n")
    return paths


def read_metrics(run: Run) -> dict[str, Any]:
    """What metrics.json holds so far.

    Raises:
        UserError: the file is damaged.
    """
    if not run.metrics.exists():
        return {}
    try:
        return dict(json.loads(run.metrics.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as reason:
        raise UserError(f"{run.metrics} is damaged ({reason}); remove it and evaluate again") from reason


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The old numbers with the new ones in their places, dictionaries merged key by key."""
    both = {key: merged(old[key], new[key]) for key in old.keys() & new.keys() if isinstance(new[key], dict)}
    return {**old, **new, **both}


def show_numbers(run: Run) -> None:
    """Print the numbers on the test images, where they have been computed."""
    numbers = read_metrics(run).get("test", {})
    table = Table("on test images", "value", title=str(run.folder))
    for name, value in numbers.items():
        table.add_row(name, f"{value:,.3f}" if isinstance(value, float) else f"{value:,}")
    if numbers:
        Console().print(table)
