"""python -m pgm_tfp: what it prints and draws, and how it ends on wrong use."""

import csv
import itertools
import re
import subprocess
import sys

import pytest
from pgmpy.readwrite import BIFWriter
from PIL import Image

from pgm_tfp import BayesianNetwork, Table, approximate, catalogue, exact
from pgm_tfp.__main__ import main
from pgm_tfp.learning_report import learn_tables
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


@pytest.mark.parametrize("method", approximate.METHODS)
def test_a_query_is_answered_approximately_with_its_error(method, capsys, tmp_path):
    assert main(["query", "A, O | M=1, S=0", "--method", method, "--seed", "1"]) == 0
    output = capsys.readouterr().out
    room, evidence = catalogue.server_room(), {"M": True, "S": False}
    rows = re.findall(r"^│ (\w+) +│ ([\d.]+) .*│ (\S+) +│$", output, re.MULTILINE)
    assert len(rows) == 4
    for variable, (state, probability, error) in zip("AAOO", rows, strict=True):
        expected = exact.marginal(room, variable, evidence)[state == "True"]
        bound = {"unknown": 1.0, "exact": 1e-6}.get(error) or 5 * float(error)
        assert abs(float(probability) - expected) < bound
    assert f"by {method}: " in output
    assert (tmp_path / "runs" / "pgm_tfp" / "query.png").exists()
    said = {
        "likelihood_weighting": r"log evidence -3\.5\d+ nats, standard error 0\.0",
        "gibbs": "log evidence is not known by this method",
        "loopy": "log evidence -3.525934 nats",  # S and M are seen, so no loop is left
        "tree_reweighted": r"log evidence at least -\d\.\d+ nats, at most -",
        "mean_field": r"log evidence at least -\d\.\d+ nats$",
    }
    assert re.search(said[method], output, re.MULTILINE)


def test_ctrl_c_shows_the_approximate_answer_so_far(monkeypatch, capsys):
    everything = approximate.answers

    def interrupted(*arguments, **settings):
        yield from itertools.islice(everything(*arguments, **settings), 20)
        raise KeyboardInterrupt

    monkeypatch.setattr(approximate, "answers", interrupted)
    assert main(["query", "A | M=1, S=0", "--method", "gibbs", "--seconds", "600"]) == 0
    output = capsys.readouterr().out
    assert "stopped by Ctrl-C after" in output
    assert re.search(r"│ True +│ 0\.4[67]\d+ +│ 0\.00", output), output


def test_ctrl_c_before_the_first_answer_ends_the_command(monkeypatch, capsys):
    def interrupted(*arguments, **settings):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(approximate, "answers", interrupted)
    assert main(["query", "A | M=1", "--method", "gibbs"]) == 130
    assert "P(A" not in capsys.readouterr().out


def test_no_number_is_shown_for_an_answer_that_is_not_reliable(tmp_path, capsys):
    network = BayesianNetwork({"cause": Table.of_true(1e-7), "alarm": Table.of_true([1e-8, 1.0], parents=["cause"])})
    BIFWriter(network.to_pgmpy()).write(str(tmp_path / "rare.bif"))
    arguments = ["query", "cause | alarm=True", "--network", "rare.bif"]
    assert main([*arguments, "--method", "likelihood_weighting"]) == 2
    output, errors = capsys.readouterr()
    assert "P(cause" not in output
    assert errors.splitlines()[-1].startswith("pgm_tfp: likelihood_weighting has no reliable answer: ")
    assert main([*arguments, "--method", "gibbs"]) == 0
    assert re.search(r"│ True +│ 0\.9", capsys.readouterr().out)


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


def test_an_independence_is_explained_where_its_information_would_take_too_much(capsys, tmp_path):
    assert main(["independence", "S _|_ M | O", "--memory-limit", "1e-7"]) == 0
    output = capsys.readouterr()
    assert "S _|_ M | O: yes" in output.out
    assert "in numbers: not computed: a joint distribution takes tables of 8 cells" in output.out
    assert (tmp_path / "runs" / "pgm_tfp" / "independence.png").exists()


def test_a_joint_of_more_rows_than_anybody_reads_is_not_printed(capsys, monkeypatch):
    monkeypatch.setattr("pgm_tfp.commands.joint.MOST_ROWS", 31)
    assert main(["joint"]) == 2
    assert capsys.readouterr().err == (
        "pgm_tfp: a joint distribution of 32 rows is too long to print; query some variables\n"
    )


