"""Write the figures and numbers of a trained VAE into its run folder; choose some with flags such as --interpolate."""

import argparse
import logging
import sys
import time
from datetime import timedelta
from pathlib import Path

from common.installed import DOCUMENTS, EXPLORER, PGM_TFP, require_packages

require_packages("evaluate.py")

from common.command_line import Parser, check_file, folder_path, open_streams

open_streams()

from common.errors import UserError
from common.files import remove_unfinished, write_text
from common.names import printable
from common.progress import tracked
from common.text_section import TextSection
from data.image_cache import CACHE, CACHE_HELP
from data.sources import canonical
from vae_keras.command_line import run_script, start_tensorflow
from vae_keras.config import Config
from vae_keras.config_file import load_config
from vae_keras.directions import METHODS, read_directions, write_directions
from vae_keras.evaluation import EVALUATIONS, EvaluationContext
from vae_keras.evaluation.comparison import check_comparable, compared
from vae_keras.evaluation.disentanglement import known_or_scored
from vae_keras.evaluation.edited_pictures import edited_pictures, picture_edits
from vae_keras.evaluation.inputs import digest_of_data
from vae_keras.evaluation.record import read_record, record_about
from vae_keras.evaluation.registry import Evaluate
from vae_keras.evaluation.saving import save_evaluations, save_figures, show_comparison, show_numbers
from vae_keras.pictures import check_suffix, save_picture
from vae_keras.registry import flag_of, look_up
from vae_keras.run_data import read_data, read_other_data
from vae_keras.run_folder import Run, latest_run, open_run, read_history

log = logging.getLogger("evaluate")

