"""Write the assignment for students, and the code without its answers: python -m course.student_edition.

The hand-out assignment.html is docs/assignment.md with a list of the places to fill in. The folder code/ holds the code
of the project with its tests, but without the marked answers (`course.regions`) and the pages that explain them.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from common.command_line import Parser, Remedies, folder_path, run_script
from common.documents import to_html
from common.errors import UserError
from common.files import UNFINISHED, write_text
from course.frame import GENERATOR, framed
from course.questions import QUESTIONS, Question
from course.regions import Region, find_regions, without
from course.tree import ROOT, code_files

EDITION = Path("runs") / "assignment"
PAGE, CODE, CHECKLIST = "assignment.html", "code", "FILL_IN.md"
HAND_OUT = PurePosixPath("docs/assignment.md")
# The other pages and drawings in docs/ answer the questions.
KEPT_DOCS = (HAND_OUT, PurePosixPath("docs/notation.md"))
# Pages with answers, and the tests that need these pages; the report, for example, begins with the theory pages.
LEFT_OUT = (
    "course",
    "docs",
    "tests/course",
    "tests/docs",
    "tests/test_changed.py",
    "tests/test_readme.py",
    "tests/vae_keras/report",
    "README.md",
    "mkdocs.yml",
)
CACHES = ("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis")
REMEDIES = Remedies(
    memory="close other programs",
    space="make room there, or pass another --out",
    refusal="pass an --out that can be written",
)


class Gap(NamedTuple):
    """A place in the student edition that the student fills in.

    Attributes:
        file: the file with the place.
        line: the line in the edition's file, counted from one.
        asked: what the student has to write.
        question: the question of the assignment.
    """

    file: PurePosixPath
    line: int
    asked: str
    question: Question


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The flags in these arguments, or on the command line."""
    parser = Parser(prog="python -m course.student_edition", description=__doc__)
    parser.add_argument(
        "--out", type=folder_path, default=EDITION, metavar="FOLDER", help=f"the folder to write (default: {EDITION})"
    )
    return parser.flags(arguments)


def edition_files(root: Path = ROOT) -> list[PurePosixPath]:
    """The files of the student edition, relative to `root`."""
    return [path for path in code_files(root) if path in KEPT_DOCS or not _is_left_out(path)]


def _is_left_out(path: PurePosixPath) -> bool:
    return any(path.is_relative_to(place) for place in LEFT_OUT)


def marked_regions(files: Sequence[PurePosixPath], root: Path = ROOT) -> dict[PurePosixPath, list[Region]]:
    """The marked regions of each file that has some; tests have none.

    Raises:
        UserError: a marker is wrong, or its name is not in `questions.QUESTIONS`.
    """
    found = {
        path: here
        for path in files
        if path.suffix == ".py" and path.parts[0] != "tests"
        if (here := find_regions(_read(root / path), str(path)))
    }
    for path, here in found.items():
        for region in here:
            if region.asked not in QUESTIONS:
                raise UserError(
                    f"{path}:{region.line}: no question is called {region.asked!r}; add it to course/questions.py"
                )
    return found


def gaps(found: Mapping[PurePosixPath, Sequence[Region]]) -> list[Gap]:
    """The places to fill in, in the order of the questions."""
    places, order = list[Gap](), list(QUESTIONS)
    for path, here in found.items():
        shift = 0
        for region in here:
            places.append(Gap(path, region.line - shift, region.asked, QUESTIONS[region.asked]))
            shift += region.lines - 1
    return sorted(places, key=lambda gap: order.index(gap.asked))


