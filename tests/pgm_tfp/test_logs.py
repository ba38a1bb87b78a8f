"""Logs in, posteriors out; what is wrong with a log is named by line and column."""

import csv

import pytest

from data.errors import UserError
from pgm_tfp import BayesianNetwork, Table, exact
from pgm_tfp.catalogue import server_room, student
from pgm_tfp.logs import diagnosed, read_log, write_diagnosis


def write(folder, text):
    path = folder / "log.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def diagnose(folder, text, network):
    log = read_log(write(folder, text), network)
    write_diagnosis(folder / "out.csv", log, network, diagnosed(log, network))
    with (folder / "out.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_row_has_the_posteriors_of_its_own_findings(tmp_path):
    network = server_room()
    text = 'time,M,note,S\n1,1,"a, b",0\n2,,,\n\n3,true,x,\n4,1,y, no \n'
    rows = diagnose(tmp_path, text, network)
    assert [row["time"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["note"] for row in rows] == ["a, b", "", "x", "y"]
    for row, evidence in zip(rows, [{"M": True, "S": False}, {}, {"M": True}, {"M": True, "S": False}], strict=True):
        for variable in network.states:
            expected = exact.marginal(network, variable, evidence)[True]
            assert float(row[f"P({variable}=True)"]) == pytest.approx(expected, rel=1e-8)
        assert float(row["log_evidence"]) == pytest.approx(exact.log_evidence(network, evidence), abs=1e-8)


def test_variables_of_more_states_have_a_column_for_each(tmp_path):
    (row,) = diagnose(tmp_path, "L\n1\n", student())
    for state, probability in exact.marginal(student(), "G", {"L": True}).items():
        assert float(row[f"P(G={state})"]) == pytest.approx(probability, rel=1e-8)


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    log = read_log(write(tmp_path, b"\xef\xbb\xbfM\n1\n"), server_room())
    assert log.observed == {"M": [True]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("M,S\n1,0\n1,maybe\n", "log.csv, line 3, column S: S has no state 'maybe'; known: False, True"),
        ("M,S\n1,0\n1\n", "log.csv, line 3: expected 2 cells, as in line 1; found 1"),
        ("M,S\n1,0,1\n", "log.csv, line 2: expected 2 cells"),
        ("M,M\n1,0\n", "log.csv, line 1: column M is there twice"),
        ("time,m\n1,0\n", "log.csv, line 1: no column is a variable's; name one or more of O, A, T, M, S"),
        ("", "log.csv, line 1: no column is a variable's"),
        ("M,S\n", "log.csv has no rows"),
        ('M,S\n1,"0\n', "no CSV in UTF-8"),
        (b"M,S\n1,\xff\n", "no CSV in UTF-8"),
        ("M,P(A=True)\n1,0\n", "column P(A=True) would be written twice"),
        ("M,log_evidence\n1,0\n", "column log_evidence would be written twice"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, message):
    with pytest.raises(UserError) as error:
        diagnose(tmp_path, text, server_room())
    assert message in str(error.value)
    assert not (tmp_path / "out.csv").exists()


def test_an_impossible_row_is_named_by_its_line_and_columns(tmp_path):
    network = BayesianNetwork({"X": Table.of_true(0.5), "Y": Table.of_true([0.0, 1.0], parents=("X",))})
    with pytest.raises(UserError) as error:
        diagnose(tmp_path, "Y,X\n1,1\n\n0,\n0,1\n0,1\n", network)
    assert "log.csv, line 5, columns Y, X: impossible evidence" in str(error.value)
