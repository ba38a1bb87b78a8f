"""What people type is read as they mean it."""

import pytest

from common.errors import UserError
from pgm_tfp.catalogue import server_room, student
from pgm_tfp.notation import Query, read_findings, read_query, written


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("A", Query(["A"], {})),
        ("A | M=1, S=0", Query(["A"], {"M": True, "S": False})),
        (" A,O|M = yes ", Query(["A", "O"], {"M": True})),
        ("A | M=TRUE", Query(["A"], {"M": True})),
    ],
)
def test_a_query_is_read(text, query):
    assert read_query(server_room(), text) == query


def test_states_with_names_are_read_by_them():
    assert read_findings(student(), "D=hard, G=3, L=0") == {"D": "hard", "G": 3, "L": False}


def test_what_is_written_is_read_again():
    findings = {"D": "hard", "G": 3, "L": False}
    assert read_findings(student(), written(findings)) == findings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a query; write the variables asked about"),
        ("| M=1", "is not a query"),
        ("A=1 | M=1", "is not a query"),
        ("B | M=1", "unknown variable B; known: O, A, T, M, S"),
        ("A | N=1", "unknown variable N"),
        ("A | M", "'M' is not a finding; write a variable and its state: M=1"),
        ("A | M=2", "M has no state '2'; known: False, True"),
        ("A | M=Tru", "M has no state 'Tru'; did you mean True?"),
        ("A | M=1, M=0", "M is named twice"),
    ],
)
def test_what_cannot_be_read_is_named(text, message):
    with pytest.raises(UserError) as error:
        read_query(server_room(), text)
    assert message in str(error.value)