def checklist(places: Sequence[Gap]) -> str:
    """The list of the places to fill in, as a page in Markdown."""
    lines = [
        "# What to fill in",
        "",
        "Each place raises `NotImplementedError` with a text that says what to write. Replace the line by your answer.",
        "Go in the order of this list, and run the command below each place. Other tests in the same file may need",
        "other answers, too. After the last answer, `python -m pytest` passes.",
    ]
    part = ""
    for gap in places:
        if gap.question.part != part:
            part = gap.question.part
            lines += ["", f"## {part}", ""]
        lines.append(f"- [ ] {gap.asked}: `{gap.file}`, line {gap.line}{_after(gap.question)}")
        lines += [f"      `python -m pytest {command}`" for command in _commands(gap.question)]
    return "\n".join(lines) + "\n"


def _after(question: Question) -> str:
    return f" (the tests also need {' and '.join(question.needs)})" if question.needs else ""


def _commands(question: Question) -> list[str]:
    """The arguments for pytest, one line for each file."""
    names: dict[str, list[str]] = {}
    for test in question.tests:
        file, _, name = test.partition("::")
        names.setdefault(file, []).append(name)
    return [f'{file} -k "{" or ".join(here)}"' for file, here in names.items()]


def write(out: Path, root: Path = ROOT) -> list[Gap]:
    """Write the student edition. After an error, `out` is unchanged.

    Returns:
        The places to fill in.

    Raises:
        UserError: `out` holds other files, or an edition that someone has changed; a marker is wrong.
    """
    check_free(out)
    files = edition_files(root)
    found = marked_regions(files, root)
    places = gaps(found)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=UNFINISHED) as folder:
        new = Path(folder) / "new"
        for path in files:
            copy = new / CODE / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / path, copy)
            shutil.copymode(root / path, copy)
            if path in found:
                copy.write_bytes(without(_read(root / path), found[path]).encode())
        write_text(new / CODE / CHECKLIST, checklist(places))
        write_text(new / PAGE, hand_out(_read(root / HAND_OUT), places))
        if out.exists():
            out.replace(Path(folder) / "old")
        new.replace(out)
    return places


def hand_out(text: str, places: Sequence[Gap]) -> str:
    """The page for students: this Markdown, and below it the list of the places to fill in."""
    title = text.partition("\n")[0].removeprefix("# ")
    return framed(title, to_html(f"{text}\n## What to fill in\n\n{_table(places)}\n"))


def _table(places: Sequence[Gap]) -> str:
    """A table of the places to fill in, as Markdown."""
    rows = ["| part | what to write, and where |", "| --- | --- |"]
    return "\n".join([*rows, *(f"| {gap.question.part} | {gap.asked}, in `{gap.file}` |" for gap in places)])


def check_free(out: Path) -> None:
    """Check that the folder is empty, absent, or holds an unchanged student edition.

    Raises:
        UserError: the folder holds other files, or someone has changed the edition in it.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    page = out / PAGE
    if not page.is_file() or f'content="{GENERATOR}"' not in page.read_text(encoding="utf-8", errors="replace"):
        raise UserError(f"{out} exists and is not a student edition; pass another --out")
    # The page is the last file that is written, so a newer file was not written by this script.
    written = page.stat().st_mtime_ns
    for path in sorted(out.rglob("*")):
        inside = path.relative_to(out)
        ours = inside.parts[0] in (PAGE, CODE) and path.stat().st_mtime_ns <= written
        if path.is_file() and not ours and not set(CACHES) & set(inside.parts):
            raise UserError(f"{out} has been changed ({inside.as_posix()}); pass another --out, or remove the folder")


def _read(path: Path) -> str:
    """The text of a file, with its line ends unchanged."""
    return path.read_bytes().decode("utf-8")


def edit(flags: argparse.Namespace) -> None:
    """Write the edition into the folder of the flags, and print what it holds."""
    places = write(flags.out)
    print(f"{flags.out / PAGE}: the assignment")
    print(f"{flags.out / CODE}: the code, with {len(places)} places to fill in, listed in {CHECKLIST}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script and return the exit status."""
    return run_script("student_edition", lambda: edit(parse(arguments)), REMEDIES)


if __name__ == "__main__":
    sys.exit(main())
