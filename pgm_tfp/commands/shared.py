"""What several commands use: flags, networks by name, and what is printed and saved."""

import argparse
import logging
from math import inf
from pathlib import Path

from matplotlib.figure import Figure
from rich.console import Console
from rich.status import Status
from rich.table import Table

from common.command_line import folder_path
from common.errors import UserError, nearest
from common.files import atomic_write
from common.quiet import import_quietly
from common.ranges import SEEDS, Range
from common.text_section import TextSection
from pgm_tfp.catalogue import NETWORKS
from pgm_tfp.exact import Network
from pgm_tfp.network_files import read_network
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.pgmpy_models import READERS

FIGURES = Path("runs") / "pgm_tfp"
DOTS_PER_INCH = 160
WIDEST = 500  # characters in a line of a table that is written to a file
RANGES = {
    "seed": SEEDS,
    "rows": Range(1, inf),
    "blank": Range(0, 1),
    "prior_counts": Range(1e-9, 1e9),
    "memory_limit": Range(1e-9, inf),
    "seconds": Range(0.1, 86_400),
}


def check_ranges(flags: argparse.Namespace) -> None:
    """Raise UserError where a flag's number is not permitted, before anything is done."""
    for name, accepted in RANGES.items():
        value = getattr(flags, name, None)
        if value is not None and (refusal := accepted.refusal(value)):
            raise UserError(f"--{name.replace('_', '-')} {value} {refusal}")


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add --network."""
    parser.add_argument(
        "--network",
        default="server_room",
        metavar="NAME",
        help=f"a network: {', '.join(NETWORKS)}; or a file that ends in {', '.join(READERS)} (default server_room)",
    )


def add_out(parser: argparse.ArgumentParser) -> None:
    """Add --out, the folder for figures."""
    parser.add_argument(
        "--out", type=folder_path, default=FIGURES, metavar="FOLDER", help=f"the folder for figures (default {FIGURES})"
    )


def add_memory_limit(parser: argparse.ArgumentParser) -> None:
    """Add --memory-limit."""
    parser.add_argument(
        "--memory-limit",
        type=float,
        default=argparse.SUPPRESS,
        metavar="GB",
        help="the most memory that one exact answer may take, in gigabytes (default: half of the available memory)",
    )


def add_log(parser: argparse.ArgumentParser) -> None:
    """Add the file of a log."""
    parser.add_argument(
        "log", type=folder_path, help="a CSV file with one column per variable; a blank cell was not seen"
    )


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Add --seed."""
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the seed of random numbers (default 0)")


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
