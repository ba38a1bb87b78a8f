"""Logs in, posteriors out; what is wrong with a log is named by line and column."""

import csv
import io
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp import BayesianNetwork, Table, exact
from pgm_tfp.catalogue import server_room, student
from pgm_tfp.observations import diagnosed, read_log, write_diagnosis, write_log
from pgm_tfp.states import BINARY


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
        ("time,x\n1,0\n", "log.csv, line 1: no column is a variable's; name one or more of O, A, T, M, S"),
        ("time,m\n1,0\n", "log.csv, line 1: no column is a variable's (m is nearly M); name one or more of O, A"),
        ("M, M \n1,0\n", "log.csv, line 1: column M is there twice"),
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


def test_spaces_around_names_do_not_lose_a_column(tmp_path):
    (row,) = diagnose(tmp_path, "M, S\n1, 1\n", server_room())
    assert float(row["P(A=True)"]) == pytest.approx(0.0605, abs=5e-5)
    assert float(row["P(A=True)"]) == pytest.approx(exact.marginal(server_room(), "A", {"M": True, "S": True})[True])
    assert list(row)[:2] == ["M", "S"]


def test_columns_that_are_ignored_are_listed_and_those_that_nearly_name_a_variable_pointed_out(tmp_path, caplog):
    network = BayesianNetwork({"Wet grass": Table.of_true(0.5), "M": Table.of_true(0.5)})
    with caplog.at_level(logging.WARNING, "pgm_tfp"):
        log = read_log(write(tmp_path, ",M,wet_grass,time\n0,1,1,x\n"), network)
    assert log.observed == {"M": [True]}
    assert caplog.messages == [
        f"{tmp_path / 'log.csv'}: columns that are no variable's are ignored: (without a name), wet_grass, time; "
        "wet_grass is nearly Wet grass: rename it if that is meant"
    ]
    caplog.clear()
    read_log(write(tmp_path, "M,Wet grass\n1,1\n"), network)
    assert not caplog.messages
    read_log(write(tmp_path, "M," + ",".join(f"c{place}" for place in range(500)) + "\n1" + 500 * ",0" + "\n"), network)
    assert caplog.messages[0].endswith("c8, c9 and 490 more")


def spellings_of(state, states):
    """How a cell may say a state."""
    written = [str(state)]
    if states == BINARY:
        written += [["0", "no", "FALSE", "False", "0.0"], ["1", "Yes", "true", "True", "1.0"]][state]
    elif isinstance(state, int):
        written.append(f"{state}.0")
    return written


@st.composite
def csv_files(draw):
    """The bytes of a CSV file, what it says of the network's variables, and the columns that it has besides."""
    network = BayesianNetwork(
        {
            "M": Table.of_true(0.5),
            "wet grass": Table.of_true(0.5),
            "G": Table([0.2, 0.3, 0.5], states=(1, 2, 3)),
            "L": Table([0.2, 0.8], states=("(0,10]", "None")),
            "\u00e9t\u00e9": Table([0.2, 0.8], states=("low", "high")),
        }
    )
    names = draw(st.lists(st.sampled_from(list(network.states)), min_size=1, unique=True))
    others = draw(st.lists(st.sampled_from(["time", "m", "Wet Grass", "g", "", 'a "quoted", one']), unique=True))
    order = draw(st.permutations([*names, *others]))
    rows = draw(st.integers(1, 4))
    spaces = st.sampled_from(["", " ", "  ", "\t"])
    observed, columns = {}, {}
    for name in order:
        if name in others:
            columns[name] = draw(st.lists(st.sampled_from(["", "x", " y, z", "1"]), min_size=rows, max_size=rows))
            continue
        states = network.states[name]
        observed[name] = draw(st.lists(st.sampled_from([None, *states]), min_size=rows, max_size=rows))
        columns[name] = [
            draw(spaces) + ("" if state is None else draw(st.sampled_from(spellings_of(state, states)))) + draw(spaces)
            for state in observed[name]
        ]
    text = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    writer = csv.writer(text, quoting=quoting, lineterminator=draw(st.sampled_from(["\n", "\r\n"])))
    writer.writerow([draw(spaces) + name + draw(spaces) for name in order])
    writer.writerows(zip(*(columns[name] for name in order), strict=True))
    return network, draw(st.sampled_from(["utf-8", "utf-8-sig"])), text.getvalue(), observed, others


@settings(max_examples=150, deadline=None)
@given(drawn=csv_files())
def test_any_table_says_what_its_cells_say_and_what_it_says_besides_is_listed(tmp_path_factory, drawn):
    network, encoding, text, observed, others = drawn
    path = tmp_path_factory.mktemp("logs") / "log.csv"
    path.write_bytes(text.encode(encoding))
    messages = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pgm_tfp.observations.log.warning", lambda message, *parts: messages.append(message % parts))
        if text.count("\n") == 1 or not text.split("\n", 1)[1].strip("\r\n"):
            with pytest.raises(UserError, match="has no rows"):
                read_log(path, network)
            return
        log = read_log(path, network)
    if len(observed) + len(others) > 1:
        assert log.observed == observed
    assert len(messages) == bool(others)
    for name in others:
        assert (name or "(without a name)") in messages[0]
    assert (" is nearly " in "".join(messages)) == any(name in others for name in ("m", "Wet Grass", "g"))


@settings(max_examples=50, deadline=None)
@given(drawn=csv_files())
def test_what_is_written_is_read_again(tmp_path_factory, drawn):
    network, _, _, observed, _ = drawn
    path = tmp_path_factory.mktemp("logs") / "log.csv"
    write_log(path, observed)
    assert read_log(path, network).observed == observed
