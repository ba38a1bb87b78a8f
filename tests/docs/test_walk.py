"""A newcomer's first hour: everything in the README, typed in its order in an empty folder.

Trainings have few images and one epoch; `make demo` keeps its other settings. What a page prints below a block is what
the block prints. `test_notebooks.py` does the same with the pages that are notebooks, too.
"""

import re
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

import evaluate
import train
from course import submission
from data import __main__ as write_faces
from docs.notebooks import PAGES as NOTEBOOKS
from docs.notebooks import commands_of
from pgm_tfp import __main__ as pgm_tfp
from tests.docs.small_settings import small
from tests.support import ROOT
from vae_keras.parts import PARTS

PAGES = {page.stem: page for page in (ROOT / "README.md", *(ROOT / "docs" / f"{page}.md" for page in NOTEBOOKS))}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Typed on the pages, and tried elsewhere or no matter of this project.
KNOWN = {
    "make test",
    "make explore",  # tests/vae_keras/explorer
    "make room",  # tests/pgm_tfp/explorer
    "make site",  # tests/docs/test_site.py
    "make notebooks",  # tests/docs/test_notebooks.py
    "make assignment",  # tests/course/test_course.py
    "python -m pgm_tfp variational",  # half a minute; tests/pgm_tfp/test_main.py
    "tensorboard --logdir runs",
    "source .venv/bin/activate",
    "py -3.12 -m venv .venv",
    r".venv\Scripts\activate",
    "pip install -r requirements.txt",
}


class Block(NamedTuple):
    """A block of a page.

    Attributes:
        kind: python, sh or text; a block without a kind is sh.
        text: its lines.
        line: the number of lines before the text.
        printed: the block of text directly after it: its output.
    """

    kind: str
    text: str
    line: int
    printed: str


def blocks_of(page: str) -> list[Block]:
    """All blocks of a page."""
    source = PAGES[page].read_text(encoding="utf-8")
    found = [*BLOCK.finditer(source)]
    blocks = []
    for this, following in zip(found, [*found[1:], None], strict=True):
        adjacent = following and following[1] == "text" and not source[this.end() : following.start()].strip()
        line = source.count("\n", 0, this.start(2))
        blocks.append(Block(this[1] or "sh", this[2], line, following[2] if adjacent else ""))
    return blocks


def run_command(command: str, demo: Path) -> int:
    """The exit status of a command, run in this process."""
    program, *typed = shlex.split(command)
    if command == "make demo":
        shutil.copytree(demo, "runs/demo")
        return 0
    if program == "make":
        target, *variables = typed
        values = {f"--{name.lower()}": value for name, _, value in (one.partition("=") for one in variables)}
        if target == "report":
            return evaluate.main(["--run", "runs/demo", "--report"])
        assert target == "submission", command
        return submission.main(["--run", "runs/demo", *(part for pair in values.items() for part in pair)])
    assert program == "python", command
    if typed[0] == "-m":
        _, module, *arguments = typed
        if module == "data":
            arguments = ["40" if argument.isdecimal() else argument for argument in arguments]
        return {"data": write_faces, "pgm_tfp": pgm_tfp}[module].main(arguments)
    scripts = {"train.py": lambda: train.main(small(typed[1:])), "evaluate.py": lambda: evaluate.main(typed[1:])}
    return scripts[typed[0]]()


@pytest.fixture
def registries_restored():
    """What a page registers is forgotten after the test."""
    kept = {kind: dict(registry) for kind, registry in PARTS.items()}
    yield
    for kind, entries in kept.items():
        registry = PARTS[kind]
        registry.clear()
        registry.update(entries)


@pytest.mark.parametrize("page", sorted({*PAGES} - {*NOTEBOOKS}))
def test_a_page_works_typed_from_top_to_bottom_in_an_empty_folder(
    page, demo, tmp_path, monkeypatch, capsys, registries_restored
):
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": page}
    for block in blocks_of(page):
        capsys.readouterr()
        if block.kind == "python":
            # The code keeps the line numbers of the page, so that an error names the right line.
            exec(compile("\n" * block.line + block.text, PAGES[page], "exec"), names)
        for command in commands_of(block.text) if block.kind == "sh" else ():
            if command not in KNOWN:
                assert run_command(command, demo) == 0, (command, capsys.readouterr().err)
        said = capsys.readouterr().out.splitlines()
        for line in block.printed.splitlines():
            assert line in said, f"{line!r} is not what {block.text!r} prints: {said}"
    # What a reader types leaves `git status` clean: all files are in folders that git ignores.
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert {f"{path.name}/" for path in tmp_path.iterdir()} <= {*ignored}


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_of_a_kind_that_the_walk_runs(page):
    kinds = [block.kind for block in blocks_of(page)]
    assert set(kinds) <= {"sh", "python", "text"}
    # At least so many blocks of commands and of Python, and blocks whose output stands below them.
    commands, python, printed = {"README": (4, 2, 0), "tutorial": (4, 2, 6), "server-room": (0, 5, 5)}[page]
    assert kinds.count("sh") >= commands
    assert kinds.count("python") >= python
    assert sum(bool(block.printed) for block in blocks_of(page)) >= printed


def test_small_settings_keep_what_matters():
    assert small(["--epochs", "1000", "--lr", "5e-4"]) == [
        "--epochs", "1", "--lr", "5e-4", "--data", "faces:40", "--batch-size", "16", "--image-size", "32",
    ]  # fmt: skip
    assert small(["--resume", "--run", "runs/a", "--epochs", "90"]) == ["--resume", "--run", "runs/a", "--epochs", "2"]
