"""Graphical models at the command line. Without a command, the answers to the assignment's parts 1.1 to 1.4."""

import argparse
import logging
import math
import sys
from collections.abc import Callable
from pathlib import Path

from common.installed import EXPLORER, PGM_TFP, require_packages

require_packages("pgm_tfp", PGM_TFP)

from common.command_line import Parser, Remedies, check_file, folder_path, open_streams, run_script

open_streams()

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.status import Status
from rich.table import Table

from common.errors import UserError, nearest
from common.files import atomic_write
from common.quiet import import_quietly
from common.text_section import TextSection
from pgm_tfp import answers, exact
from pgm_tfp.catalogue import NETWORKS
from pgm_tfp.diagnosis import diagnosed, write_diagnosis
from pgm_tfp.exact import Network
from pgm_tfp.independence import Independence
from pgm_tfp.independence.explanation import explained
from pgm_tfp.memory import ASK_LESS, check_memory, counted
from pgm_tfp.network_files import read_evidence_file, read_network
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.notation import read_query, written
from pgm_tfp.observations import read_log, write_log
from pgm_tfp.pgmpy_models import READERS
from pgm_tfp.plots import graph_panels, probability_bars
from pgm_tfp.plots.independence_panels import panels_of

NAME = "pgm_tfp"
FIGURES = Path("runs") / "pgm_tfp"
DOTS_PER_INCH = 160
MOST_PANELS = 12  # in one figure
MOST_ROWS = 2**20  # in a printed table
GIGABYTE = 10**9
SIMULATED = 150  # bytes that a simulated cell takes in memory, as a number, as a state and in lists
# The permitted numbers of each flag, in words and as a test that not-a-number never passes.
RANGES: dict[str, tuple[str, Callable[[float], bool]]] = {
    "seed": ("from 0 to 1048575", lambda seed: 0 <= seed < 2**20),
    "rows": ("1 or more", lambda rows: rows >= 1),
    "blank": ("a share from 0 to 1", lambda share: 0.0 <= share <= 1.0),
    "prior_counts": ("a number above zero, up to a billion", lambda counts: 0.0 < counts <= 1e9),
    "memory_limit": ("a number of gigabytes above zero", lambda limit: 0.0 < limit < math.inf),
}
WIDEST = 500  # characters in a line of a table that is written to a file
REMEDIES = Remedies(
    memory=ASK_LESS,
    space="make room there, or write to another place",
    refusal="write to a place that can be written",
)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command and its flags, from the arguments or else from the command line."""
    parser = Parser(prog=f"python -m {NAME}", description=__doc__)
    parser.set_defaults(command=answer)
    _add_out(parser, FIGURES)
    _add_memory_limit(parser)
    commands = parser.add_subparsers(title="commands (without one: the answers to the assignment)", metavar="COMMAND")

    def command(function: Callable[[argparse.Namespace], None], name: str, out: Path | None) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
        added.set_defaults(command=function)
        added.add_argument(
            "--network",
            default="server_room",
            metavar="NAME",
            help=f"a network: {', '.join(NETWORKS)}; or a file that ends in {', '.join(READERS)} (default server_room)",
        )
        if out:
            _add_out(added, out)
        _add_memory_limit(added)
        return added

    command(independence, "independence", FIGURES).add_argument(
        "statement", help='an independence, such as "S _|_ M | O"'
    )
    question = command(query, "query", FIGURES)
    question.add_argument("query", help='variables and findings, such as "A | M=1, S=0"')
    question.add_argument(
        "--evidence",
        type=folder_path,
        metavar="FILE",
        help="a UAI evidence file (.evid) with more findings, for a network from a UAI file",
    )
    command(joint, "joint", None)
    diagnosis = command(diagnose, "diagnose", None)
    _add_log(diagnosis)
    diagnosis.add_argument(
        "--out", type=folder_path, metavar="FILE", help="the CSV file to write (default: LOG_posteriors.csv)"
    )
    simulation = command(simulate, "simulate", None)
    _add_log(simulation)
    simulation.add_argument("--rows", type=int, default=1_000, metavar="N", help="rows to write (default 1000)")
    simulation.add_argument(
        "--blank", type=float, default=0.0, metavar="SHARE", help="the share of cells left blank (default 0)"
    )
    simulation.add_argument("--hide", default="", metavar="NAMES", help="variables that get no column, such as T,A")
    _add_seed(simulation)
    lesson = command(learn, "learn", FIGURES)
    _add_log(lesson)
    lesson.add_argument(
        "--prior-counts",
        type=float,
        default=1.0,
        metavar="A",
        help="times that each state counts as seen before the log; more pulls the tables towards uniform (default 1)",
    )
    _add_seed(lesson)
    command(explore, "explore", None)
    surrogates = commands.add_parser("variational", help=variational.__doc__, description=variational.__doc__)
    surrogates.set_defaults(command=variational)
    _add_out(surrogates, FIGURES)
    _add_memory_limit(surrogates)
    _add_seed(surrogates)
    return parser.flags(arguments)


def check_ranges(flags: argparse.Namespace) -> None:
    """Raise UserError where a flag's number is not permitted, before anything is done."""
    for name, (expected, holds) in RANGES.items():
        value = getattr(flags, name, None)
        if value is not None and not holds(value):
            raise UserError(f"--{name.replace('_', '-')} {value} must be {expected}")


