"""What all scripts share: parsing of flags, errors in one line, exit statuses.

Only scripts call the functions that change the process: `open_streams` and `run_script`.
"""

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
from common.quiet import quiet_tensorflow

WRONG_USE = 2
INTERRUPTED = 130


class Remedies(NamedTuple):
    """What a script tells the user to do after an error of the machine.

    Attributes:
        memory: if the memory is exhausted.
        space: if there is no space left where the script writes.
        refusal: if the file system refuses something for another reason.
    """

    memory: str
    space: str
    refusal: str

    def against(self, code: int | None) -> str:
        """The remedy for an error of the file system with this error number."""
        return self.space if code in (errno.ENOSPC, errno.EDQUOT) else self.refusal


class StoreOnce(argparse._StoreAction):
    """Stores a value, as argparse does, and refuses a second one."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, flag: str | None = None) -> None:
        if flag in parser.given and parser.given[flag] != values:
            parser.error(f"{flag} is given twice, with {parser.given[flag]} and {values}; give it once")
        if flag:
            parser.given[flag] = values
        super().__call__(parser, namespace, values, flag)


class LinesToStandardError(logging.StreamHandler[TextIO]):
    """Writes to what `sys.stderr` is at the moment: a progress bar replaces it, and puts lines above the bar."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # a plain attribute in the standard library
        return sys.stderr


class Parser(argparse.ArgumentParser):
    """An argument parser that raises UserError for wrong flags, and names the flag that is most similar."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            allow_abbrev=False, formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100), **kwargs
        )
        self.given: dict[str, Any] = {}  # the value of each flag that was read
        for action in (None, "store"):
            self.register("action", action, StoreOnce)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self.given.clear()
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see --help")

    def flags(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        """The flags in these arguments, or on the command line if there are none.

        Raises:
            UserError: a flag is unknown, or its value is wrong.
        """
        known, unknown = self.parse_known_args(arguments)
        if unknown:
            raise UserError(f"unknown argument {unknown[0]}; {nearest(unknown[0], self._known_flags())}")
        return known

    def _known_flags(self) -> set[str]:
        """All flags, including those of each command."""
        flags = set[str]()
        for action in self._actions:
            flags.update(action.option_strings)
            if isinstance(action, argparse._SubParsersAction):
                flags.update(*(command._known_flags() for command in action.choices.values()))
        return flags


def folder_path(typed: str) -> Path:
    """The path of a file or folder that a user has typed; ~ is the user's home.

    Raises:
        UserError: the path starts with ~NAME, and no user has that name.
    """
    try:
        return Path(typed).expanduser()
    except RuntimeError as reason:
        user = Path(typed).parts[0]
        raise UserError(f"{typed}: no user is called {user[1:]}; write ./{user} for a folder of that name") from reason


def check_file(path: Path, what: str) -> None:
    """Refuse a path that cannot be the name of a file to write.

    Args:
        what: what the path is for, which begins the error.

    Raises:
        UserError: the path is empty, or it is a folder.
    """
    if path.is_dir():  # also an empty path, which is the current folder
        raise UserError(f"{what} {path} is a folder; name a file in it, such as {path / 'log.csv'}")


def open_streams() -> None:
    """Open standard input, output and error on the null device if the process was started without them (`2>&-`).

    Otherwise the next file that the process opens gets the free number, and printed text goes into that file.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115


def run_script(name: str, script: Callable[[], None], remedies: Remedies) -> int:
    """Run the function of a script and return the exit status.

    A UserError, an error of the file system or exhausted memory becomes one line on standard error and status 2.
    A character that the output cannot encode is printed as an escape. It is no error if the reader of the output
    has ended, as after `| head -1`. TensorFlow's messages are hidden, also if the function imports TensorFlow.
    """
    quiet_tensorflow()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(
        format=f"{name}: %(message)s", level=logging.INFO, handlers=[LinesToStandardError()], force=True
    )
    status = _run(name, script, remedies)
    return max(status, _flush_output(name))


def _run(name: str, script: Callable[[], None], remedies: Remedies) -> int:
    """Run the function of a script, print an error in one line, and return the exit status."""
    try:
        script()
    except UserError as error:
        return _print_error(name, str(error))
    except BrokenPipeError:
        _send_to_null_device(sys.stdout)
    except SystemExit as end:
        # rich ends the program with status 1 if the reader of its output has ended.
        return 0 if isinstance(end.__context__, BrokenPipeError) else int(end.code or 0)
    except OSError as refusal:
        where = refusal.filename or "the file system"
        return _print_error(name, f"{where}: {refusal.strerror or refusal}; {remedies.against(refusal.errno)}")
    except MemoryError:
        return _print_error(name, f"memory is exhausted; {remedies.memory}")
    except Warning as warning:
        first_line = str(warning).partition("\n")[0]
        return _print_error(
            name, f"{type(warning).__name__}: {first_line}; do not turn warnings into errors (-W, PYTHONWARNINGS)"
        )
    except KeyboardInterrupt as interruption:
        _print_error(name, "; ".join(["interrupted", *map(str, interruption.args)]))
        return INTERRUPTED
    return 0


def _flush_output(name: str) -> int:
    """Write the text that standard output still buffers, and return the exit status."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _send_to_null_device(sys.stdout)
    except OSError as refusal:
        _send_to_null_device(sys.stdout)
        return _print_error(name, f"standard output: {refusal.strerror}; send the output to another place")
    return 0


def _print_error(name: str, message: str) -> int:
    try:
        print(f"{name}: {message}", file=sys.stderr, flush=True)
    except BrokenPipeError:
        _send_to_null_device(sys.stderr)
    return WRONG_USE


def _send_to_null_device(stream: TextIO) -> None:
    """Send the buffered text of a stream to the null device, so that the interpreter's last flush does not fail."""
    number = os.open(os.devnull, os.O_WRONLY)
    os.dup2(number, stream.fileno())
    os.close(number)
