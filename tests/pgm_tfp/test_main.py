"""python -m pgm_tfp: what it prints and draws, and how it ends on wrong use."""

import csv
import re
import subprocess
import sys

import pytest
from PIL import Image

from pgm_tfp import catalogue, exact
from pgm_tfp.__main__ import main
from tests.support import ROOT


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_without_a_command_the_assignment_is_answered_and_drawn(tmp_path):
    finished = subprocess.run(
        [sys.executable, "-m", "pgm_tfp", "--out", tmp_path / "figures"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert finished.stderr == ""
    assert re.findall(r"^1\.\d", finished.stdout, re.MULTILINE) == ["1.1", "1.2", "1.3", "1.4"]
    drawn = sorted((tmp_path / "figures").iterdir())
    assert len(drawn) == 5
    for path in drawn:
        with Image.open(path) as picture:
            assert picture.width > 500
            assert len(picture.convert("RGB").getcolors(1_000_000)) > 10
        assert str(path) in finished.stdout


def test_a_query_prints_the_posterior_and_draws_it(capsys, tmp_path):
    assert main(["query", "A | M=1, S=0"]) == 0
    output = capsys.readouterr().out
    probability = exact.marginal(catalogue.server_room(), "A", {"M": True, "S": False})[True]
    assert f"{probability:.6f}" in output
    assert "log evidence -3.525934 nats" in output
    assert (tmp_path / "runs" / "pgm_tfp" / "query.png").exists()


def test_the_joint_has_a_row_for_each_state_and_sums_to_one(capsys):
    assert main(["joint"]) == 0
    rows = re.findall(r"^│.*│ (\d\.\d+) +│$", capsys.readouterr().out, re.MULTILINE)
    assert len(rows) == 32
    assert sum(map(float, rows)) == pytest.approx(1.0, abs=1e-7)


def test_an_independence_is_explained_with_its_information(capsys):
    assert main(["independence", "S _|_ M | O"]) == 0
    output = capsys.readouterr().out
    assert "S _|_ M | O: yes" in output
    assert "blocked at O: O is a fork and observed" in output
    assert "I(S; M | O) = 0.000000 nats" in output
    assert main(["independence", "S _|_ M"]) == 0
    assert float(re.search(r"= (\S+) nats", capsys.readouterr().out)[1]) > 0.01


def test_a_log_is_diagnosed_beside_it(tmp_path, capsys):
    (tmp_path / "log.csv").write_text("M,S\n1,0\n,\n")
    assert main(["diagnose", "log.csv"]) == 0
    with (tmp_path / "log_posteriors.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["P(A=True)"]) for row in rows] == pytest.approx([0.471204, 0.02], abs=1e-6)
    assert "log_posteriors.csv: 2 rows, observed: M, S" in capsys.readouterr().out


def test_a_network_in_a_file_is_read_through_pgmpy(tmp_path, capsys):
    from pgmpy.readwrite import BIFWriter

    BIFWriter(catalogue.burglary().to_pgmpy()).write(str(tmp_path / "alarm.bif"))
    assert main(["query", "B | J=True, M=True", "--network", "alarm.bif"]) == 0
    assert "0.284172" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["query", "X | M=1"], "unknown variable X; known: O, A, T, M, S"),
        (["query", "A | M=maybe"], "M has no state 'maybe'"),
        (["query", "A", "--network", "studnt"], "no network and no file is named studnt; did you mean student?"),
        (["query", "A", "--network", "absent.bif"], "no file absent.bif"),
        (["query", "A", "--network", "broken.bif"], "broken.bif cannot be read as BIF"),
        (["query", "A", "--network", "log.csv"], "log.csv must end in one of .bif, .xmlbif, .xml, .uai"),
        (["independence", "S and M"], "is no statement of independence; write it as S _|_ M | O"),
        (["independence", "S _|_ S"], "stands in two places"),
        (["independence", "S _|_ N"], "unknown variable N"),
        (["joint", "--netwrk", "student"], "unknown argument --netwrk; did you mean --network?"),
        (["query", "C | S=0, R=0, W=1", "--network", "sprinkler"], "S=False, R=False, W=True together"),
        (["diagnose", "absent.csv"], "no file absent.csv"),
        (["diagnose", "log.csv", "--out", "log.csv"], "is the log itself"),
        (["diagnose", "bad.csv"], "bad.csv, line 3, column S: S has no state 'x'"),
        (["diagnose", "log.csv", "--out", "log.csv/out.csv"], "pass an --out that can be written"),
        (["--out", "log.csv"], "pass an --out that can be written"),
    ],
)  # fmt: skip
def test_wrong_use_ends_in_one_line(tmp_path, capsys, arguments, message):
    (tmp_path / "log.csv").write_text("M,S\n1,0\n")
    (tmp_path / "bad.csv").write_text("M,S\n1,0\n1,x\n")
    (tmp_path / "broken.bif").write_text("network {\n")
    before = sorted(tmp_path.rglob("*"))
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert output.err.count("\n") == 1, output.err
    assert message in output.err
    assert sorted(tmp_path.rglob("*")) == before