def answer(flags: argparse.Namespace) -> None:
    """Answer the assignment's parts 1.1 to 1.4 and draw their figures."""
    for section in answers.parts():
        print_section(section, flags.out)


def independence(flags: argparse.Namespace) -> None:
    """Say whether a network's graph asserts an independence, and why."""
    network, statement = network_named(flags.network), Independence.parse(flags.statement)
    print("\n".join(explained(network, statement)))
    given = f" | {', '.join(sorted(statement.given))}" if statement.given else ""
    try:
        nats = exact.conditional_mutual_information(network, statement.x, statement.y, statement.given)
        information = f"I({', '.join(sorted(statement.x))}; {', '.join(sorted(statement.y))}{given}) = {nats:.6f} nats"
    except exact.TooLargeError as reason:  # the graph's answer stands without the numbers
        information = f"not computed: {reason}"
    print(f"in numbers: {information}")
    caption = "Grey: observed variables. Blue: an active trail. Orange: a blocked trail; the thick circles block it."
    panels = panels_of(network, statement)
    if len(panels) > MOST_PANELS:
        caption += f" Shown are {MOST_PANELS} of {len(panels)} trails, active trails first."
    save(graph_panels(panels[:MOST_PANELS], statement.symbols(), caption), flags.out / "independence.png")


def query(flags: argparse.Namespace) -> None:
    """Print the probabilities of some variables given findings about others."""
    network = network_named(flags.network)
    asked = read_query(network, flags.query)
    if flags.evidence:
        findings = read_evidence_file(flags.evidence, network)
        if twice := [name for name in findings if name in asked.evidence]:
            raise UserError(f"{twice[0]} is in the query and in --evidence {flags.evidence}; leave it out of one")
        asked = asked._replace(evidence={**asked.evidence, **findings})
    given = f" | {written(asked.evidence)}" if asked.evidence else ""
    table = Table(*asked.variables, f"P({', '.join(asked.variables)}{given})")
    for states, probability in exact.joint_marginal(network, asked.variables, asked.evidence).items():
        table.add_row(*map(str, states), f"{probability:.6f}")
    show(table)
    if not asked.evidence:
        return
    nats = exact.log_evidence(network, asked.evidence)
    print(f"P({written(asked.evidence)}) = {math.exp(nats):.6g}, log evidence {nats:.6f} nats")
    situations = {
        name: {variable: exact.marginal(network, variable, evidence) for variable in asked.variables}
        for name, evidence in (("nothing seen", {}), (written(asked.evidence), asked.evidence))
    }
    caption = "Exact probabilities before and after the evidence."
    save(probability_bars(situations, f"{', '.join(asked.variables)}{given}", caption), flags.out / "query.png")


def joint(flags: argparse.Namespace) -> None:
    """Print the joint distribution, one row for each joint state."""
    network = network_named(flags.network)
    count = math.prod(map(len, network.states.values()))
    if count > MOST_ROWS:
        raise UserError(f"a joint distribution of {counted(count)} rows is too long to print; query some variables")
    table = network.joint()
    rows = Table(*table.variables, f"P({', '.join(table.variables)})")
    states = [network.states[variable] for variable in table.variables]
    for index, probability in np.ndenumerate(table.values):
        rows.add_row(*(str(known[at]) for known, at in zip(states, index, strict=True)), f"{probability:.9f}")
    show(rows)


def diagnose(flags: argparse.Namespace) -> None:
    """Write the posterior of every variable for each row of a log."""
    network = network_named(flags.network)
    out = flags.out or flags.log.with_name(f"{flags.log.stem}_posteriors.csv")
    check_file(out, "--out")
    log = read_log(flags.log, network)
    if out.resolve() == flags.log.resolve():
        raise UserError(f"--out {out} is the log itself; name another file")
    write_diagnosis(out, log, network, diagnosed(log, network))
    print(f"{out}: {len(log.rows):,} rows, observed: {', '.join(log.observed)}")