AN_HOUR = 3600.0  # no file takes so long to write; a younger one may be that of another process
THEORY = Path(__file__).parent / "docs" / "theory"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The flags of this script, from these arguments or the command line.

    Raises:
        UserError: a flag has a wrong value, or needs another flag.
    """
    slow = [flag_of(name) for name, choice in EVALUATIONS.items() if not choice.quick]
    parser = Parser(
        prog="evaluate.py",
        description=__doc__,
        epilog=f"Without a flag that chooses outputs, the script writes all of them except {', '.join(slow)} and the "
        "disentanglement scores of --metrics.",
    )
    parser.add_argument("--run", type=folder_path, metavar="FOLDER", help="the run to evaluate (default: the latest)")
    parser.add_argument(
        "--data", metavar="DATA", help="the folder to which the run's images were moved, or other images to evaluate on"
    )
    parser.add_argument("--cache", type=folder_path, default=CACHE, metavar="FOLDER", help=CACHE_HELP)
    for name, choice in EVALUATIONS.items():
        if not choice.metavar:
            parser.add_argument(flag_of(name), action="store_const", const="yes", help=choice.help)
        elif choice.value_is_optional:
            parser.add_argument(flag_of(name), nargs="?", const="", metavar=choice.metavar, help=choice.help)
        else:
            parser.add_argument(flag_of(name), metavar=choice.metavar, help=choice.help)
    parser.add_argument(
        "--direction",
        metavar="METHOD",
        help=f"how the directions of attributes are found: {', '.join(METHODS)}; by default, the method whose edit is "
        "the most selective, for each attribute, as measured on validation images",
    )
    parser.add_argument(
        "--edit",
        nargs="+",
        metavar=("PICTURE", "EDIT"),
        help="edit pictures of your own: files first, then edits such as smile=+2 or smile=+2,jaw=-1; without another "
        "flag that chooses outputs, the script writes nothing else",
    )
    parser.add_argument(
        "--output",
        type=folder_path,
        metavar="FILE",
        help="the file for --edit (default: figures/edited.png in the run): one picture, or a row for each picture and "
        "a column for each edit",
    )
    parser.add_argument(
        "--compare",
        nargs="+",
        type=folder_path,
        metavar="FOLDER",
        help="two or more runs with the same test images beside each other: settings that differ, all numbers, the "
        "same faces and edits, curves; the figures go into the first run's folder",
    )
    parser.add_argument(
        "--explore",
        action="store_true",
        help="open a page on this machine where you move sliders and a face answers (needs requirements-explore.txt)",
    )
    parser.add_argument(
        "--report",
        action="store_true",
        help=f"all of the above except {', '.join(slow)}; then report.html, one page with theory, settings, "
        "figures, numbers and an analysis; scores that are already in metrics.json are not computed again",
    )
    parser.add_argument("--pdf", action="store_true", help="with --report: also print report.pdf by Chromium or Chrome")
    flags = parser.flags(arguments)
    if flags.pdf and not flags.report:
        raise UserError("--pdf prints the report; pass --report, too")
    if flags.compare:
        check_compare(flags)
    if flags.direction is not None:
        look_up("direction", METHODS, flags.direction)
    if flags.output and not flags.edit:
        raise UserError("--output names the file for --edit; pass --edit, too")
    if flags.edit:
        flags.edit = picture_edits(flags.edit)
    if flags.output:
        check_file(flags.output, "--output")
        check_suffix(flags.output)
    for name, choice in EVALUATIONS.items():
        if value := getattr(flags, name):
            choice.check(value)
    return flags


def check_compare(flags: argparse.Namespace) -> None:
    """Refuse runs that cannot be beside each other, and flags that `--compare` does not use.

    Raises:
        UserError: there are fewer than two runs, one is named twice, or there is another flag.
    """
    others = [
        name for name, value in vars(flags).items() if value not in (None, False) and name not in ("compare", "cache")
    ]
    if others:
        raise UserError(f"--compare goes with no other flag; leave out {flag_of(others[0])}")
    folders = [folder.resolve() for folder in flags.compare]
    if len(set(folders)) < 2:
        raise UserError("--compare needs two different runs; write --compare runs/a runs/b")
    if twice := [folder for folder in flags.compare if folders.count(folder.resolve()) > 1]:
        raise UserError(f"--compare names {twice[0]} twice; name it once")


def chosen_evaluations(flags: argparse.Namespace, context: EvaluationContext) -> list[Evaluate]:
    """The evaluations that the flags choose; all quick ones for a report, or if no flag chooses any."""
    values = {name: getattr(flags, name) for name in EVALUATIONS}
    asked = [name for name, value in values.items() if value is not None]
    quick = [name for name, choice in EVALUATIONS.items() if choice.quick]
    if flags.report:
        asked = [name for name in EVALUATIONS if name in asked or name in quick]
    elif not asked and not flags.edit and not flags.explore:
        asked = quick
    return [one for name in asked for one in EVALUATIONS[name].plan(context, values[name])]


def answers_of_part_1(seed: int) -> list[TextSection]:
    """The answers to part 1 of the assignment, computed by `pgm_tfp`, which takes seconds to load."""
    from pgm_tfp import answers, comparisons

    return [*answers.parts(), comparisons.laplace_and_normal(seed)]


def open_context(
    run: Run,
    config: Config,
    other_source: str | None = None,
    method: str | None = None,
    cache: Path = CACHE,
) -> EvaluationContext:
    """The trained model of a run with its images, or with other images.

    Args:
        method: of the directions of attributes; None takes the best one for each attribute.
        cache: the folder that keeps images.
    """
    from vae_keras.prior_fitting import read_prior
    from vae_keras.runs import load_run

    vae = load_run(run.folder)
    if other_source is None:
        data = read_data(config, run.split, cache)
    else:
        data = read_other_data(config, run.split, other_source, cache)
    saved = read_directions(run, digest_of_data(data)) if data.fitted else None
    source = other_source or config.data
    return EvaluationContext(config, vae, data, read_history(run), source, read_prior(run), saved, method, cache)


def explore(context: EvaluationContext) -> None:
    """Serve a page with the faces of a run, and the server room under another tab."""
    from common.page_parts import tabbed
    from common.page_server import serve
    from pgm_tfp.catalogue import server_room
    from pgm_tfp.explorer.page import NetworkView
    from pgm_tfp.explorer.situation import opened
    from vae_keras.explorer.faces import Explorer
    from vae_keras.explorer.page import View

    explorer = Explorer(context)
    explorer.prepare()
    room = server_room()
    before = opened(room, "server_room")
    pages = {"Faces": lambda: View(explorer).build(), "Server room": lambda: NetworkView(room, before).build()}
    serve(lambda: tabbed(pages), "Explorer of faces and networks")


def compare(folders: list[Path], cache: Path) -> None:
    """Print the settings and numbers of runs beside each other, and draw the same faces and their curves."""
    runs = [open_run(folder) for folder in folders]
    configs = [load_config(run.config) for run in runs]
    names = [printable(run.folder) for run in runs]
    known = [read_record(run) for run in runs]
    start_tensorflow(deterministic=True)
    contexts = {
        name: open_context(run, config, cache=cache) for name, run, config in zip(names, runs, configs, strict=True)
    }
    check_comparable(contexts)
    current_records = []
    for run, record, context in zip(runs, known, contexts.values(), strict=True):
        current, stale = record_about(record, context.source, context.epoch, context.inputs)
        if stale or "test" not in current:
            log.warning("%s lacks numbers of this model; python evaluate.py --run %s computes them", *[run.folder] * 2)
        current_records.append(current)
    comparison = compared(contexts, current_records)
    for path in save_figures(runs[0], comparison.figures):
        print(path)
    show_comparison(comparison)


def evaluate(arguments: list[str] | None) -> None:
    """Write the chosen figures and numbers into the run folder."""
    start = time.perf_counter()
    flags = parse(arguments)
    if flags.compare:
        compare(flags.compare, flags.cache)
        return
    if flags.explore:
        require_packages("evaluate.py --explore", (*EXPLORER, *PGM_TFP), "requirements-explore.txt")
    if flags.report:
        require_packages("evaluate.py --report", (*DOCUMENTS, *PGM_TFP))
    run = open_run(flags.run) if flags.run else latest_run()
    config = load_config(run.config)
    source = config.data if flags.data is None else canonical(flags.data)
    known = read_record(run)
    start_tensorflow(deterministic=True)  # after these checks, because loading TensorFlow takes seconds
    from vae_keras.prior_fitting import write_prior

    context = open_context(run, config, None if flags.data is None else source, flags.direction, flags.cache)
    if len(context.history) < (context.epoch or 1):
        log.warning(
            "%s has %d epochs, fewer than the model: the training curves are incomplete",
            run.history,
            len(context.history),
        )
    if flags.report:
        from vae_keras import report

        browser = report.find_browser() if flags.pdf else None
        answers, pages = answers_of_part_1(config.seed), report.read_pages(THEORY)
    for folder in (run.folder, run.figures):
        remove_unfinished(folder, AN_HOUR)
    # All evaluations finish before the first file is written, so an error leaves the run as it was.
    chosen = chosen_evaluations(flags, context)
    made = [one(context) for one in tracked(chosen, "evaluating", len(chosen))]
    edited = edited_pictures(context, flags.edit) if flags.edit else None
    if flags.report and not flags.metrics:
        made.append(known_or_scored(context, known))
    if context.newly_fitted:
        write_prior(run, context.newly_fitted)
    if made and context.newly_found:
        write_directions(run, context.newly_found, digest_of_data(context.data))
    note = "" if context.data.fitted else f"Images: {printable(source)}."
    for path in save_evaluations(run, made, context, note) if made else ():
        print(path)
    if edited is not None:
        output = flags.output or run.figures / "edited.png"
        save_picture(edited, output)
        print(output)
    if flags.report:
        html, pdf = run.folder / "report.html", run.folder / "report.pdf"
        write_text(html, report.report_page(run.folder.resolve().name, answers, pages, context, made, read_record(run)))
        print(html)
        if browser:
            report.print_pdf(browser, html, pdf)
            print(pdf)
    if any({"test", "disentanglement"} & {*evaluation.numbers} for evaluation in made):
        show_numbers(run)
    if flags.explore:
        explore(context)
        return
    print(f"evaluated in {timedelta(seconds=round(time.perf_counter() - start))}")


def main(arguments: list[str] | None = None) -> int:
    """Run the script and return its exit status."""
    return run_script("evaluate.py", lambda: evaluate(arguments))


if __name__ == "__main__":
    sys.exit(main())
