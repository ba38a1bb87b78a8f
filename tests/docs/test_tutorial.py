"""Everything that a reader of the tutorial types works, and prints what the page shows."""

import re
import shlex
import shutil

import pytest

import evaluate
import train
from data import __main__ as write_faces
from pgm_tfp import __main__ as pgm_tfp
from tests.support import ROOT
from vae_keras.command_line import given_settings
from vae_keras.config import Config
from vae_keras.parts import PARTS

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
# A block of code, and the block of text directly after it, if there is one: its output.
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", re.DOTALL | re.MULTILINE)
SLOW = "python -m pgm_tfp variational"  # half a minute; tests/pgm_tfp/test_main.py runs it


def commands(start):
    """The arguments of the page's commands that begin with `start`, split as a shell splits them."""
    lines = [line for kind, text, _ in BLOCK.findall(TUTORIAL) if kind == "sh" for line in text.splitlines()]
    return [shlex.split(line.removeprefix(start)) for line in lines if line.startswith(start)]


def test_every_shell_command_is_run_here_or_is_a_known_one():
    lines = [line for kind, text, _ in BLOCK.findall(TUTORIAL) if kind == "sh" for line in text.splitlines()]
    tried = ("python train.py ", "python evaluate.py ", "python -m pgm_tfp", "python -m data ")
    others = {line for line in lines if not line.startswith(tried)}
    assert others == {"make demo", "source .venv/bin/activate", "tensorboard --logdir runs"}
    assert SLOW in lines


@pytest.mark.parametrize("typed", commands("python train.py "), ids=" ".join)
def test_the_training_commands_have_valid_settings(typed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_faces").mkdir()
    flags = train.parse(typed)
    assert flags.resume or Config.of(**given_settings(flags)).checked().data == str(tmp_path / "my_faces")
    assert flags.run is not None


@pytest.mark.parametrize("typed", commands("python evaluate.py "), ids=" ".join)
def test_the_evaluation_commands_are_valid_and_name_trained_runs(typed):
    trained = {train.parse(command).run for command in commands("python train.py ")}
    assert evaluate.parse(typed).run.as_posix() in {path.as_posix() for path in trained} | {"runs/demo"}


@pytest.fixture
def registries_restored():
    """What the page registers is forgotten after the test."""
    kept = {kind: dict(registry) for kind, registry in PARTS.items()}
    yield
    for kind, entries in kept.items():
        registry = PARTS[kind]
        registry.clear()
        registry.update(entries)


def test_the_snippets_and_the_commands_of_pgm_tfp_work_from_top_to_bottom(
    evaluated_run, tmp_path, monkeypatch, capsys, registries_restored
):
    """All blocks run as one program in one folder, which has the run that a reader would have trained."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(evaluated_run, tmp_path / "runs" / "mine")
    names: dict = {"__name__": "tutorial"}
    capsys.readouterr()
    for found in BLOCK.finditer(TUTORIAL):
        kind, text, printed = found.groups()
        if kind == "python":
            # The code keeps the line numbers of the page, so that an error names the right line.
            lines = "\n" * TUTORIAL.count("\n", 0, found.start(2)) + text
            exec(compile(lines, ROOT / "docs" / "tutorial.md", "exec"), names)
        for command in text.splitlines() if kind == "sh" else ():
            if command.startswith("python -m pgm_tfp") and command != SLOW:
                assert pgm_tfp.main(shlex.split(command)[3:]) == 0, command
            if command.startswith("python -m data"):
                assert write_faces.main(shlex.split(command)[3:]) == 0, command
        said = capsys.readouterr().out.splitlines()
        for line in (printed or "").splitlines():
            assert line in said, f"{line!r} is not what {text!r} prints: {said}"


def test_every_block_is_of_a_kind_that_the_tests_run():
    kinds = re.findall(r"^```(\w*)$", TUTORIAL, re.MULTILINE)[::2]
    assert set(kinds) == {"sh", "python", "text"}
    assert kinds.count("text") >= 6
