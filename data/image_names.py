"""Finds the image of a folder that a path in a table refers to."""

import os
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from unicodedata import normalize


class ImageNames:
    """The names of the images of a folder.

    Args:
        folder: the folder.
        names: the path of each image in the folder.
    """

    def __init__(self, folder: Path, names: Sequence[str]):
        self.folder, self.names = folder, names
        self.parts_of_folder = _parts(str(folder.resolve()))

    @cached_property
    def image_at(self) -> dict[tuple[str, ...], str]:
        """The name of each image, by the parts of its path; most folders have no table that asks for it."""
        return {_parts(name): name for name in self.names}

    @cached_property
    def with_file_name(self) -> dict[str, list[tuple[str, ...]]]:
        """The parts of the paths of all images with a file name."""
        paths = defaultdict(list)
        for parts in self.image_at:
            paths[parts[-1]].append(parts)
        return paths

    def find(self, written: str) -> str | None:
        """The name of the image that a table means with this path; None if there is no such image.

        The path is either complete (absolute, or from the folder or one of the folders above it), or the end of the
        path of exactly one image, such as its file name.
        """
        parts = _parts(written)
        for start in range(len(parts)):  # the parts before `start` have to be the end of the folder's own path
            above = self.parts_of_folder[len(self.parts_of_folder) - start :]
            if parts[start:] in self.image_at and above == parts[:start]:
                return self.image_at[parts[start:]]
        same_file_name = self.with_file_name.get(parts[-1], []) if parts else []
        matches = [path for path in same_file_name if path[-len(parts) :] == parts]
        return self.image_at[matches[0]] if len(matches) == 1 else None

    def common_folder(self) -> Path:
        """The deepest folder that holds all images."""
        return self.folder / os.path.commonpath([os.path.dirname(name) for name in self.names])  # noqa: PTH120


def _parts(path: str) -> tuple[str, ...]:
    """The folders and the file of a path; the same for its spellings on Windows, macOS and Linux."""
    return tuple(part for part in normalize("NFC", path).replace("\\", "/").split("/") if part not in ("", "."))
