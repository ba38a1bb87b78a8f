"""Show what a trained VAE can do: python evaluate.py, or a choice such as python evaluate.py --interpolate."""

import argparse
import logging
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from common.installed import PGM_TFP, require_packages

require_packages("evaluate.py")

from common.command_line import Parser, folder_path, open_streams
from common.quiet import quiet_tensorflow

open_streams()
quiet_tensorflow()  # the imports below load TensorFlow

from common.errors import UserError
from common.files import write_text
from common.names import printable
from data.sources import canonical
from vae_keras import evaluation, report
from vae_keras.command_line import run_script
from vae_keras.config import load_config
from vae_keras.evaluation import Evaluation, EvaluationContext, default_attribute
from vae_keras.evaluation.disentanglement import known_or_scored
from vae_keras.latent import PATHS
from vae_keras.registry import look_up
from vae_keras.results import read_metrics, save_evaluations, show_numbers
from vae_keras.run_data import read_data, read_other_data
from vae_keras.run_folder import Run, latest_run, open_run, read_history
from vae_keras.runs import load_run

log = logging.getLogger("evaluate")

THEORY = Path(__file__).parent / "docs" / "theory"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The flags of this script, from these arguments or the command line."""
    parser = Parser(
        prog="evaluate.py",
        description=__doc__,
        epilog="Without a choice, all of it is written but --sample-quality, --inception and the scores of --metrics.",
    )
    parser.add_argument("--run", type=folder_path, metavar="FOLDER", help="the run to evaluate (default: the latest)")
    parser.add_argument("--data", metavar="DATA", help="where the run's images are now, or other images to evaluate on")
    parser.add_argument("--dataset", action="store_true", help="images of the data set at random")
    parser.add_argument("--curves", action="store_true", help="both terms of the ELBO against the epoch")
    parser.add_argument("--reconstruct", action="store_true", help="test images and their reconstructions")
    parser.add_argument("--sample", action="store_true", help="faces decoded from the prior")
    parser.add_argument(
        "--interpolate",
        nargs="?",
        const="spherical",
        metavar="PATH",
        help="one test face turning into another, on a spherical (default) or straight path; also moving",
    )
    parser.add_argument("--traverse", action="store_true", help="what each latent changes in a face; also moving")
    parser.add_argument(
        "--attribute",
        metavar="NAME",
        help="add an attribute, such as smile, to test faces; or several at once: smile=+2,jaw=-1",
    )
    parser.add_argument(
        "--latent-map",
        nargs="?",
        const="",
        metavar="NAME",
        help="the latent space in two dimensions, coloured by a label or a factor (default: the classes)",
    )
    parser.add_argument(
        "--metrics",
        action="store_true",
        help="ELBO, PSNR, SSIM and more on the test images, beside the best linear model; the KL of each latent and in "
        "its parts; where factors are known, disentanglement scores (minutes; left out where nothing is chosen)",
    )
    parser.add_argument(
        "--sample-quality",
        action="store_true",
        help="Frechet and kernel distance from test images to samples, by a network trained for it once (a minute)",
    )
    parser.add_argument(
        "--inception", action="store_true", help="the same by InceptionV3, whose weights (90 MB) are downloaded"
    )
    parser.add_argument(
        "--report",
        action="store_true",
        help="all of the above but --sample-quality and --inception, and report.html: the theory, the run, its figures "
        "and numbers, and what they say, in one page; scores that metrics.json has already are not computed again",
    )
    parser.add_argument("--pdf", action="store_true", help="with --report: report.pdf, printed by Chromium or Chrome")
    return parser.flags(arguments)


def chosen_evaluations(
    flags: argparse.Namespace, context: EvaluationContext
) -> list[Callable[[EvaluationContext], Evaluation]]:
    """The evaluations that the flags ask for; all the quick ones where none is asked for, and for a report."""
    data = context.data
    path = flags.interpolate or "spherical"
    look_up("path", PATHS, path)
    attribute = default_attribute(data) if flags.attribute is None else flags.attribute
    table: dict[str, list[Callable[[EvaluationContext], Evaluation]]] = {
        "dataset": [evaluation.dataset],
        "curves": [evaluation.curves] if context.history or flags.curves else [],
        "reconstruct": [evaluation.reconstructions],
        "sample": [evaluation.samples],
        "interpolate": [partial(evaluation.interpolation, path=path)],
        "traverse": [evaluation.traversal],
        "attribute": [] if attribute is None else evaluation.attributes(attribute, data.dataset.label_names),
        "latent_map": [partial(evaluation.latent_map, name=flags.latent_map or None)],
        # A linear model that knows these images and a VAE that does not are no match.
        "metrics": [
            evaluation.held_out,
            evaluation.latents,
            evaluation.evidence,
            *([evaluation.linear_baseline] if data.fitted else []),
            *([evaluation.disentanglement] if flags.metrics else []),
        ],
    }
    slow: dict[str, list[Callable[[EvaluationContext], Evaluation]]] = {
        "sample_quality": [evaluation.sample_quality],
        "inception": [evaluation.inception_quality],
    }
    choices = table | slow
    asked = [choice for choice in choices if getattr(flags, choice) not in (None, False)]
    if flags.report:
        asked = [choice for choice in choices if choice in asked or choice in table]
    return [one for choice in asked or table for one in choices[choice]]


def answers_of_part_1(seed: int) -> list[report.Answer]:
    """The assignment's part 1, computed by the other package; a few seconds, most of them loading it."""
    require_packages("evaluate.py", PGM_TFP)
    from pgm_tfp import answers, comparisons

    return [report.Answer(*answer) for answer in (*answers.answers(), comparisons.laplace_and_normal(seed))]


def write_report(run: Run, page: str, browser: str | None) -> None:
    """Write report.html into the run, and print it where there is a browser."""
    html, pdf = run.folder / "report.html", run.folder / "report.pdf"
    write_text(html, page)
    print(html)
    if browser:
        report.print_pdf(browser, html, pdf)
        print(pdf)


def evaluate(arguments: list[str] | None) -> None:
    """Write the chosen figures and numbers into the run."""
    flags = parse(arguments)
    if flags.pdf and not flags.report:
        raise UserError("--pdf prints the report; pass --report, too")
    browser = report.find_browser() if flags.pdf else None
    run = open_run(flags.run) if flags.run else latest_run()
    config = load_config(run.config)
    vae = load_run(run.folder)
    source = config.data if flags.data is None else canonical(flags.data)
    data = read_data(config, run.split) if flags.data is None else read_other_data(config, run.split, source)
    context = EvaluationContext(config, vae, data, read_history(run), source)
    if not context.history:
        log.warning("%s has no epochs: no training curves, and no numbers say which epoch they are of", run.history)
    known = read_metrics(run)
    answers = answers_of_part_1(config.seed) if flags.report else []
    pages = report.read_pages(THEORY) if flags.report else {}
    # All of it is made before any of it is written.
    made = [one(context) for one in chosen_evaluations(flags, context)]
    if flags.report and not flags.metrics:
        made.append(known_or_scored(context, known))
    for path in save_evaluations(
        run, made, source, context.epoch, "" if data.fitted else f"Images: {printable(source)}."
    ):
        print(path)
    if flags.report:
        page = report.report_page(run.folder.resolve().name, answers, pages, context, made, read_metrics(run))
        write_report(run, page, browser)
    show_numbers(run)


def main(arguments: list[str] | None = None) -> int:
    """Run the script; its exit status."""
    return run_script("evaluate.py", lambda: evaluate(arguments))


if __name__ == "__main__":
    sys.exit(main())