def test_a_log_is_diagnosed_beside_it(tmp_path, capsys):
    (tmp_path / "log.csv").write_text("M,S\n1,0\n,\n")
    assert main(["diagnose", "log.csv"]) == 0
    with (tmp_path / "log_posteriors.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["P(A=True)"]) for row in rows] == pytest.approx([0.471204, 0.02], abs=1e-6)
    assert "log_posteriors.csv: 2 rows, observed: M, S" in capsys.readouterr().out


def test_a_network_in_a_file_is_read_through_pgmpy(tmp_path, capsys):
    BIFWriter(catalogue.burglary().to_pgmpy()).write(str(tmp_path / "alarm.bif"))
    assert main(["query", "B | J=True, M=True", "--network", "alarm.bif"]) == 0
    assert "0.284172" in capsys.readouterr().out


def test_what_a_network_has_written_is_learnt_again(tmp_path, capsys):
    assert main(["simulate", "log.csv", "--rows", "4000"]) == 0
    assert main(["learn", "log.csv"]) == 0
    output = capsys.readouterr().out
    assert "4,000 rows: learnt from 3,200, every fifth held out" in output
    gap = float(re.search(r"gap (\S+)", output)[1])
    assert abs(gap) < 1e-6
    folder = tmp_path / "runs" / "pgm_tfp"
    assert (folder / "learned.png").exists()
    with (folder / "tables.csv").open() as file:
        rows = {row["entry"]: row for row in csv.DictReader(file)}
    assert len(rows) == 10
    for name, truth in (("P(O=True)", 0.1), ("P(M=True | T=True)", 0.95), ("P(S=True | O=True)", 0.9)):
        assert float(rows[name]["low"]) < truth < float(rows[name]["high"])


def test_a_log_with_gaps_is_learnt_by_em_and_what_stays_open_is_said(capsys):
    assert main(["simulate", "log.csv", "--rows", "300", "--blank", "0.1", "--hide", "T"]) == 0
    assert main(["learn", "log.csv"]) == 0
    output = capsys.readouterr().out
    assert "variational EM: bound" in output
    assert "EM: log likelihood" in output
    swapped = "T was never seen. The states of T can be named in any of 2 orders"
    assert swapped in output
    network, log = catalogue.server_room(), catalogue.server_room().sample(50, seed=0)
    columns = {name: column.tolist() for name, column in log.items() if name != "T"}
    (figure,) = learn_tables(network, columns).section.figures.values()
    assert swapped in " ".join(figure.get_supxlabel().split())


def test_surrogates_are_compared_with_the_exact_posterior(capsys, tmp_path):
    assert main(["variational", "--out", "figures"]) == 0
    output, errors = capsys.readouterr()
    assert errors == ""
    gaps = [float(gap) for gap in re.findall(r"^(?:mean field|autoregressive) .*gap (\S+) nats", output, re.MULTILINE)]
    assert gaps[0] > 0.1 > 1e-6 > abs(gaps[1])
    assert "(ln pi - 1)/2 = 0.072365 nats" in output
    assert "R-hat 1.0" in output
    assert len(list((tmp_path / "figures").glob("*.png"))) == 7
    assert output.count("drawn: ") == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["query", "X | M=1"], "unknown variable X; known: O, A, T, M, S"),
        (["query", "A | M=maybe"], "M has no state 'maybe'"),
        (["query", "A", "--network", "studnt"], "no network and no file is named studnt; did you mean student?"),
        (["query", "A", "--network", "absent.bif"], "no file absent.bif"),
        (["query", "A", "--network", "broken.bif"], "broken.bif cannot be read as BIF"),
        (["query", "A", "--network", "log.csv"], "log.csv must end in one of .bif, .xmlbif, .xml, .uai"),
        (["independence", "S and M"], "is not a statement of independence; write it as S _|_ M | O"),
        (["independence", "S _|_ S"], "stands in two places"),
        (["independence", "S _|_ N"], "unknown variable N"),
        (["joint", "--netwrk", "student"], "unknown argument --netwrk; did you mean --network?"),
        (["query", "C | S=0, R=0, W=1", "--network", "sprinkler"], "S=False, R=False, W=True together"),
        (["diagnose", "absent.csv"], "no file absent.csv"),
        (["diagnose", "log.csv", "--out", "log.csv"], "is the log itself"),
        (["diagnose", "bad.csv"], "bad.csv, line 3, column S: S has no state 'x'"),
        (["diagnose", "log.csv", "--out", "log.csv/out.csv"], "that can be written"),
        (["--out", "log.csv"], "that can be written"),
        (["simulate", "new.csv", "--rows", "0"], "--rows 0 must be 1 or more"),
        (["simulate", "new.csv", "--rows", str(10**12)], "--rows 1.00e+12 would take up to"),
        (["simulate", "new.csv", "--rows", str(10**400)], "--rows 1.00e+400 would take up to"),
        (["simulate", "new.csv", "--rows", "1e3"], "argument --rows: invalid int value: '1e3'"),
        (["simulate", "new.csv", "--blank", "7"], "--blank 7.0 must be from 0 to 1"),
        (["simulate", "new.csv", "--blank", "nan"], "--blank nan must be from 0 to 1"),
        (["simulate", "new.csv", "--seed", "-1"], "--seed -1 must be from 0 to 1048575"),
        (["simulate", "new.csv", "--seed", str(2**70)], "must be from 0 to 1048575"),
        (["learn", "log.csv", "--seed", "-1"], "--seed -1 must be from 0 to 1048575"),
        (["variational", "--seed", "-1"], "--seed -1 must be from 0 to 1048575"),
        (["learn", "log.csv", "--prior-counts", "nan"], "--prior-counts nan must be from 1e-09 to 1000000000"),
        (["learn", "log.csv", "--prior-counts", "inf"], "--prior-counts inf must be from 1e-09"),
        (["learn", "log.csv", "--prior-counts", "0"], "--prior-counts 0.0 must be from 1e-09"),
        (["learn", "log.csv", "--prior-counts", "1e300"], "--prior-counts 1e+300 must be from 1e-09"),
        (["simulate", "new.csv", "--hide", "X"], "unknown variable X"),
        (["simulate", "new.csv", "--hide", "O,A,T,M,S"], "--hide names every variable"),
        (["simulate", "new.csv", "--network", "assignment_1_2"], "is a Markov network; name a Bayesian one"),
        (["query", "A", "--memory-limit", "1e-7"], "tables of 2 cells, up to 1 variables in one; they would"),
        (["--memory-limit", "1e-7", "query", "A"], "the limit is 1e-7 GB; ask about fewer variables"),
        (["joint", "--memory-limit", "1e-7"], "joint distribution takes tables of 32 cells"),
        (["query", "A", "--memory-limit", "nan"], "--memory-limit nan must be 1e-09 or more"),
        (["query", "A", "--memory-limit", "0"], "--memory-limit 0.0 must be 1e-09 or more"),
        (["query", "A", "--method", "gibs"], "invalid choice: 'gibs'"),
        (["query", "A", "--seconds", "3"], "--seconds is for approximate answers; add --method likelihood_weighting"),
        (["query", "A", "--seed", "3"], "--seed is for approximate answers"),
        (["query", "A", "--method", "gibbs", "--seconds", "0"], "--seconds 0.0 must be from 0.1 to 86400"),
        (["query", "A", "--method", "gibbs", "--seed", "-1"], "--seed -1 must be from 0 to 1048575"),
        (["query", "A", "--memory-limit", "1e-7"], "for an approximate answer pass --method likelihood_weighting"),
        (
            ["query", "A", "--network", "assignment_1_2", "--memory-limit", "3e-7"],
            "for an approximate answer pass --method gibbs",
        ),
        (["query", "A", "--network", "assignment_1_2", "--method", "likelihood_weighting"], "take gibbs for a Markov"),
        (["query", "A", "--memory-limit", "8G"], "argument --memory-limit: invalid float value: '8G'"),
        (["learn", "log.csv"], "1 rows are too few to learn from"),
        (["learn", "bad.csv"], "bad.csv, line 3, column S"),
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


@pytest.mark.parametrize(
    "command", [["simulate", "."], ["simulate", ""], ["simulate", "/"], ["diagnose", "log.csv", "--out", "."]]
)
def test_a_folder_in_place_of_a_file_is_one_line(command, capsys, tmp_path):
    (tmp_path / "log.csv").write_text("M\n1\n")
    assert main(command) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "folder" in error
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]


def test_trails_that_are_too_many_to_list_leave_the_answer(capsys, tmp_path):
    names = [f"x{place}" for place in range(10)]
    blocks = [f"variable {name} {{ type discrete [ 2 ] {{ a, b }}; }}" for name in names]
    for place, name in enumerate(names):
        parents = f" | {', '.join(names[:place])}" if place else ""
        blocks.append(f"probability ( {name}{parents} ) {{ table {' '.join(['0.5'] * 2 ** (place + 1))}; }}")
    (tmp_path / "joined.bif").write_text("\n".join(blocks))
    assert main(["independence", "x0 _|_ x9", "--network", "joined.bif"]) == 0
    output = capsys.readouterr().out
    assert output.startswith("x0 _|_ x9: no")
    assert "I(x0; x9) = 0.000000 nats" in output
