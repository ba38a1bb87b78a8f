"""What an answer would take, against the memory that there is: asked before anything is computed."""

import os
from decimal import Decimal
from pathlib import Path

from common.errors import UserError

MEMINFO, CONTROL_GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
FLOAT = 8  # bytes of a float64
# Where the system does not tell, as Windows does not: what a small machine can spare.
UNKNOWN = 4 * 10**9
ASK_LESS = "ask about fewer variables, give more evidence"

_limit: int | None = None


class TooLargeError(UserError):
    """An answer would take more memory than the limit allows: half of what is available, unless it is set."""


def set_memory_limit(limit: int | None) -> None:
    """How much memory one exact answer may take.

    Args:
        limit: in bytes; None, the default, is half of what is available when the question is asked, so that the
            machine keeps enough for everything else.

    Raises:
        UserError: the limit is not above zero.
    """
    global _limit
    if limit is not None and not limit > 0:
        raise UserError(f"a memory limit of {limit} bytes must be above zero")
    _limit = limit


def check_memory(what: str, needed: int, remedy: str = ASK_LESS) -> None:
    """Raise TooLargeError where something needs more memory than the limit allows.

    Args:
        what: with its sizes, as the beginning of a sentence: "a table of 1,024 cells".
        needed: bytes, at most.
        remedy: what makes the answer smaller.
    """
    available = available_memory()
    limit = available // 2 if _limit is None else _limit
    if needed > limit:
        half = ", half of that" if _limit is None else ""
        raise TooLargeError(
            f"{what} would take up to {gigabytes(needed)}; {gigabytes(available)} are available, and the limit is "
            f"{gigabytes(limit)}{half}; {remedy}, or raise the limit (exact.set_memory_limit, --memory-limit)"
        )


def available_memory() -> int:
    """The bytes that this process can still have without driving others out, as far as the system tells."""
    found = [*_of_the_machine(), *_of_the_container()]
    return max(0, min(found)) if found else UNKNOWN


def counted(number: int) -> str:
    """A number of cells for people: all its digits, or the first three of many."""
    return f"{number:,}" if number < 10**6 else f"{Decimal(number):.2e}"


def gigabytes(number: int) -> str:
    """A number of bytes for people."""
    return f"{Decimal(number) / 10**9:.3g} GB".replace("E", "e")


def _of_the_machine() -> list[int]:
    # Linux counts what it would give up of its caches; elsewhere the free pages, or all of them, must do.
    for line in _lines(MEMINFO):
        if line.startswith("MemAvailable:"):
            return [int(line.split()[1]) * 1024]
    for pages in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"):
        if pages in getattr(os, "sysconf_names", {}):
            return [os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE")]
    return []


def _of_the_container() -> list[int]:
    """What the container's own limit leaves: control groups, version 2 and version 1."""
    found = []
    for most, used, caches in (
        ("memory.max", "memory.current", "memory.stat"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
    ):
        limit, current = _lines(CONTROL_GROUP / most), _lines(CONTROL_GROUP / used)
        if limit and current and limit[0].isdigit():  # "max" is no limit
            kept = dict(line.split() for line in _lines(CONTROL_GROUP / caches))
            # The kernel gives up file caches that nobody has read of late.
            spare = kept.get("total_inactive_file", kept.get("inactive_file", 0))
            found.append(int(limit[0]) - int(current[0]) + int(spare))
    return found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