def simulate(flags: argparse.Namespace) -> None:
    """Write a log of draws from a network."""
    from pgm_tfp.learning import blanked

    check_file(flags.log, "the log")
    network = directed(flags.network)
    hidden = [name.strip() for name in flags.hide.split(",") if name.strip()]
    exact.check_variables(network, hidden)
    if len(hidden) == len(network.conditionals):
        raise UserError("--hide names every variable; leave out one")
    check_memory(
        f"--rows {counted(flags.rows)}", flags.rows * len(network.conditionals) * SIMULATED, "simulate fewer rows"
    )
    columns = {name: column.tolist() for name, column in network.sample(flags.rows, flags.seed).items()}
    seen = {name: column for name, column in columns.items() if name not in hidden}
    write_log(flags.log, blanked(seen, flags.blank, flags.seed))
    print(f"{flags.log}: {flags.rows:,} rows of {', '.join(seen)}")


def learn(flags: argparse.Namespace) -> None:
    """Learn a network's tables from a log."""
    load_tensorflow()
    from pgm_tfp.learning_report import learn_tables, write_tables

    network = directed(flags.network)
    log = read_log(flags.log, network)
    with working("learning"):
        result = learn_tables(network, log.observed, flags.prior_counts, flags.seed)
    print_section(result.section, flags.out)
    write_tables(flags.out / "tables.csv", result.entries)
    print(f"written: {flags.out / 'tables.csv'}")


def variational(flags: argparse.Namespace) -> None:
    """Compare surrogate posteriors with exact ones: what each family loses."""
    load_tensorflow()
    from pgm_tfp import comparisons

    sections = comparisons.sections(flags.seed)
    while True:
        with working("fitting surrogates"):
            section = next(sections, None)
        if section is None:
            return
        print_section(section, flags.out)


def explore(flags: argparse.Namespace) -> None:
    """Open a page on this machine: observe variables, and every posterior moves."""
    require_packages(f"python -m {NAME} explore", EXPLORER, "requirements-explore.txt")
    from common.page_server import serve
    from pgm_tfp.explorer.page import NetworkView
    from pgm_tfp.explorer.situation import opened

    network = network_named(flags.network)
    name = flags.network if flags.network in NETWORKS else Path(flags.network).name
    before = opened(network, name)
    serve(lambda: NetworkView(network, before, name).build(), "Network explorer")


def load_tensorflow() -> None:
    """Load TensorFlow without its messages; only the commands that need it wait for that."""
    import_quietly("tensorflow", "tensorflow_probability")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its warnings are about the code of libraries


def directed(name: str) -> BayesianNetwork:
    """The Bayesian network of that name or file; UserError where it is a Markov network."""
    network = network_named(name)
    if not isinstance(network, BayesianNetwork):
        raise UserError(f"{name} is a Markov network; name a Bayesian one")
    return network


def network_named(name: str) -> Network:
    """The network of that name in the catalogue, or the network in that file.

    Raises:
        UserError: there is no such network or file, or the file cannot be read.
    """
    if name in NETWORKS:
        return NETWORKS[name]()
    path = folder_path(name)
    if path.suffix.lower() in READERS or path.exists():
        return read_network(path)
    raise UserError(f"no network and no file is named {name}; {nearest(name, NETWORKS)}")


def print_section(section: TextSection, folder: Path) -> None:
    """Print a section and save its figures in a folder."""
    print(f"{section.title}\n{'=' * len(section.title)}\n")
    print("\n".join(section.lines), end="\n\n")
    for name, figure in section.figures.items():
        save(figure, folder / name)
    print(flush=True)


def working(what: str) -> Status:
    """A message that moves on a terminal during a `with` block."""
    return Console(stderr=True).status(what)


def save(figure: Figure, path: Path) -> None:
    """Save a figure and print its path; a failed write leaves no file."""
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=DOTS_PER_INCH)
    print(f"drawn: {path}")


def show(table: Table) -> None:
    """Print a table; in a file its lines are as long as its rows."""
    console = Console(highlight=False, markup=False)  # markup would swallow states in square brackets
    if not console.is_terminal:
        console.width = WIDEST
    console.print(table)


def _add_out(parser: argparse.ArgumentParser, out: Path) -> None:
    parser.add_argument(
        "--out", type=folder_path, default=out, metavar="FOLDER", help=f"the folder for figures (default {out})"
    )


def _add_memory_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--memory-limit",
        type=float,
        default=argparse.SUPPRESS,
        metavar="GB",
        help="the most memory that one exact answer may take, in gigabytes (default: half of the available memory)",
    )


def _add_log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "log", type=folder_path, help="a CSV file with one column per variable; a blank cell was not seen"
    )


def _add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the seed of random numbers (default 0)")


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""

    def script() -> None:
        flags = parse(arguments)
        check_ranges(flags)
        limit = getattr(flags, "memory_limit", None)
        exact.set_memory_limit(None if limit is None else int(limit * GIGABYTE))
        flags.command(flags)

    try:
        return run_script(NAME, script, REMEDIES)
    finally:
        exact.set_memory_limit(None)  # the flag's limit was for this command


if __name__ == "__main__":
    sys.exit(main())
