import logging
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from common.errors import UserError
from pgm_tfp import BayesianNetwork, Table, catalogue
from pgm_tfp.pgmpy_models import read_model
from tests.pgm_tfp.oracles_exact import bayesian_networks, enumerated, quickly


def tricky():
    """Every variable with states of its own, parents in no order of theirs, rows that nothing rounds."""
    random = np.random.default_rng(5)

    def rows(*shape):
        return random.dirichlet(np.ones(shape[-1]), shape[:-1])

    return BayesianNetwork(
        {
            "C": Table(rows(2), states=("u", "v")),
            "B": Table(rows(3), states=("p", "q", "r")),
            "A": Table(rows(3, 2, 2), ["B", "C"], ("x", "y")),
            "D": Table(rows(2, 2, 3, 3), ["C", "A", "B"], ("d0", "d1", "d2")),
        }
    )


@quickly
@given(bayesian_networks())
def test_a_network_comes_back_from_pgmpy_as_it_went(network):
    again = BayesianNetwork.from_pgmpy(network.to_pgmpy())
    assert set(again.states) == set(network.states)
    for name, table in network.conditionals.items():
        assert again.table(name).states == table.states
        assert again.table(name).parents == table.parents
        np.testing.assert_allclose(again.table(name).probabilities, table.probabilities, rtol=1e-15)


def test_pgmpy_finds_the_exported_network_sound_and_its_joint_the_same():
    from pgmpy.inference import VariableElimination

    network = catalogue.student()
    model = network.to_pgmpy()
    assert model.check_model()
    factor = VariableElimination(model).query(["L", "G"], evidence={"I": "high"}, show_progress=False)
    expected = enumerated(network, {"I": "high"}).posterior(["L", "G"])
    for (letter, grade), probability in expected.items():
        assert factor.get_value(L=letter, G=grade) == pytest.approx(probability, rel=1e-10)


def pgmpy_model(rows):
    from pgmpy.factors.discrete import TabularCPD
    from pgmpy.models import DiscreteBayesianNetwork

    model = DiscreteBayesianNetwork([("A", "B")])
    model.add_cpds(
        TabularCPD("A", 2, [[0.25], [0.75]], state_names={"A": ["no", "yes"]}),
        TabularCPD("B", 2, rows, ["A"], [2], state_names={"A": ["no", "yes"], "B": ["no", "yes"]}),
    )
    return model


def test_rows_slightly_off_are_normalised_and_the_log_says_so(caplog):
    with caplog.at_level(logging.WARNING, "pgm_tfp"):
        network = BayesianNetwork.from_pgmpy(pgmpy_model([[0.3, 0.4], [0.7003, 0.6]]))
    np.testing.assert_allclose(
        network.table("B").probabilities, [[0.3 / 1.0003, 0.7003 / 1.0003], [0.4, 0.6]], rtol=1e-14
    )
    assert caplog.messages == ["1 of 2 tables had rows off one by up to 0.0003: normalised"]


def test_exact_rows_and_rounding_are_not_worth_a_line(caplog):
    BayesianNetwork.from_pgmpy(pgmpy_model([[0.25, 0.4], [0.7500000000000002, 0.6]]))
    assert not caplog.messages


def test_a_row_far_off_is_an_error_and_not_normalised(caplog):
    with pytest.raises(UserError, match=r"P\(B \| A=yes\): expected .* sum to 1, given \[0.4, 0.5\] \(sum 0.9\)"):
        BayesianNetwork.from_pgmpy(pgmpy_model([[0.3, 0.4], [0.7, 0.5]]))
    with pytest.raises(UserError, match=r"P\(B \| A=no\): expected .* given \[0.0, 0.0\]"):
        BayesianNetwork.from_pgmpy(pgmpy_model([[0.0, 0.4], [0.0, 0.6]]))
    assert not caplog.messages


def test_a_variable_without_a_table_is_an_error():
    model = pgmpy_model([[0.3, 0.4], [0.7, 0.6]])
    model.remove_cpds("B")
    with pytest.raises(UserError, match="B: the pgmpy model has no table for this variable"):
        BayesianNetwork.from_pgmpy(model)


