"""Everything that the tutorial has a reader type works, and prints what the page says."""

import re
import shlex
import shutil

import pytest

import evaluate
import train
from pgm_tfp import __main__ as pgm_tfp
from tests.support import ROOT
from vae_keras.command_line import given_settings
from vae_keras.config import Config

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
# A block, and what it prints where a block of text follows at once.
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", re.DOTALL | re.MULTILINE)
SLOW = "python -m pgm_tfp variational"  # half a minute; tests/pgm_tfp/test_main.py runs it


def commands(start):
    """The commands of the page that begin so, without it, as a shell would split them."""
    lines = [line for kind, text, _ in BLOCK.findall(TUTORIAL) if kind == "sh" for line in text.splitlines()]
    return [shlex.split(line.removeprefix(start)) for line in lines if line.startswith(start)]


def test_every_line_for_the_shell_is_one_that_is_tried_here_or_a_known_one():
    lines = [line for kind, text, _ in BLOCK.findall(TUTORIAL) if kind == "sh" for line in text.splitlines()]
    tried = ("python train.py ", "python evaluate.py ", "python -m pgm_tfp")
    others = {line for line in lines if not line.startswith(tried)}
    assert others == {"make demo", "source .venv/bin/activate", "tensorboard --logdir runs"}
    assert SLOW in lines


@pytest.mark.parametrize("typed", commands("python train.py "), ids=" ".join)
def test_the_commands_that_train_have_settings_that_fit_together(typed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_faces").mkdir()
    flags = train.parse(typed)
    assert flags.resume or Config.of(**given_settings(flags)).checked().data == str(tmp_path / "my_faces")
    assert flags.run is not None


@pytest.mark.parametrize("typed", commands("python evaluate.py "), ids=" ".join)
def test_the_commands_that_evaluate_can_be_read_and_name_runs_that_were_trained(typed):
    trained = {train.parse(command).run for command in commands("python train.py ")}
    assert evaluate.parse(typed).run.as_posix() in {path.as_posix() for path in trained} | {"runs/demo"}


def test_the_snippets_and_the_commands_of_pgm_tfp_work_from_top_to_bottom(tiny_run, tmp_path, monkeypatch, capsys):
    """One program, in one folder; the run that a reader would have trained is there."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_run, tmp_path / "runs" / "mine")
    names: dict = {"__name__": "tutorial"}
    capsys.readouterr()
    for found in BLOCK.finditer(TUTORIAL):
        kind, text, printed = found.groups()
        if kind == "python":
            # Line numbers of the page, so that a failure points into it.
            lines = "\n" * TUTORIAL.count("\n", 0, found.start(2)) + text
            exec(compile(lines, ROOT / "docs" / "tutorial.md", "exec"), names)
        for command in text.splitlines() if kind == "sh" else ():
            if command.startswith("python -m pgm_tfp") and command != SLOW:
                assert pgm_tfp.main(shlex.split(command)[3:]) == 0, command
        said = capsys.readouterr().out.splitlines()
        for line in (printed or "").splitlines():
            assert line in said, f"{line!r} is not what {text!r} prints: {said}"


def test_what_is_fit_to_be_typed_stands_in_blocks_that_are_tried():
    kinds = re.findall(r"^```(\w*)$", TUTORIAL, re.MULTILINE)[::2]
    assert set(kinds) == {"sh", "python", "text"}
    assert kinds.count("text") >= 6
