"""BIF files, those that pgmpy writes and ships and those that its reader gets wrong."""

import gzip
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pgmpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp import BayesianNetwork, Table, exact
from pgm_tfp.bif import read_bif
from pgm_tfp.conditionals import normalized_rows
from tests.pgm_tfp.oracles_exact import bayesian_networks, quickly


def rain(probability, type_of_rain="discrete [ 2 ] { no, yes }", head="( grass | rain )"):
    """The text of a network of two variables, the table of the second still to be written."""
    return f"""network unknown {{
}}
variable rain {{
  type {type_of_rain};
}}
variable grass {{
  type discrete [ 2 ] {{ dry, wet }};
}}
probability ( rain ) {{
  table 0.75, 0.25;
}}
probability {head} {{
  {probability}
}}
"""


@pytest.mark.parametrize(
    "probability",
    [
        "(no) 0.9, 0.1;\n  (yes) 0.2, 0.8;",
        "(yes) 0.2 0.8; (no) 9e-1 .1;",
        "default 0.2, 0.8;\n (no) 0.9, 0.1;",
        "(no) 0.9, 0.1; default 0.2, 0.8;",
        "table 0.9, 0.2, 0.1, 0.8;",
        "table 0.9 0.2 0.1 0.8;",
        "// said by hand\n (no) 0.9, 0.1; /* and\n measured */ (yes) 0.2, 0.8;",
        'property "p = {1; 2}"; (no) 0.9, 0.1; ("yes") 0.2, 0.8;',
        "(no)0.9,0.1;(yes)0.2,0.8",
        '// 5" pipe\n (no) 0.9, 0.1;\n // 3" pipe\n (yes) 0.2, 0.8;',
        '/* 5" pipe */ (no) 0.9, 0.1; /* 3" pipe */ (yes) 0.2, 0.8;',
        "(no) 0.9, 0.1;// by hand\n (yes) 0.2, 0.8;// (yes) 1 0;",
        "(no) 0.9, /* // */ 0.1; // /*\n (yes)/**/0.2, 0.8; // */",
        "property source = http://example.org/a; (no) 0.9, 0.1; (yes) 0.2, 0.8;",
        'property "// see /* there"; (no) 0.9, 0.1; (yes) 0.2, 0.8;',
        "property box = {1; 2}; (no) 0.9, 0.1;; (yes) 0.2, 0.8;",
        "(no) 0.9, 0.1; (yes) 0.2, 0.8; default 0.5, 0.5;",
    ],
)
def test_rows_defaults_tables_comments_and_properties_are_read(probability):
    tables = read_bif(rain(probability))
    assert list(tables) == ["rain", "grass"]
    assert (tables["grass"].parents, tables["grass"].states) == (("rain",), ("dry", "wet"))
    np.testing.assert_array_equal(tables["grass"].probabilities, [[0.9, 0.1], [0.2, 0.8]])
    np.testing.assert_array_equal(tables["rain"].probabilities, [0.75, 0.25])


def test_the_dog_problem_of_the_formats_own_description_is_read_as_its_author_meant_it():
    tables = read_bif(
        """
        network Dog-Problem { property credal-set constant-density-bounded 1.1; }
        variable "light-on" { type discrete[2] { "true" "false" }; property position = (218, 195); }
        """.replace('"true" "false"', '"true", "false"')
        + """
        variable  "bowel-problem" { type discrete[2] {true, false}; }
        variable "dog-out" { type discrete[2] { true, false }; }
        variable "family-out" { type discrete[2] { true, false }; }
        probability ( "light-on" | "family-out" ) { table 0.6 0.05 0.4 0.95 ; }
        probability ("bowel-problem") { table 0.01 0.99 ; }
        probability ("dog-out"|"bowel-problem", "family-out") { table 0.99 0.97 0.9 0.3 0.01 0.03 0.1 0.7; }
        probability("family-out"){table 0.15 0.85;}
        """
    )
    network = BayesianNetwork(tables)
    assert exact.marginal(network, "light-on", {"family-out": "true"})["true"] == pytest.approx(0.6)
    seen = {"bowel-problem": "true", "family-out": "false"}
    assert exact.marginal(network, "dog-out", seen)["true"] == pytest.approx(0.97)


