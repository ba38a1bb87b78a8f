"""The report as one page: its chapters in order, with one numbering of figures and tables."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup
from matplotlib.figure import Figure

from common.documents import Numbering, anchor_of
from common.text_section import TextSection
from vae_keras.evaluation import Evaluation, EvaluationContext
from vae_keras.evaluation.record import Record
from vae_keras.report.analysis import findings
from vae_keras.report.blocks import Chapter, Section, figure, items, joined, paragraph, preformatted
from vae_keras.report.embed import taken_apart
from vae_keras.report.links import check_links
from vae_keras.report.numbers import number_tables
from vae_keras.report.setup import setup_sections
from vae_keras.report.theory import theory_sections

TEMPLATE = "template.html.j2"
NOTHING_KNOWN = "metrics.json has no numbers on this topic."


def report_page(
    name: str,
    answers: Sequence[TextSection],
    pages: Mapping[Path, str],
    context: EvaluationContext,
    evaluations: Sequence[Evaluation],
    numbers: Record,
) -> str:
    """The report of a run as one HTML page that needs no other file. The same arguments give the same page.

    Args:
        name: the name of the run.
        answers: the answers to part 1 of the assignment.
        pages: the theory pages as Markdown by path, in order.
        context: the run.
        evaluations: the evaluations to show. Titles and captions are removed from their figures and become text.
        numbers: the record in metrics.json.

    Raises:
        UserError: a theory page with a formula that cannot be read, or a link that leads nowhere.
    """
    numbering = Numbering()
    # In the order of the page, because each chapter continues the numbering of the chapter before.
    chapters = [
        Chapter("answers", "Graphical models, computed", _answers(answers, numbering)),
        Chapter("theory", "Theory", theory_sections(pages, numbering)),
        Chapter("setup", "The run", setup_sections(context.config, context.vae, numbers, numbering)),
        Chapter("results", "Results", _results(evaluations, numbers, numbering)),
        Chapter("analysis", "Analysis", _analysis(numbers, context)),
    ]
    html = _template().render(run=name, subject=_subject(context), epochs=len(context.history), chapters=chapters)
    check_links(html)
    return html


def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template(TEMPLATE)


def _subject(context: EvaluationContext) -> str:
    """The model, its epoch and its images, for the line below the title."""
    trained = max(len(context.history), context.epoch or 0)
    epoch = "" if context.epoch is None else f", epoch {context.epoch} of {trained}"
    config = context.config
    return (
        f"Objective {config.objective}, likelihood {config.likelihood}, {config.latent_dim} latents{epoch}, "
        f"images of {context.source}"
    )


def _answers(answers: Sequence[TextSection], numbering: Numbering) -> list[Section]:
    return [
        Section(
            f"answers-{anchor_of(answer.title)}",
            answer.title,
            joined([preformatted(answer.lines), *_figures(answer.figures.values(), numbering)]),
        )
        for answer in answers
    ]


def _results(evaluations: Sequence[Evaluation], numbers: Record, numbering: Numbering) -> list[Section]:
    still = [drawn for evaluation in evaluations for drawn in evaluation.figures.values() if isinstance(drawn, Figure)]
    moving = [
        name
        for evaluation in evaluations
        for name, drawn in evaluation.figures.items()
        if not isinstance(drawn, Figure)
    ]
    note = [paragraph(f"The animations are in the run folder: {', '.join(f'figures/{name}' for name in moving)}.")]
    return [
        Section("results-figures", "Figures", joined([*_figures(still, numbering), *(note if moving else [])])),
        Section("results-numbers", "Numbers", number_tables(numbers, numbering)),
    ]


def _figures(figures: Iterable[Figure], numbering: Numbering) -> list[Markup]:
    return [figure(numbering, taken_apart(drawn)) for drawn in figures]


def _analysis(numbers: Record, context: EvaluationContext) -> list[Section]:
    return [
        Section(
            f"analysis-{number}", found.title, items(found.sentences) if found.sentences else paragraph(NOTHING_KNOWN)
        )
        for number, found in enumerate(findings(numbers, context.history, context.config), 1)
    ]
