"""Runs a command in a process of its own, with limits on memory and time."""

import json
import resource
import signal
import subprocess
from collections.abc import Sequence
from typing import Any, NamedTuple

GIGABYTE = 10**9
OUT_OF_MEMORY = (
    "MemoryError",
    "bad_alloc",
    "OutOfMemory",
    "out of memory",
    "Unable to allocate",
    "annot allocate memory",
)
MOST_OF_REASON = 100  # characters


class Outcome(NamedTuple):
    """The result of a command.

    Attributes:
        answer: the JSON value on the last line of its output; None without an answer.
        reason: why there is no answer, in a few words; empty if there is an answer.
    """

    answer: Any
    reason: str


def run_limited(command: Sequence[str], seconds: float, gigabytes: float) -> Outcome:
    """Run a command that prints its answer as JSON. If it fails or reaches a limit, the result has the reason.

    Args:
        command: the program and its arguments.
        seconds: the limit on the wall-clock time; after it, the command is killed.
        gigabytes: the limit on the address space; beyond it, the command gets no more memory.
    """
    most = int(gigabytes * GIGABYTE)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, check=False, preexec_fn=limit, errors="replace"
        )
    except subprocess.TimeoutExpired:
        return Outcome(None, f"takes more than {seconds:g} s")
    if ended.returncode == 0 and ended.stdout.strip():
        return Outcome(json.loads(ended.stdout.strip().splitlines()[-1]), "")
    if any(message in ended.stderr for message in OUT_OF_MEMORY):
        return Outcome(None, f"takes more than {gigabytes:g} GB")
    if ended.returncode < 0:
        return Outcome(None, f"ended by {signal.Signals(-ended.returncode).name}")
    last = next(reversed(ended.stderr.strip().splitlines()), f"exit status {ended.returncode}")
    return Outcome(None, last[:MOST_OF_REASON])
