"""`evaluate.py --report`: everything an ordinary evaluation writes, the scores, and the page."""

import json
import shutil
from importlib import import_module

import pytest

import evaluate
from vae_keras import evaluation
from vae_keras.config_file import load_config
from vae_keras.evaluation import EvaluationContext
from vae_keras.evaluation.disentanglement import known_or_scored
from vae_keras.run_data import read_data
from vae_keras.run_folder import Run, read_history
from vae_keras.runs import load_run

disentanglement = import_module("vae_keras.evaluation.disentanglement")
QUICK = (
    evaluation.curves.curves,
    evaluation.held_out.held_out,
    evaluation.latents.latents,
    evaluation.evidence.evidence,
    evaluation.traversal.traversal,
)


@pytest.fixture(scope="module")
def quick():
    """The script with a few evaluations; the answers of part 1 are in `test_document.py`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "chosen_evaluations", lambda flags, data: list(QUICK))
        patch.setattr(evaluate, "answers_of_part_1", lambda seed: [])
        yield


@pytest.fixture(scope="module")
def reported(tiny_run, tmp_path_factory, quick):
    folder = tmp_path_factory.mktemp("reported") / "a"
    run = Run(shutil.copytree(tiny_run, folder, ignore=shutil.ignore_patterns("figures", "metrics.json")))
    assert evaluate.main(["--run", str(run.folder), "--report"]) == 0
    return run


def context_of(run):
    config = load_config(run.config)
    return EvaluationContext(config, load_run(run.folder), read_data(config, run.split), read_history(run))


def test_a_report_shows_all_that_is_quick_and_what_else_is_asked_for(tiny_run):
    context = context_of(Run(tiny_run))

    def chosen(*arguments):
        return [getattr(one, "func", one) for one in evaluate.chosen_evaluations(evaluate.parse([*arguments]), context)]

    assert chosen("--report") == chosen()
    assert chosen("--report", "--curves", "--interpolate", "straight") == chosen()
    assert chosen("--report", "--inception") == [*chosen(), evaluation.sample_quality.inception_quality]
    assert evaluation.disentanglement.disentanglement in chosen("--report", "--metrics")


def test_figures_numbers_and_scores_are_written_next_to_the_page(reported):
    numbers = json.loads(reported.metrics.read_text())
    assert {"test", "kl_split", "attributes", "disentanglement", "traversal"} < set(numbers)
    page = (reported.folder / "report.html").read_text()
    assert {"curves", "information", "traversal"} < {path.stem for path in reported.figures.glob("*.png")}
    for title in ("Training.", "Which latent carries which factor.", "Traversal of single latents."):
        assert f"<strong>{title}</strong>" in page
    assert "figures/traversal.gif" in page
    assert f"<td>{numbers['disentanglement']['scores']['modularity']['value']:.3f}</td>" in page
    assert "The mutual information gap, on a scale from 0 to 1" in page
    assert str(reported.folder) not in page


def test_scores_that_are_known_are_drawn_again_and_not_computed(reported, monkeypatch):
    def refuse(*arguments):
        raise AssertionError("scored again")

    context, known = context_of(reported), json.loads(reported.metrics.read_text())
    scored = evaluation.disentanglement.disentanglement(context)
    monkeypatch.setattr(disentanglement.metrics, "all_scores", refuse)
    again = known_or_scored(context, known)
    assert again.numbers == {"disentanglement": known["disentanglement"]}
    map_of = {name: made.figures["information.png"] for name, made in (("scored", scored), ("again", again))}
    assert map_of["again"].get_supxlabel() == map_of["scored"].get_supxlabel()
    shades = [figure.axes[0].images[0].get_array() for figure in map_of.values()]
    assert (shades[0] == shades[1]).all()
    shares = known["disentanglement"] | {"information_shares": [[0.5] * 13] * 3}
    other_model = known["inputs"] | {"model": "other"}
    for change in (
        {"inputs": other_model}, {"data": "faces:50"}, {"disentanglement": {"scores": {}}}, {"disentanglement": shares},
    ):  # fmt: skip
        with pytest.raises(AssertionError, match="scored again"):
            known_or_scored(context, known | change)


def test_a_report_computes_the_quick_scores_and_says_what_it_leaves_out(reported, monkeypatch):
    monkeypatch.setattr(disentanglement, "SCORES", {**disentanglement.SCORES, "dci": None})  # calling it would fail
    numbers = known_or_scored(context_of(reported), {}).numbers
    assert numbers == {"disentanglement": json.loads(reported.metrics.read_text())["disentanglement"]}
    assert "DCI is not among them" in (reported.folder / "report.html").read_text()


def test_a_pdf_is_printed_from_the_page(reported, tmp_path, browser, quick):
    run = Run(shutil.copytree(reported.folder, tmp_path / "a"))
    assert evaluate.main(["--run", str(run.folder), "--report", "--pdf"]) == 0
    assert (run.folder / "report.html").read_bytes().count(b"<figure>") > 10
    assert (run.folder / "report.pdf").read_bytes().startswith(b"%PDF")
