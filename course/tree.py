"""The files of the project's code: the files that git tracks, or without git all files outside of ignored folders.

Data sets, runs, trained weights and photographs are left out, even if git tracks them. Drawings are included.
"""

import os
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from data.image_formats import image_formats

ROOT = Path(__file__).resolve().parents[1]
ALWAYS_IGNORED = (".git", ".venv", "datasets", "runs", "__pycache__")
WEIGHTS = ("*.keras", "*.h5", "*.hdf5", "*.ckpt*", "*.data-*-of-*", "*.index", "*.pb", "*.tflite", "*.onnx")
OTHER_WEIGHTS = ("*.pt", "*.pth", "*.safetensors", "*.npz", "*.npy", "*.pkl", "*.pickle", "*.joblib")
PHOTOGRAPHS = ("*.gif", "*.heic", "*.avif")  # and the suffixes of all formats that Pillow reads
ARCHIVES = ("*.zip", "*.tar", "*.gz", "*.tgz", "*.7z", "*.rar")
DRAWINGS = ("docs/*.png", "benchmarks/*.png")  # in sub-folders too, because * matches /


def code_files(root: Path = ROOT) -> list[PurePosixPath]:
    """The files of the code, relative to `root`, sorted."""
    ignored = ignored_folders(root)
    found = _tracked(root)
    if found is None:
        found = _present(root, ignored)
    return sorted(
        path
        for path in found
        if not any(_is_ignored(folder, ignored) for folder in path.parents)
        and _is_code(path)
        and (root / path).is_file()
        and not (root / path).is_symlink()
    )


def ignored_folders(root: Path) -> tuple[str, ...]:
    """Names and patterns of the folders that are not code: those in .gitignore, and `ALWAYS_IGNORED`."""
    file = root / ".gitignore"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return (*ALWAYS_IGNORED, *(line.strip().strip("/") for line in lines if line.strip().endswith("/")))


def _tracked(root: Path) -> list[PurePosixPath] | None:
    """The files that git tracks; None if `root` is not the top of a repository, or git is not installed or fails."""
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    listed = subprocess.run([git, "-C", root, "ls-files", "-z"], capture_output=True, check=False)
    if listed.returncode:
        return None
    return [PurePosixPath(os.fsdecode(name)) for name in listed.stdout.split(b"\0") if name]


def _present(root: Path, ignored: tuple[str, ...]) -> list[PurePosixPath]:
    """All files outside of ignored folders and virtual environments."""
    found = []
    for folder, below, names in os.walk(root):
        here = PurePosixPath(Path(folder).relative_to(root).as_posix())
        below[:] = [
            name
            for name in below
            if not _is_ignored(here / name, ignored) and not Path(folder, name, "pyvenv.cfg").exists()
        ]
        found += [here / name for name in names]
    return found


def _is_ignored(folder: PurePosixPath, ignored: tuple[str, ...]) -> bool:
    return any(fnmatch(folder.name, pattern) or fnmatch(str(folder), pattern) for pattern in ignored)


def _is_code(path: PurePosixPath) -> bool:
    name, whole = path.name.lower(), str(path).lower()
    if any(fnmatch(whole, pattern) for pattern in DRAWINGS):
        return True
    patterns = (*WEIGHTS, *OTHER_WEIGHTS, *PHOTOGRAPHS, *ARCHIVES)
    return path.suffix.lower() not in image_formats().suffixes and not any(
        fnmatch(name, pattern) for pattern in patterns
    )
