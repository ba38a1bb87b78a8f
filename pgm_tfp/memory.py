"""Checks, before anything is computed, that an answer fits into the available memory."""

import os
from decimal import Decimal
from pathlib import Path

from common.errors import UserError

MEMINFO, CONTROL_GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
FLOAT = 8  # bytes of a float64
# Assumed where the system does not tell, such as on Windows: what a small machine can spare.
UNKNOWN = 4 * 10**9
ASK_LESS = "ask about fewer variables, give more evidence"

_limit: int | None = None


class TooLargeError(UserError):
    """An answer would take more memory than the limit, which is half of the available memory unless it is set."""


def set_memory_limit(limit: int | None) -> None:
    """Set the most memory that one exact answer may take.

    Args:
        limit: in bytes. None, the default, means half of the memory that is available when the question is asked, so
            that enough remains for everything else.

    Raises:
        UserError: the limit is not above zero.
    """
    global _limit
    if limit is not None and not limit > 0:
        raise UserError(f"the memory limit must be above zero bytes, given {limit}")
    _limit = limit


def check_memory(what: str, needed: int, remedy: str = ASK_LESS) -> None:
    """Raise TooLargeError if something needs more memory than the limit allows.

    Args:
        what: the thing and its size, which begin the error: "a table of 1,024 cells".
        needed: an upper bound of its memory, in bytes.
        remedy: what would make the answer smaller, in words.
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
    """The memory that this process can still take without displacing others, in bytes, as far as the system tells."""
    found = [*_of_the_machine(), *_of_the_container()]
    return max(0, min(found)) if found else UNKNOWN


def counted(number: int) -> str:
    """A number of cells as text: all its digits, or the first three if it is a million or more."""
    return f"{number:,}" if number < 10**6 else f"{Decimal(number):.2e}"


def gigabytes(number: int) -> str:
    """A number of bytes as text, in gigabytes."""
    return f"{Decimal(number) / 10**9:.3g} GB".replace("E", "e")


def _of_the_machine() -> list[int]:
    # On Linux, MemAvailable includes caches that can be freed. Elsewhere, free pages or all pages are counted.
    for line in _lines(MEMINFO):
        if line.startswith("MemAvailable:"):
            return [int(line.split()[1]) * 1024]
    for pages in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"):
        if pages in getattr(os, "sysconf_names", {}):
            return [os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE")]
    return []


def _of_the_container() -> list[int]:
    """The memory that a container's own limit leaves, by control groups of version 2 and version 1."""
    found = []
    for most, used, caches in (
        ("memory.max", "memory.current", "memory.stat"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
    ):
        limit, current = _lines(CONTROL_GROUP / most), _lines(CONTROL_GROUP / used)
        if limit and current and limit[0].isdigit():  # "max" means no limit
            kept = dict(line.split() for line in _lines(CONTROL_GROUP / caches))
            # The kernel frees file caches that have not been read recently.
            spare = kept.get("total_inactive_file", kept.get("inactive_file", 0))
            found.append(int(limit[0]) - int(current[0]) + int(spare))
    return found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