LEVELS = ("(0,10]", "(10,20]", "(20,Inf]")


def test_levels_of_numbers_hold_commas_and_brackets_as_bnlearn_cuts_them():
    text = """
    variable dose { type discrete [ 3 ] { (0,10], (10,20], (20,Inf] }; }
    variable time { type discrete [ 2 ] { [0, 5), [5, 9) }; }
    variable well { type discrete [ 2 ] { no, yes }; }
    probability ( dose ) { table 0.5, 0.3, 0.2; }
    probability ( time | dose ) { ((0,10]) 0.5, 0.5; ((10,20]) 0.25, 0.75; default 0.125, 0.875; }
    probability ( well | dose, time ) {
      ((0,10], [0, 5)) 0.1, 0.9; ((10,20], [0, 5)) 0.2, 0.8; ((20,Inf], [0, 5)) 0.3, 0.7;
      ((0,10],[5, 9)) 0.4, 0.6;  ((10,20],[5, 9)) 0.5, 0.5;  ((20,Inf],[5, 9)) 0.6, 0.4;
    }
    """
    tables = read_bif(text)
    assert tables["dose"].states == LEVELS
    assert tables["time"].states == ("[0, 5)", "[5, 9)")
    np.testing.assert_array_equal(tables["time"].probabilities[:, 0], [0.5, 0.25, 0.125])
    np.testing.assert_allclose(tables["well"].probabilities[..., 0], [[0.1, 0.4], [0.2, 0.5], [0.3, 0.6]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (rain("(no) 0.9, 0.1;"), "line 12: grass has no row for (yes) and no default; add one of them"),
        (rain("(no) 0.9, 0.1;\n  (yse) 0.2, 0.8;"), "line 14: (yse) are not states of rain"),
        (rain("(no) 0.9, 0.1;\n  (no) 0.2, 0.8;"), "line 14: the row (no) of grass is there twice"),
        (rain("(no) 0.9, 0.1, 0.0; default 0.2, 0.8;"), "line 13: grass needs 2 numbers here, given 3"),
        (rain("table 0.9, 0.1;"), "line 13: grass needs 4 numbers here, given 2"),
        (rain("default 0.9, o.1;"), "line 13: '0.9, o.1' must be numbers"),
        (rain("row 1 0;"), "line 13: 'row 1 0' is not a table, a default or a (row)"),
        (rain("function x;"), "line 13: 'function x' is not a table, a default or a (row)"),
        (
            rain("default 1 0;", type_of_rain="continuous"),
            "line 3: rain: its type must be written as 'type discrete [ n ] { ... }'",
        ),
        (
            rain("default 1 0;", type_of_rain="discrete [ 3 ] { no, yes }"),
            "line 3: rain must have 3 states; 'no, yes",
        ),
        (rain("default 1 0;", head="( gras | rain )"), "line 12: unknown variable gras; did you mean grass?"),
        (rain("default 1 0;", head="( rain )"), "line 12: the table of rain is there twice"),
        (rain("default 1 0;", head="grass"), "line 12: a probability block must begin with ( variable | parents )"),
        (rain("default 1 0;") + "variable rain { }", "line 15: variable rain is there twice"),
        (rain("default 1 0;") + "variable x { }", "line 15: x has no states"),
        (rain("default 1 0;") + "variable x { type discrete [1] { a }; }", "x has no probability block"),
        (
            rain("default 1 0;") + "probability (",
            "line 15: 'probability (' is not a network, variable or probability block",
        ),
        ("\nnet x { }\n", "line 2: 'net x { }' is not a network"),
        (rain("default 1 0;").replace("variable grass", "variabel grass"), "line 6: 'variabel grass {"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(text, message):
    with pytest.raises(UserError) as error:
        read_bif(text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def refusal(text):
    """The error that the text is refused with."""
    with pytest.raises(UserError) as error:
        read_bif(text)
    assert "\n" not in str(error.value)
    return str(error.value)


def lines_in(message):
    return [int(number) for number in re.findall(r"line (\d+)", message)]


@pytest.mark.parametrize(
    ("probability", "lines"),
    [
        ("(no) 0.9, 0.1;\n table 0.5 0.5 0.5 0.5;", [14, 13]),
        ("(no) 0.9, 0.1;\n (yes) 0.2, 0.8;\n table 0.9, 0.2, 0.1, 0.8;", [15, 13]),
        ("table 0.5 0.5 0.5 0.5;\n\n (no) 0.9, 0.1;", [15, 13]),
        ("table 0.5 0.5 0.5 0.5;\n table 0.5 0.5 0.5 0.5;", [14, 13]),
        ("table 0.5 0.5 0.5 0.5;\n default 0.9, 0.1;", [14, 13]),
        ("default 0.9, 0.1;\n table 0.5 0.5 0.5 0.5;", [14, 13]),
        ("table 0.5 0.5\n 0.5 0.5;\n default 0.9, 0.1;", [15, 13]),
        ("default 0.9, 0.1; /*\n\n*/ default 0.2 0.8;", [15, 13]),
        ("(yes) 0.9, 0.1;\n // then\n (yes) 0.9, 0.1; (no) 1 0;", [15, 13]),
        ("default 1 0; }\nvariable /*\n*/ rain { type discrete [ 2 ] { no, yes };", [14, 3]),
        ("default 1 0; }\nprobability ( grass ) { table 1 0;", [14, 12]),
        ("default 1 0; }\nvariable x { type discrete [1] { a };\n type discrete [1] { b };", [15, 14]),
    ],
)
def test_contradictions_are_refused_with_both_lines(probability, lines):
    message = refusal(rain(probability))
    assert lines_in(message) == lines
    assert message.startswith(f"line {lines[0]}: ")


@pytest.mark.parametrize(
    ("probability", "line", "what"),
    [
        ('(no) 0.9, 0.1;\n ("yes) 0.2, 0.8;', 14, "quoted string"),
        ('(no) 0.9, 0.1; // "\n property "p;', 14, "quoted string"),
        ("/* twice\n (no) 0.9, 0.1;", 13, "comment"),
        ('property "/*"; /* "\n */\n /*/ (no) 0.9, 0.1;', 15, "comment"),
        ("(no) 0.9, 0.1; (yes) 0.2, 0.8; { a; b;", 12, "block"),
    ],
)
def test_what_has_no_end_is_refused_with_the_line_where_it_begins(probability, line, what):
    message = refusal(rain(probability))
    assert message.startswith(f"line {line}: the {what} ")
    assert lines_in(message) == [line]


def test_an_error_stays_one_line_if_a_quoted_name_has_two():
    assert "a b has no probability block" in refusal('variable "a\nb" { type discrete [1] { c }; }')
    text = rain('("no\nno") 1 0;\n("no\nno") 1 0;', type_of_rain='discrete [ 2 ] { "no\nno", yes }')
    assert lines_in(refusal(text)) == [16, 14]


def test_a_state_that_is_listed_twice_is_named():
    assert "rain has the state no twice" in refusal(rain("default 1 0;", type_of_rain="discrete [ 2 ] { no, no }"))


def test_the_wrong_one_of_many_numbers_is_named():
    assert "'0.I'" in refusal(rain("table " + "0.0 " * 40 + "0.I;"))


def test_the_same_word_20_000_times_is_refused():
    # Searching for a block from each of these words would take time that grows with the square of their number.
    for word in ("variable ", "variable x ", "( ", "/ ", "// \n x "):
        assert lines_in(refusal(word * 20_000))[0] in (1, 2)
    for inside in ("(" * 20_000, "(" + "no," * 20_000 + ") 1 0", "[ " * 20_000, "default" + " ] " * 20_000):
        message = refusal(rain(f"{inside};"))
        assert lines_in(message) == [13]
        assert len(message) < 200


def with_one_large_table(form, sizes):
    """The text of a network with a table of two parents with these numbers of states, and the table."""
    true = np.random.default_rng(0).random(sizes)
    table = np.stack([1 - true, true], -1)
    text = "variable x { type discrete [2] { no, yes }; }\n"
    for name, size in zip("ab", sizes, strict=True):
        text += f"variable {name} {{ type discrete [{size}] {{ {', '.join(f's{i}' for i in range(size))} }}; }}\n"
        text += f"probability ( {name} ) {{ default {' '.join([repr(1 / size)] * size)}; }}\n"
    if form == "table":
        content = f"table {', '.join(map(repr, np.moveaxis(table, -1, 0).ravel().tolist()))};"
    else:
        content = "\n".join(f"(s{a}, s{b}) {', '.join(map(repr, table[a, b].tolist()))};" for a, b in np.ndindex(sizes))
    return f"{text}probability ( x | a, b ) {{\n{content}\n}}", table


@pytest.mark.parametrize(("form", "sizes", "most"), [("table", (512, 256), 5), ("rows", (128, 64), 1)])
def test_reading_takes_memory_for_the_table_and_one_statement(form, sizes, most):
    text, table = with_one_large_table(form, sizes)
    tracemalloc.start()
    try:
        tables = read_bif(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(tables["x"].probabilities, table)
    # In bytes; the text has one byte for each character. The table has 2^18 cells, and
    # its text is held twice while spaces around the statement are removed; each of the rows has little text.
    assert peak < most * len(text)


def shipped(name):
    path = Path(pgmpy.__file__).parent / "utils" / "example_models" / f"{name}.bif.gz"
    return gzip.decompress(path.read_bytes()).decode()


@pytest.mark.parametrize(
    "name", ["asia", "cancer", "survey", "sachs", "child", "insurance", "alarm", "win95pts", "hepar2"]
)
def test_known_networks_are_read_as_pgmpy_reads_them(name):
    from pgmpy.readwrite import BIFReader

    ours = BayesianNetwork(normalized_rows(read_bif(shipped(name))))
    theirs = BayesianNetwork.from_pgmpy(BIFReader(string=shipped(name)).get_model())
    assert set(ours.states) == set(theirs.states)
    for variable, table in theirs.conditionals.items():
        again = ours.table(variable)
        assert set(again.parents) == set(table.parents)
        assert again.states == table.states
        order = [again.parents.index(parent) for parent in table.parents]
        np.testing.assert_allclose(
            again.probabilities.transpose([*order, len(order)]), table.probabilities, rtol=1e-12, atol=1e-300
        )


@st.composite
def bif_files(draw):
    """A random network, and the text of a file that holds it: rows, tables, defaults; quotes, comments, levels."""
    network = draw(bayesian_networks())
    levels = [*LEVELS, "a b", "x,y", "{z}", "yes", "1", "[0, 5)"]
    tables = {}
    renamed = {name: tuple(draw(st.permutations(levels))[: len(network.states[name])]) for name in network.states}
    for name, table in network.conditionals.items():
        tables[name] = Table(table.probabilities, table.parents, renamed[name])
    space = st.sampled_from(["", " ", "\n", " // why\n", " /* so; it { is */ "])

    def quoted(word):
        needs = any(character in word for character in ' {}"') or word == "x,y"
        return f'"{word}"' if needs or draw(st.booleans()) else word

    parts = [f"network {{{draw(space)}}}"]
    for name in draw(st.permutations(list(tables))):
        states = ", ".join(map(quoted, tables[name].states))
        parts.append(f"variable {quoted(name)} {{{draw(space)}type discrete [ {len(renamed[name])} ] {{ {states} }};}}")
    for name in draw(st.permutations(list(tables))):
        table = tables[name]
        head = quoted(name) + (" | " + ", ".join(map(quoted, table.parents)) if table.parents else "")
        numbers = table.probabilities.reshape(-1, len(table.states))
        separator = draw(st.sampled_from([", ", " ", ","]))
        form = draw(st.sampled_from(["rows", "default", "table"])) if table.parents else "table"
        if form == "table":
            rows = ["table " + separator.join(repr(float(p)) for p in numbers.T.ravel()) + ";"]
        else:
            rows = []
            for index in np.ndindex(table.probabilities.shape[:-1]):
                given = ", ".join(
                    quoted(tables[parent].states[at]) for parent, at in zip(table.parents, index, strict=True)
                )
                rows.append(f"({given}) " + separator.join(map(repr, table.probabilities[index].tolist())) + ";")
            if form == "default":
                rows[-1] = "default" + rows[-1][rows[-1].rindex(") ") + 1 :]
            rows = draw(st.permutations(rows))
        parts.append(f"probability ( {head} ) {{{draw(space)}" + draw(st.sampled_from([" ", "\n"])).join(rows) + "\n}")
    return tables, "\n".join(parts)


@quickly
@given(bif_files())
def test_any_network_comes_back_from_its_file(drawn):
    tables, text = drawn
    again = read_bif(text)
    assert set(again) == set(tables)
    for name, table in tables.items():
        assert (again[name].parents, again[name].states) == (table.parents, table.states)
        np.testing.assert_array_equal(again[name].probabilities, table.probabilities)


TOKENS = [
    *("network", "dog", "{", "property", "credal", '"{; // /*"', ";", "}"),
    *("variable", '"http://a"', "{", "type", "discrete", "[", "3", "]", "{"),
    *('"x,y"', ",", "(0,10]", ",", "a//b", "}", ";", "property", "position", "=", "(", "1", ",", "2", ")", ";", "}"),
    *("variable", "b", "{", "type", "discrete", "[", "2", "]", "{", "no", ",", '"/* yes"', "}", ";", "}"),
    *("probability", "(", "b", "|", '"http://a"', ")", "{", "(", '"x,y"', ")", "0.25", ",", "0.75", ";"),
    *("(", "a//b", ")", "1", "0", ";", "default", "0.5", "0.5", ";", "}"),
    *("probability", "(", '"http://a"', ")", "{", "table", "0.5", ",", "0.125", "0.375", ";", "}"),
]
COMMENTS = [
    '// 5" pipe\n',
    '/* 3" pipe */',
    "// } ; {\n",
    "/* } ; */",
    "//\n",
    "/**/",
    "/*//*/",
    "// /*\n",
    "// */\n",
    "/*\n*/",
]


@quickly
@given(
    st.lists(st.lists(st.sampled_from([*COMMENTS, " ", "\n"]), max_size=3), min_size=len(TOKENS), max_size=len(TOKENS))
)
def test_comments_anywhere_between_tokens_change_nothing(gaps):
    text = ""
    for token, gap in zip(TOKENS, gaps, strict=True):
        # Two words need something between them, and // needs a space after a word.
        is_word = token[-1] not in '{}[]();,|"'
        between = "".join(gap)
        text += token + (" " if is_word and (not between or between.startswith("//")) else "") + between
    tables = read_bif(text)
    assert list(tables) == ["http://a", "b"]
    assert tables["http://a"].states == ("x,y", "(0,10]", "a//b")
    assert tables["b"].states == ("no", "/* yes")
    assert tables["b"].parents == ("http://a",)
    np.testing.assert_array_equal(tables["http://a"].probabilities, [0.5, 0.125, 0.375])
    np.testing.assert_array_equal(tables["b"].probabilities, [[0.25, 0.75], [0.5, 0.5], [1, 0]])


@pytest.mark.parametrize(
    ("parents", "message"),
    [
        (50, "line 52: the table of x, of 50 parents, would take up to"),
        (70, "line 72: x has 70 parents; fewer than 60"),
    ],
)
def test_a_default_row_for_more_parents_than_memory_holds_is_refused(parents, message):
    names = [f"p{place}" for place in range(parents)]
    lines = [f"variable {name} {{ type discrete [2] {{ no, yes }}; }}" for name in [*names, "x"]]
    lines += ["probability ( x | " + ", ".join(names) + " ) { default 0.5 0.5; }"]
    lines += [f"probability ( {name} ) {{ table 0.5 0.5; }}" for name in names]
    with pytest.raises(UserError) as error:
        read_bif("\n".join(lines))
    assert message in str(error.value)
