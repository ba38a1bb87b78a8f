"""Other people's programs in a process of their own, with a limit on memory and on time."""

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
LONGEST = 100  # characters of a reason


class Outcome(NamedTuple):
    """What came of a command.

    Attributes:
        answer: what it printed as JSON on its last line, or None.
        reason: why there is no answer, in a few words; empty where there is one.
    """

    answer: Any
    reason: str


def limited(command: Sequence[str], seconds: float, gigabytes: float) -> Outcome:
    """Run a command that prints its answer as JSON; one that takes too much, too long or fails has a reason instead.

    Args:
        seconds: of wall-clock time; then the command is ended.
        gigabytes: of address space; what the command then asks for, it does not get.
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
    if any(sign in ended.stderr for sign in OUT_OF_MEMORY):
        return Outcome(None, f"takes more than {gigabytes:g} GB")
    if ended.returncode < 0:
        return Outcome(None, f"ended by {signal.Signals(-ended.returncode).name}")
    last = next(reversed(ended.stderr.strip().splitlines()), f"exit status {ended.returncode}")
    return Outcome(None, last[:LONGEST])