def written(network, kind, folder: Path) -> Path:
    from pgmpy import readwrite

    path = folder / f"network.{kind.lower()}"
    writer = getattr(readwrite, f"{kind}Writer")(network.to_pgmpy())
    (writer.write if hasattr(writer, "write") else getattr(writer, f"write_{kind.lower()}"))(str(path))
    return path


@pytest.mark.parametrize("kind", ["BIF", "XMLBIF"])
def test_a_file_of_named_states_holds_the_same_joint(kind, tmp_path):
    network = tricky()
    again = BayesianNetwork.from_pgmpy(read_model(written(network, kind, tmp_path)))
    assert again.states == {name: network.states[name] for name in again.states}
    order = tuple(network.states)
    np.testing.assert_allclose(again.joint().over(order).values, network.joint().values, rtol=1e-10)


def test_a_uai_file_of_pgmpy_holds_the_same_joint_by_number(tmp_path):
    network = tricky()
    again = BayesianNetwork.from_pgmpy(read_model(written(network, "UAI", tmp_path)))
    # pgmpy numbers variables by their number of states, then by name
    numbers = {name: f"var_{number}" for number, name in enumerate(["A", "C", "B", "D"])}
    order = [numbers[name] for name in network.states]
    np.testing.assert_allclose(again.joint().over(order).values, network.joint().values, rtol=1e-10)
    assert again.states["var_3"] == (0, 1, 2)


def test_a_uai_file_as_the_format_defines_it_is_read_too(tmp_path):
    # the child last in its scope, the last of the scope fastest; Grade given Intelligence and Difficulty
    text = """# a comment
    BAYES
    3
    2 2 3
    3
    1 0  1 1
    3 0 1 2
    2 .7 3e-1
    2 0.6 0.4
    12 .3 .4 .3  .05 .25 .7  .9 .08 .02  .5 .3 .2
    """
    path = tmp_path / "grades.uai"
    path.write_text(text)
    grade = BayesianNetwork.from_pgmpy(read_model(path)).table("var_2")
    assert grade.parents == ("var_0", "var_1")
    np.testing.assert_array_equal(grade.probabilities, catalogue.student().table("G").probabilities)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("n.net", "", r"n.net must end in one of .bif, .xmlbif, .xml, .uai$"),
        ("absent.bif", None, "^no file .*absent.bif$"),
        ("n.bif", "", "n.bif cannot be read as BIF: the file has no variable$"),
        (
            "n.bif",
            "\nnot a network\nat all",
            "n.bif cannot be read as BIF: line 2: 'not a network at all' is not a network",
        ),
        ("n.bif", b"variable \xe9 { }", "n.bif cannot be read as BIF: the file is not in UTF-8 "),
        ("n.xml", "<BIF", "n.xml cannot be read as XMLBIF: "),
        ("n.XMLBIF", "text", "n.XMLBIF cannot be read as XMLBIF: syntax error"),
        ("n.uai", "", "n.uai cannot be read as UAI: the file begins with ''; it must begin with BAYES or MARKOV"),
        ("n.uai", "BAYES 0 0", "n.uai cannot be read as UAI: the file has no variable$"),
        ("n.uai", "MARKOV 1 2 1 1 0 2 1 3", "holds a Markov network; only a Bayesian network can become a pgmpy model"),
        (
            "n.uai",
            "BAYES 1 2 1 1 0 2 .5",
            "n.uai cannot be read as UAI: the file ends where entries of table 0 should be",
        ),
        ("n.uai", "BAYES two", "n.uai cannot be read as UAI: 'two' is where the number of states should be"),
    ],
)
def test_an_absent_or_unreadable_file_is_one_line(name, content, message, tmp_path):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=message) as caught:
        read_model(path)
    assert "\n" not in str(caught.value)


def test_without_pgmpy_the_error_says_how_to_install_it(monkeypatch, tmp_path):
    bif, xmlbif = (written(catalogue.burglary(), kind, tmp_path) for kind in ("BIF", "XMLBIF"))
    monkeypatch.setitem(sys.modules, "pgmpy", None)
    for needs_it in (lambda: read_model(bif), lambda: read_model(xmlbif), catalogue.burglary().to_pgmpy):
        with pytest.raises(UserError, match=r"^pgmpy is not installed; python -m pip install pgmpy==1\.1\.2$"):
            needs_it()
