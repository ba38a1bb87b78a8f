import math
import sys

import numpy as np
import pytest

from common.errors import UserError
from pgm_tfp import BayesianNetwork, MarkovNetwork, Potential, catalogue, exact
from pgm_tfp.__main__ import main
from pgm_tfp.network_files import read_evidence_file, read_network

# phi(a, b) = 1 2 / 3 4 and phi(b, c) = 1 0 5 / 2 1 1
MARKOV = "MARKOV 3  2 2 3  2  2 0 1  2 1 2  4 1 2 3 4  6 1 0 5 2 1 1"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n.uai").write_text(MARKOV)
    return tmp_path


def test_a_markov_network_in_a_uai_file_is_read_and_asked(folder):
    network = read_network(folder / "n.uai")
    assert isinstance(network, MarkovNetwork)
    by_hand = MarkovNetwork(
        [Potential("ab", [[1, 2], [3, 4]]), Potential("bc", [[1, 0, 5], [2, 1, 1]])], {"c": (0, 1, 2)}
    )
    assert network.log_partition == pytest.approx(math.log((1 + 3) * 6 + (2 + 4) * 4))
    assert exact.marginal(network, "var_2", {"var_0": 1}) == pytest.approx(exact.marginal(by_hand, "c", {"a": True}))


def test_the_command_line_takes_markov_networks_and_evidence_files(folder, capsys):
    for given in (["var_0 | var_1=0"], ["var_0", "--evidence", "seen.evid"]):
        (folder / "seen.evid").write_text("1 1 0")
        assert main(["query", *given, "--network", "n.uai"]) == 0
        assert "0.750000" in capsys.readouterr().out  # 3 / (1 + 3)
    assert main(["independence", "var_0 _|_ var_2 | var_1", "--network", "n.uai"]) == 0
    assert "var_0 _|_ var_2 | var_1: yes" in capsys.readouterr().out
    assert main(["joint", "--network", "n.uai"]) == 0
    assert f"{1 * 5 / 48:.9f}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("evidence", "arguments", "message"),
    [
        ("1 7 0", [], "seen.evid: unknown variable var_7; did you mean var_"),
        ("1 0 2", [], "seen.evid: var_0 has 2 states, counted from 0, and no state 2"),
        ("2 0 1", [], "seen.evid cannot be read as UAI evidence: the file ends where"),
        ("1 1 0", ["var_0 | var_1=1"], "var_1 is in the query and in --evidence seen.evid; leave it out of one"),
        (None, [], "no file seen.evid"),
    ],
)
def test_wrong_evidence_is_one_line(folder, capsys, evidence, arguments, message):
    if evidence:
        (folder / "seen.evid").write_text(evidence)
    assert main(["query", *(arguments or ["var_2"]), "--network", "n.uai", "--evidence", "seen.evid"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_evidence_is_about_the_states_of_the_network(folder):
    (folder / "seen.evid").write_text("2 0 1 2 2")
    assert read_evidence_file(folder / "seen.evid", read_network(folder / "n.uai")) == {"var_0": 1, "var_2": 2}


def test_what_is_no_distribution_is_named_with_its_file(folder):
    (folder / "n.uai").write_text("BAYES 1 2 1 1 0 2 .5 .9")
    with pytest.raises(UserError, match=r"n.uai: P\(var_0\): expected probabilities that sum to 1"):
        read_network(folder / "n.uai")
    (folder / "n.uai").write_text("MARKOV 1 2 1 1 0 2 -1 1")
    with pytest.raises(UserError, match=r"n.uai: the potential over \(var_0\): weights must be finite"):
        read_network(folder / "n.uai")
    (folder / "n.uai").write_text("MARKOV 2 2 2 1 2 0 0 4 1 1 1 1")
    with pytest.raises(UserError, match=r"n.uai cannot be read as UAI: .*names a variable twice"):
        read_network(folder / "n.uai")


def test_bif_needs_no_pgmpy_and_rows_slightly_off_are_normalised(folder, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "pgmpy", None)
    (folder / "n.bif").write_text(
        "variable a { type discrete [ 2 ] { x, y }; } probability ( a ) { table 0.3003, 0.7; }"
    )
    network = read_network(folder / "n.bif")
    np.testing.assert_allclose(network.table("a").probabilities, [0.3003 / 1.0003, 0.7 / 1.0003])
    assert caplog.messages == ["1 of 1 tables had rows off one by up to 0.0003: normalised"]


def test_queries_find_states_whose_names_hold_commas(folder, capsys):
    (folder / "n.bif").write_text(
        "variable d { type discrete [ 2 ] { (0,10], (10,Inf] }; } probability ( d ) { table 0.25, 0.75; }"
        "variable w { type discrete [ 2 ] { no, yes }; } "
        "probability ( w | d ) { ((0,10]) 0.5, 0.5; ((10,Inf]) 0.125, 0.875; }"
    )
    assert main(["query", "w | d=(10,Inf]", "--network", "n.bif"]) == 0
    assert "0.875000" in capsys.readouterr().out
    assert main(["query", "d | w=yes, d=(0,10]", "--network", "n.bif"]) == 0
    assert "1.000000" in capsys.readouterr().out


def test_files_of_pgmpy_hold_what_it_was_given(folder):
    from pgmpy.readwrite import BIFWriter, XMLBIFWriter

    network = catalogue.student()
    BIFWriter(network.to_pgmpy()).write(str(folder / "s.bif"))
    XMLBIFWriter(network.to_pgmpy()).write(str(folder / "s.xml"))
    for name in ("s.bif", "s.xml"):
        again = read_network(folder / name)
        assert isinstance(again, BayesianNetwork)
        np.testing.assert_allclose(again.joint().over(tuple(network.states)).values, network.joint().values)
