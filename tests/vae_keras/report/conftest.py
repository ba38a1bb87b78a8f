"""A report on the tiny run, made once: theory and answers in full, of the run what is quick."""

from functools import reduce

import pytest

import evaluate
from common.errors import UserError
from vae_keras import evaluation, report
from vae_keras.config_file import load_config
from vae_keras.evaluation import EvaluationContext
from vae_keras.evaluation.record import merged
from vae_keras.run_data import read_data
from vae_keras.run_folder import Run, read_history
from vae_keras.runs import load_run


def report_on(folder):
    """The page about a run, and the numbers that it was made from."""
    run = Run(folder)
    config = load_config(run.config)
    context = EvaluationContext(config, load_run(folder), read_data(config, run.split), read_history(run))
    shown = (
        evaluation.dataset.dataset,
        evaluation.curves.curves,
        evaluation.samples.samples,
        evaluation.held_out.held_out,
        evaluation.latents.latents,
        evaluation.evidence.evidence,
    )
    made = [one(context) for one in shown]
    numbers = reduce(merged, (one.numbers for one in made))
    pages = report.read_pages(evaluate.THEORY)
    return report.report_page("tiny", evaluate.answers_of_part_1.__wrapped__(0), pages, context, made, numbers), numbers


@pytest.fixture(scope="session")
def made(tiny_run):
    """(page, numbers)."""
    return report_on(tiny_run)


@pytest.fixture(scope="session")
def page(made):
    return made[0]


@pytest.fixture(scope="session")
def browser():
    """Chromium; these tests are skipped where there is none."""
    try:
        return report.find_browser()
    except UserError as reason:
        pytest.skip(str(reason))
