"""Graphical models at the command line: python -m pgm_tfp answers the assignment's parts 1.1 to 1.4."""

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path

from common.installed import PGM_TFP, require_packages

require_packages("pgm_tfp", PGM_TFP)

from common.command_line import Parser, Remedies, folder_path, open_streams, run_script

open_streams()

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.status import Status
from rich.table import Table

from common.errors import UserError, nearest
from common.files import atomic_write
from common.quiet import import_quietly
from pgm_tfp import exact
from pgm_tfp.answers import answers
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
MOST_PANELS = 12  # of one figure
MOST_ROWS = 2**20  # of a table that is printed
GIGABYTE = 10**9
SIMULATED = 150  # bytes of a drawn cell: its number, its state, and the lists that hold them
# By flag the numbers that it takes, in words and as a test; not-a-number passes none.
RANGES: dict[str, tuple[str, Callable[[float], bool]]] = {
    "seed": ("from 0 to 1048575", lambda seed: 0 <= seed < 2**20),
    "rows": ("1 or more", lambda rows: rows >= 1),
    "blank": ("a share from 0 to 1", lambda share: 0.0 <= share <= 1.0),
    "prior_counts": ("a number above zero, up to a billion", lambda counts: 0.0 < counts <= 1e9),
    "memory_limit": ("a number of gigabytes above zero", lambda limit: 0.0 < limit < math.inf),
}
WIDEST = 500  # characters of a table that goes into a file
REMEDIES = Remedies(
    memory=ASK_LESS,
    space="make room there, or pass another --out",
    refusal="pass an --out that can be written",
)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command and its flags, from these arguments or the command line."""
    parser = Parser(prog=f"python -m {NAME}", description=__doc__)
    parser.set_defaults(command=answer)
    _add_out(parser, FIGURES)
    _add_memory_limit(parser)
    commands = parser.add_subparsers(title="commands (without one, the assignment is answered)", metavar="COMMAND")

    def command(function: Callable[[argparse.Namespace], None], name: str, out: Path | None) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
        added.set_defaults(command=function)
        added.add_argument(
            "--network",
            default="server_room",
            metavar="NAME",
            help=f"{', '.join(NETWORKS)}, or a file: {', '.join(READERS)} (default server_room)",
        )
        if out:
            _add_out(added, out)
        _add_memory_limit(added)
        return added

    command(independence, "independence", FIGURES).add_argument("statement", help='such as "S _|_ M | O"')
    question = command(query, "query", FIGURES)
    question.add_argument("query", help='such as "A | M=1, S=0"')
    question.add_argument(
        "--evidence",
        type=folder_path,
        metavar="FILE",
        help="findings beside those of the query: a UAI evidence file (.evid), for a network out of a UAI file",
    )
    command(joint, "joint", None)
    diagnosis = command(diagnose, "diagnose", None)
    _add_log(diagnosis)
    diagnosis.add_argument("--out", type=folder_path, metavar="FILE", help="default: LOG_posteriors.csv")
    simulation = command(simulate, "simulate", None)
    _add_log(simulation)
    simulation.add_argument("--rows", type=int, default=1_000, metavar="N", help="default 1000")
    simulation.add_argument("--blank", type=float, default=0.0, metavar="SHARE", help="of all cells (default 0)")
    simulation.add_argument("--hide", default="", metavar="NAMES", help="variables without a column: T,A")
    _add_seed(simulation)
    lesson = command(learn, "learn", FIGURES)
    _add_log(lesson)
    lesson.add_argument("--prior-counts", type=float, default=1.0, metavar="A", help="of every state (default 1)")
    _add_seed(lesson)
    surrogates = commands.add_parser("variational", help=variational.__doc__, description=variational.__doc__)
    surrogates.set_defaults(command=variational)
    _add_out(surrogates, FIGURES)
    _add_memory_limit(surrogates)
    _add_seed(surrogates)
    return parser.flags(arguments)


def check_ranges(flags: argparse.Namespace) -> None:
    """Raise UserError where a flag's number makes no sense, before anything is done."""
    for name, (expected, holds) in RANGES.items():
        value = getattr(flags, name, None)
        if value is not None and not holds(value):
            raise UserError(f"--{name.replace('_', '-')} {value} must be {expected}")


def answer(flags: argparse.Namespace) -> None:
    """Answer the assignment's parts 1.1 to 1.4 and draw their figures."""
    for part in answers():
        print_section(part, flags.out)


def independence(flags: argparse.Namespace) -> None:
    """Does a network's graph assert an independence, and why?"""
    network, statement = network_named(flags.network), Independence.parse(flags.statement)
    print("\n".join(explained(network, statement)))
    given = f" | {', '.join(sorted(statement.given))}" if statement.given else ""
    try:
        nats = exact.conditional_mutual_information(network, statement.x, statement.y, statement.given)
        information = f"I({', '.join(sorted(statement.x))}; {', '.join(sorted(statement.y))}{given}) = {nats:.6f} nats"
    except exact.TooLargeError as reason:  # the graph's answer needs no numbers
        information = f"not computed: {reason}"
    print(f"in numbers: {information}")
    caption = "Grey is observed. Blue: an active trail. Orange: a blocked one, and where it is blocked."
    panels = panels_of(network, statement)
    if len(panels) > MOST_PANELS:
        caption += f" {MOST_PANELS} of {len(panels)} trails, active ones first."
    save(graph_panels(panels[:MOST_PANELS], statement.symbols(), caption), flags.out / "independence.png")


