"""Logs read and written; what is wrong with a log is named by line and column."""

import csv
import io
import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp import BayesianNetwork, Table
from pgm_tfp.catalogue import server_room
from pgm_tfp.observations import read_log, write_log, write_with_columns
from pgm_tfp.states import BINARY
from tests.support import examples


def write(folder, text):
    path = folder / "log.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


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
        ('M,S\n1,"0\n', "not CSV in UTF-8"),
        (b"M,S\n1,\xff\n", "not CSV in UTF-8"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, message):
    with pytest.raises(UserError) as error:
        read_log(write(tmp_path, text), server_room())
    assert message in str(error.value)


def test_new_columns_follow_the_logs_own_and_none_is_written_twice(tmp_path):
    log = read_log(write(tmp_path, 'M,note\n1,"a, b"\n\n0,\n'), server_room())
    write_with_columns(tmp_path / "out.csv", log, {"x": np.array([0.25, 1 / 3])})
    assert (tmp_path / "out.csv").read_text() == 'M,note,x\n1,"a, b",0.25\n0,,0.333333333\n'
    with pytest.raises(UserError, match="column note would be written twice"):
        write_with_columns(tmp_path / "other.csv", log, {"note": np.zeros(2)})
    assert not (tmp_path / "other.csv").exists()


def test_columns_that_are_ignored_are_listed_and_those_that_nearly_name_a_variable_pointed_out(tmp_path, caplog):
    network = BayesianNetwork({"Wet grass": Table.of_true(0.5), "M": Table.of_true(0.5)})
    with caplog.at_level(logging.WARNING, "pgm_tfp"):
        log = read_log(write(tmp_path, ",M,wet_grass,time\n0,1,1,x\n"), network)
    assert log.observed == {"M": [True]}
    assert caplog.messages == [
        f"{tmp_path / 'log.csv'}: columns that belong to no variable are ignored: (without a name), wet_grass, time; "
        "wet_grass is nearly Wet grass: rename it if you mean that variable"
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


@examples(150)
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


@examples(50)
@given(drawn=csv_files())
def test_what_is_written_is_read_again(tmp_path_factory, drawn):
    network, _, _, observed, _ = drawn
    path = tmp_path_factory.mktemp("logs") / "log.csv"
    write_log(path, observed)
    assert read_log(path, network).observed == observed
