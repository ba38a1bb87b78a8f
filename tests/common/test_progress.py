"""Long steps show how far they are."""

import io
import itertools

import pytest
from rich.console import Console

from common import progress
from common.progress import tracked


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on by thirty seconds whenever it is read."""
    ticks = itertools.count(0, 30)
    monkeypatch.setattr(progress.time, "perf_counter", lambda: float(next(ticks)))


def terminal():
    return Console(file=io.StringIO(), force_terminal=True, width=90)


def test_the_items_come_through_unchanged():
    for console in (terminal(), Console(file=io.StringIO())):
        assert list(tracked(iter("abc"), "letters", 3, console)) == [*"abc"]
        assert list(tracked([], "nothing", 0, console)) == []


def test_a_file_gets_a_line_now_and_then_with_the_time_left(clock, caplog):
    caplog.set_level("INFO")
    list(tracked(range(4), "cooking", 4, Console(file=io.StringIO())))
    assert [record.getMessage() for record in caplog.records] == [
        "cooking: 1 of 4, about 0:01:30 left",
        "cooking: 2 of 4, about 0:01:00 left",
        "cooking: 3 of 4, about 0:00:30 left",
    ]


def test_a_short_step_says_nothing(caplog):
    caplog.set_level("INFO")
    console = terminal()
    list(tracked(range(3), "cooking", 3, console))
    list(tracked(range(3), "cooking", 3, Console(file=io.StringIO())))
    assert "cooking" not in console.file.getvalue()
    assert not caplog.records


def test_a_step_inside_another_one_shares_its_display(clock):
    console = terminal()
    for _ in tracked(range(2), "outer", 2, console):
        for _ in tracked(range(3), "inner", 3, console):
            (display,) = progress._displays
            assert [task.description for task in display.tasks] == ["outer", "inner"]
        assert [task.description for task in display.tasks] == ["outer"]
    assert not progress._displays
    assert "outer" in console.file.getvalue()


def test_the_display_ends_with_an_error_and_with_a_caller_who_stops():
    console = terminal()

    def divide():
        for number in tracked(range(3), "dividing", 3, console):
            1 / number

    with pytest.raises(ZeroDivisionError):
        divide()
    assert not progress._displays
    stopped = tracked(range(3), "stopping", 3, console)
    next(stopped)
    stopped.close()
    assert not progress._displays
