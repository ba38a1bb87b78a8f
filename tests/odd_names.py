"""Names of files and folders that file systems take and programs stumble over."""

import os

from hypothesis import strategies as st

LONGEST = 255  # bytes

# Bytes that are not UTF-8, ends of lines and other controls, what figures and shells take for commands, letters that
# have no glyph, are written from the right, or are composed of several.
ODD = [
    *map(chr, range(0xDC80, 0xDD00)),
    *"\n\r\t\x1b\x7f\u2028\ufeff",
    *"$_^{}\\%~*?\"'`&;|<>=,#- .",
    *"éßŁ日語םע😀",
    "e\u0301",
]
# As they come out of an old zip, a spreadsheet, a chat.
FOUND = ["ren\udce9", "$x_1^$", "a\nb", "日本 語", "L" * LONGEST, "\u202egpj.exe", "nan", "CON", "--data", "~", "'; rm"]


def _as_on_disk(name: str) -> str:
    """The same bytes as Python reads them from a folder; two halves of a letter may become that letter."""
    return os.fsdecode(os.fsencode(name))


def _is_visible_name(name: str) -> bool:
    return bool(name) and not name.startswith(".") and len(os.fsencode(name)) <= LONGEST


names = (
    st.one_of(st.sampled_from(FOUND), st.lists(st.sampled_from(ODD), min_size=1, max_size=80).map("".join))
    .map(_as_on_disk)
    .filter(_is_visible_name)
)
