"""What all scripts of the project share: parsing flags, one-line errors, exit statuses."""

import argparse
import errno
import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TextIO

from common.errors import UserError, nearest

WRONG_USE = 2
INTERRUPTED = 130


class Range(NamedTuple):
    """The numbers that a setting or a flag can have.

    Attributes:
        low, high: the smallest and the largest.
        zero: whether 0 is allowed, too, though it is below the smallest.
    """

    low: float
    high: float
    zero: bool = False

    def refusal(self, number: float) -> str | None:
        """Why a number is refused, as the end of an error message; None where it is allowed."""
        if self.low <= number <= self.high or (self.zero and number == 0):  # not a number is in no range
            return None
        return f"must be {'0, or ' if self.zero else ''}from {_shown(self.low)} to {_shown(self.high)}"


def _shown(number: float) -> str:
    """Whole numbers with all their digits, others in short."""
    return str(int(number)) if number == int(number) else f"{number:g}"


SEEDS = Range(0, 2**20 - 1)  # a thousand times as many, one for each layer, are still 32-bit numbers


class Remedies(NamedTuple):
    """What a script tells a user to do.

    Attributes:
        memory: when memory is exhausted.
        space: when there is no room left where it writes.
        refusal: when the file system refuses something else.
    """

    memory: str
    space: str
    refusal: str

    def against(self, code: int | None) -> str:
        """What helps against a refusal of the file system with this number."""
        return self.space if code in (errno.ENOSPC, errno.EDQUOT) else self.refusal


class Parser(argparse.ArgumentParser):
    """An argument parser that raises its complaints as UserError, and names the nearest flag."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            allow_abbrev=False, formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100), **kwargs
        )

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see --help")

    def flags(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        """The flags in these arguments, or on the command line; unknown ones are an error."""
        known, unknown = self.parse_known_args(arguments)
        if unknown:
            raise UserError(f"unknown argument {unknown[0]}; {nearest(unknown[0], self._known_flags())}")
        return known

    def _known_flags(self) -> set[str]:
        """All flags, those of every command too."""
        flags = set[str]()
        for action in self._actions:
            flags.update(action.option_strings)
            if isinstance(action, argparse._SubParsersAction):
                flags.update(*(command._known_flags() for command in action.choices.values()))
        return flags


def folder_path(typed: str) -> Path:
    """The file or folder that a user means, with ~ as their home.

    Raises:
        UserError: ~NAME, and there is no user of that name.
    """
    try:
        return Path(typed).expanduser()
    except RuntimeError as reason:
        user = Path(typed).parts[0]
        raise UserError(f"{typed}: there is no user {user[1:]}; write ./{user} for a folder of that name") from reason


def seed(typed: str) -> int:
    """The seed that a user means.

    Raises:
        argparse.ArgumentTypeError: it is not in `SEEDS`.
    """
    number = int(typed)
    if reason := SEEDS.refusal(number):
        raise argparse.ArgumentTypeError(f"{typed} {reason}")
    return number


def open_streams() -> None:
    """Open standard input, output and error on the null device where the process was started without them (`2>&-`).

    The next file that the process opens would get the free number, and what is printed would go into that file.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115


def run_script(name: str, script: Callable[[], None], remedies: Remedies) -> int:
    """Run a script's work; its exit status.

    A UserError, a refusal of the file system or a lack of memory becomes one line on standard error and status 2.
    Characters that an output cannot encode are printed as escapes. An output that nobody reads any more, as after
    `| head -1`, is no error.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(format=f"{name}: %(message)s", level=logging.INFO, stream=sys.stderr, force=True)
    status = _ended(name, script, remedies)
    return max(status, _flushed(name))


def _ended(name: str, script: Callable[[], None], remedies: Remedies) -> int:
    """The status that a script's work ends with, after a line about what went wrong."""
    try:
        script()
    except UserError as error:
        return _complain(name, str(error))
    except BrokenPipeError:
        _discard(sys.stdout)
    except SystemExit as end:
        # Where nobody reads its output any more, rich ends the program with status 1.
        return 0 if isinstance(end.__context__, BrokenPipeError) else int(end.code or 0)
    except OSError as refusal:
        where = refusal.filename or "the file system"
        return _complain(name, f"{where}: {refusal.strerror or refusal}; {remedies.against(refusal.errno)}")
    except MemoryError:
        return _complain(name, f"memory is exhausted; {remedies.memory}")
    except Warning as warning:
        first_line = str(warning).partition("\n")[0]
        return _complain(
            name, f"{type(warning).__name__}: {first_line}; do not make warnings errors (-W, PYTHONWARNINGS)"
        )
    except KeyboardInterrupt:
        _complain(name, "interrupted")
        return INTERRUPTED
    return 0


def _flushed(name: str) -> int:
    """Write out what standard output still holds; the exit status."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard(sys.stdout)
    except OSError as refusal:
        _discard(sys.stdout)
        return _complain(name, f"standard output: {refusal.strerror}; send it elsewhere")
    return 0


def _complain(name: str, message: str) -> int:
    try:
        print(f"{name}: {message}", file=sys.stderr, flush=True)
    except BrokenPipeError:
        _discard(sys.stderr)
    return WRONG_USE


def _discard(stream: TextIO) -> None:
    """Send to the null device what a stream still holds; else the interpreter fails where it flushes it at the end."""
    number = os.open(os.devnull, os.O_WRONLY)
    os.dup2(number, stream.fileno())
    os.close(number)