def query(flags: argparse.Namespace) -> None:
    """The probabilities of some variables given findings about others."""
    network = network_named(flags.network)
    asked = read_query(network, flags.query)
    if flags.evidence:
        findings = read_evidence_file(flags.evidence, network)
        if twice := [name for name in findings if name in asked.evidence]:
            raise UserError(f"{twice[0]} is in the query and in --evidence {flags.evidence}; once is enough")
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
    caption = "Probabilities before and after the evidence, computed exactly."
    save(probability_bars(situations, f"{', '.join(asked.variables)}{given}", caption), flags.out / "query.png")


def joint(flags: argparse.Namespace) -> None:
    """The whole joint distribution, a row for each joint state."""
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
    """The posterior of every variable for each row of a log."""
    network = network_named(flags.network)
    out = flags.out or flags.log.with_name(f"{flags.log.stem}_posteriors.csv")
    log = read_log(flags.log, network)
    if out.resolve() == flags.log.resolve():
        raise UserError(f"--out {out} is the log itself; name another file")
    write_diagnosis(out, log, network, diagnosed(log, network))
    print(f"{out}: {len(log.rows):,} rows, observed: {', '.join(log.observed)}")


def simulate(flags: argparse.Namespace) -> None:
    """Write a log that a network might have written."""
    from pgm_tfp.learning import blanked

    network = directed(flags.network)
    hidden = [name.strip() for name in flags.hide.split(",") if name.strip()]
    exact.check_variables(network, hidden)
    if len(hidden) == len(network.conditionals):
        raise UserError("--hide names every variable; leave one to be seen")
    check_memory(
        f"--rows {counted(flags.rows)}", flags.rows * len(network.conditionals) * SIMULATED, "simulate fewer rows"
    )
    columns = {name: column.tolist() for name, column in network.sample(flags.rows, flags.seed).items()}
    seen = {name: column for name, column in columns.items() if name not in hidden}
    write_log(flags.log, blanked(seen, flags.blank, flags.seed))
    print(f"{flags.log}: {flags.rows:,} rows of {', '.join(seen)}")


def learn(flags: argparse.Namespace) -> None:
    """Learn a network's tables from a log."""
    import_quietly("tensorflow", "tensorflow_probability")
    from pgm_tfp.learning_report import learned, write_tables

    network = directed(flags.network)
    log = read_log(flags.log, network)
    with working("learning"):
        result = learned(network, log.observed, flags.prior_counts, flags.seed)
    print_section(result.section, flags.out)
    write_tables(flags.out / "tables.csv", result.entries)
    print(f"written: {flags.out / 'tables.csv'}")


def variational(flags: argparse.Namespace) -> None:
    """Compare surrogate posteriors with exact ones: what each family loses."""
    import_quietly("tensorflow", "tensorflow_probability")
    from pgm_tfp.comparisons import all_comparisons

    parts = all_comparisons(flags.seed)
    while True:
        with working("fitting surrogates"):
            part = next(parts, None)
        if part is None:
            return
        print_section(part, flags.out)


def directed(name: str) -> BayesianNetwork:
    """A Bayesian network by name or file; UserError where it is a Markov network."""
    network = network_named(name)
    if not isinstance(network, BayesianNetwork):
        raise UserError(f"{name} is a Markov network; name a Bayesian one")
    return network


def network_named(name: str) -> Network:
    """A network of the catalogue, or the one in a file.

    Raises:
        UserError: there is none of that name, or the file cannot be read.
    """
    if name in NETWORKS:
        return NETWORKS[name]()
    path = folder_path(name)
    if path.suffix.lower() in READERS or path.exists():
        return read_network(path)
    raise UserError(f"no network and no file is named {name}; {nearest(name, NETWORKS)}")


def print_section(part: TextSection, folder: Path) -> None:
    """Print an answer and write its figures."""
    print(f"{part.title}\n{'=' * len(part.title)}\n")
    print("\n".join(part.lines), end="\n\n")
    for name, figure in part.figures.items():
        save(figure, folder / name)
    print(flush=True)


def working(what: str) -> Status:
    """On a terminal, a sign of life inside its `with` block."""
    return Console(stderr=True).status(what)


def save(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all, and say where."""
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=DOTS_PER_INCH)
    print(f"drawn: {path}")


def show(table: Table) -> None:
    """Print a table; into a file as wide as it is."""
    console = Console(highlight=False, markup=False)  # states in brackets are states
    if not console.is_terminal:
        console.width = WIDEST
    console.print(table)


def _add_out(parser: argparse.ArgumentParser, out: Path) -> None:
    parser.add_argument(
        "--out", type=folder_path, default=out, metavar="FOLDER", help=f"where figures go (default {out})"
    )


def _add_memory_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--memory-limit",
        type=float,
        default=argparse.SUPPRESS,
        metavar="GB",
        help="the most memory that one exact answer may take, in gigabytes (default: half of what is available)",
    )


def _add_log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("log", type=folder_path, help="a CSV file; its columns are variables, blank means not seen")


def _add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is random (default 0)")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit status."""

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
