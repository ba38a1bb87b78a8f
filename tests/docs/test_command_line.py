"""The page on the command line lists every flag of the three programs, with the defaults of the settings."""

import contextlib
import dataclasses
import re

import pytest

import evaluate
import train
from pgm_tfp import __main__ as pgm_tfp
from tests.support import ROOT
from vae_keras.config import Config
from vae_keras.registry import flag_of

PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
SECTIONS = dict(zip(*[iter(re.split(r"^## (.*)\n", PAGE, flags=re.MULTILINE)[1:])] * 2, strict=True))
ROW = re.compile(r"^\| (`--.*?) \| (.*?) \| (.*?) \|", re.MULTILINE)
FLAG = re.compile(r"(?<![\w`-])--[a-z]+(?:-[a-z]+)*")


def flags_of(program, typed, capsys):
    """The flags that a program's help shows."""
    with contextlib.suppress(SystemExit):
        program([*typed, "--help"])
    return set(FLAG.findall(capsys.readouterr().out)) - {"--help"}


def described(section):
    """The flags that begin a row of the section's tables."""
    rows = re.findall(r"^\| (`--[^|]*)", SECTIONS[section], re.MULTILINE)
    return {flag for row in rows for flag in re.findall(r"--[a-z-]*[a-z]", row)}


@pytest.mark.parametrize(("section", "program"), [("train.py", train.parse), ("evaluate.py", evaluate.parse)])
def test_the_page_has_every_flag_of_a_script(section, program, capsys):
    assert flags_of(program, [], capsys) <= described(section)


def test_the_page_has_every_command_and_flag_of_pgm_tfp(capsys):
    name = "python -m pgm_tfp"
    for command in pgm_tfp.COMMANDS:
        assert f"| `{command}" in SECTIONS[name]
        assert flags_of(pgm_tfp.main, [command], capsys) <= described(name), command


def test_the_defaults_on_the_page_are_those_of_the_settings():
    defaults = {flag: cell for flags, _, cell in ROW.findall(SECTIONS["train.py"]) for flag in FLAG.findall(flags[1:])}
    plain = {
        field.name: field.default
        for field in dataclasses.fields(Config)
        if isinstance(field.default, str | int | float)
    }
    for name, value in plain.items():
        cell = defaults[flag_of(name)]
        assert cell == "off" if value is False else cell.startswith(f"`{value}`"), name
    assert len(plain) >= 10
