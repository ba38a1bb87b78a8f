"""Write the assignment as students get it, and the code without its answers: python -m course.student_edition.

The hand-out, assignment.html, is docs/assignment.md with a list of what to fill in. The code, below code/, is that of
the project: its tests are left in, its marked answers (`course.regions`) and pages about them are not.
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
from course.regions import Region, regions, without
from course.tree import ROOT, code_files

EDITION = Path("runs") / "assignment"
PAGE, CODE, CHECKLIST = "assignment.html", "code", "FILL_IN.md"
HAND_OUT = PurePosixPath("docs/assignment.md")
# Pages and drawings answer the questions, so of docs/ only these two go along.
KEPT_DOCS = (HAND_OUT, PurePosixPath("docs/notation.md"))
# With what cannot do without them: the report begins with the theory pages.
LEFT_OUT = (
    "course",
    "docs",
    "tests/course",
    "tests/docs",
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
    """A place of the edition to fill in.

    Attributes:
        file: in which it is.
        line: of the edition's file, counted from one.
        asked: what for.
        question: of the assignment.
    """

    file: PurePosixPath
    line: int
    asked: str
    question: Question


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The flags in these arguments, or on the command line."""
    parser = Parser(prog="python -m course.student_edition", description=__doc__)
    parser.add_argument("--out", type=folder_path, default=EDITION, metavar="FOLDER", help=f"default: {EDITION}")
    return parser.flags(arguments)


def edition_files(root: Path = ROOT) -> list[PurePosixPath]:
    """The files of the code that go along, relative to `root`."""
    return [path for path in code_files(root) if path in KEPT_DOCS or not _is_left_out(path)]


def _is_left_out(path: PurePosixPath) -> bool:
    return any(path.is_relative_to(place) for place in LEFT_OUT)


def marked(files: Sequence[PurePosixPath], root: Path = ROOT) -> dict[PurePosixPath, list[Region]]:
    """The marked regions of the files that have some; those of tests do not count.

    Raises:
        UserError: a marker is wrong, or what it asks is not in `questions.QUESTIONS`.
    """
    found = {
        path: here
        for path in files
        if path.suffix == ".py" and path.parts[0] != "tests"
        if (here := regions(_read(root / path), str(path)))
    }
    for path, here in found.items():
        for region in here:
            if region.asked not in QUESTIONS:
                raise UserError(
                    f"{path}:{region.line}: no question is called {region.asked!r}; add it to course/questions.py"
                )
    return found


def gaps(found: Mapping[PurePosixPath, Sequence[Region]]) -> list[Gap]:
    """What the edition leaves to fill in, in the order of the questions."""
    places, order = list[Gap](), list(QUESTIONS)
    for path, here in found.items():
        shift = 0
        for region in here:
            places.append(Gap(path, region.line - shift, region.asked, QUESTIONS[region.asked]))
            shift += region.lines - 1
    return sorted(places, key=lambda gap: order.index(gap.asked))


def checklist(places: Sequence[Gap]) -> str:
    """The list of what to fill in, as a page in Markdown."""
    lines = [
        "# What to fill in",
        "",
        "Each place raises `NotImplementedError` with what is asked there. Write the answer in its place, in the order",
        "of this list, and run the command below it. Other tests of the same file may need more of the list. When all",
        "is filled in, `python -m pytest` passes.",
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
    return f" (the tests need {' and '.join(question.needs)}, too)" if question.needs else ""


def _commands(question: Question) -> list[str]:
    """What to pass to pytest, a line for each file."""
    names: dict[str, list[str]] = {}
    for test in question.tests:
        file, _, name = test.partition("::")
        names.setdefault(file, []).append(name)
    return [f'{file} -k "{" or ".join(here)}"' for file, here in names.items()]


def write(out: Path, root: Path = ROOT) -> list[Gap]:
    """Write the edition: whole, or not at all.

    Returns:
        What it leaves to fill in.

    Raises:
        UserError: `out` holds something else, or an edition in which someone has worked; a marker is wrong.
    """
    check_free(out)
    files = edition_files(root)
    found = marked(files, root)
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
    """The page for students: this Markdown with the list of what to fill in below it."""
    title = text.partition("\n")[0].removeprefix("# ")
    return framed(title, to_html(f"{text}\n## What to fill in\n\n{_short(places)}\n"))


def _short(places: Sequence[Gap]) -> str:
    rows = ["| part | what is asked, and where |", "| --- | --- |"]
    return "\n".join([*rows, *(f"| {gap.question.part} | {gap.asked}, in `{gap.file}` |" for gap in places)])


def check_free(out: Path) -> None:
    """Refuse a folder that holds anything but an edition as it was written.

    Raises:
        UserError: it does.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    page = out / PAGE
    if not page.is_file() or f'content="{GENERATOR}"' not in page.read_text(encoding="utf-8", errors="replace"):
        raise UserError(f"{out} exists and is no student edition; pass another --out")
    # The page is written last: what is newer was not written by us.
    written = page.stat().st_mtime_ns
    for path in sorted(out.rglob("*")):
        inside = path.relative_to(out)
        ours = inside.parts[0] in (PAGE, CODE) and path.stat().st_mtime_ns <= written
        if path.is_file() and not ours and not set(CACHES) & set(inside.parts):
            raise UserError(f"someone has worked in {out} ({inside.as_posix()}); pass another --out, or remove it")


def _read(path: Path) -> str:
    """A text file with its line ends as they are."""
    return path.read_bytes().decode("utf-8")


def edit(flags: argparse.Namespace) -> None:
    """Write the edition that the flags ask for, and print what it holds."""
    places = write(flags.out)
    print(f"{flags.out / PAGE}: the assignment")
    print(f"{flags.out / CODE}: the code, with {len(places)} places to fill in, listed in {CHECKLIST}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a student edition; the exit status."""
    return run_script("student_edition", lambda: edit(parse(arguments)), REMEDIES)


if __name__ == "__main__":
    sys.exit(main())
