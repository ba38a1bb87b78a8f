"""Progress of a long step: a bar with the time left on a terminal, otherwise a line now and then.

One display shows all steps that run at the same time, because a terminal can show only one. A step that takes less than
`SILENT` seconds shows nothing.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")
SILENT = 2.0  # seconds
EVERY = 20.0  # seconds between two lines

log = logging.getLogger(__name__)
_displays: list[Progress] = []  # at most one: that of the outermost step


def tracked(items: Iterable[Item], what: str, total: int, console: Console | None = None) -> Iterator[Item]:
    """The items; while the caller works through them, standard error shows how many are done and the time left.

    Args:
        what: the step in words, such as "rendering 10,000 faces".
        total: the number of items.
        console: where to show it; standard error by default.
    """
    console = console or Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield from _in_lines(items, what, total)
        return
    outermost = not _displays
    if outermost:
        _displays.append(
            Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=16),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("left"),
                console=console,
                transient=True,
            )
        )
        _displays[0].start()
    display = _displays[0]
    task = display.add_task(what, total=total, visible=False)
    start = time.perf_counter()
    try:
        for item in items:
            yield item
            display.update(task, advance=1, visible=time.perf_counter() - start > SILENT)
    finally:
        display.remove_task(task)
        if outermost:
            _displays.pop().stop()


def _in_lines(items: Iterable[Item], what: str, total: int) -> Iterator[Item]:
    start = told = time.perf_counter()
    for done, item in enumerate(items, 1):
        yield item
        now = time.perf_counter()
        if now - told > EVERY and done < total:
            left = timedelta(seconds=round((now - start) / done * (total - done)))
            log.info("%s: %d of %d, about %s left", what, done, total, left)
            told = now
