"""Logs in, posteriors out."""

import csv

import pytest

from common.errors import UserError
from pgm_tfp import BayesianNetwork, Table, exact
from pgm_tfp.catalogue import server_room, student
from pgm_tfp.diagnosis import diagnosed, write_diagnosis
from pgm_tfp.observations import read_log


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


def test_an_impossible_row_is_named_by_its_line_and_columns(tmp_path):
    network = BayesianNetwork({"X": Table.of_true(0.5), "Y": Table.of_true([0.0, 1.0], parents=("X",))})
    with pytest.raises(UserError) as error:
        diagnose(tmp_path, "Y,X\n1,1\n\n0,\n0,1\n0,1\n", network)
    assert "log.csv, line 5, columns Y, X: impossible evidence" in str(error.value)


def test_spaces_around_names_do_not_lose_a_column(tmp_path):
    (row,) = diagnose(tmp_path, "M, S\n1, 1\n", server_room())
    assert float(row["P(A=True)"]) == pytest.approx(0.0605, abs=5e-5)
    assert float(row["P(A=True)"]) == pytest.approx(exact.marginal(server_room(), "A", {"M": True, "S": True})[True])
    assert list(row)[:2] == ["M", "S"]


@pytest.mark.parametrize("column", ["P(A=True)", "log_evidence"])
def test_a_column_that_the_log_has_is_not_written_twice(tmp_path, column):
    with pytest.raises(UserError, match="would be written twice") as error:
        diagnose(tmp_path, f"M,{column}\n1,0\n", server_room())
    assert f"column {column} would" in str(error.value)
    assert not (tmp_path / "out.csv").exists()


def test_names_with_equals_signs_have_columns_of_their_own(tmp_path):
    network = BayesianNetwork(
        {
            "A": Table([0.25, 0.75], states=("B=C", "other")),
            "A=B": Table([0.4, 0.6], states=("C", "D")),
            'A="B': Table([0.5, 0.5], states=("C", "D")),
        }
    )
    path = write(tmp_path, "A\nother\n")
    log = read_log(path, network)
    out = tmp_path / "out.csv"
    write_diagnosis(out, log, network, diagnosed(log, network))
    (row,) = csv.DictReader(out.read_text().splitlines())
    assert len(row) == 1 + 6 + 1
    assert row['P(A="B=C")'] == "0"
    assert float(row['P("A=B"=C)']) == pytest.approx(0.4)
