"""Graphical models at the command line. Without a command, the answers to the assignment's parts 1.1 to 1.4."""

import argparse
import sys

from common.installed import PGM_TFP, require_packages

require_packages("pgm_tfp", PGM_TFP)

from common.command_line import Parser, Remedies, open_streams, run_script

open_streams()

from pgm_tfp import exact
from pgm_tfp.commands import answers, diagnose, explore, independence, joint, learn, query, simulate, variational
from pgm_tfp.commands.shared import check_ranges
from pgm_tfp.memory import ASK_LESS

NAME = "pgm_tfp"
COMMANDS = {
    "independence": independence,
    "query": query,
    "joint": joint,
    "diagnose": diagnose,
    "simulate": simulate,
    "learn": learn,
    "explore": explore,
    "variational": variational,
}
GIGABYTE = 10**9
REMEDIES = Remedies(
    memory=ASK_LESS,
    space="make room there, or write to another place",
    refusal="write to a place that can be written",
)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command and its flags, from the arguments or else from the command line."""
    parser = Parser(prog=f"python -m {NAME}", description=__doc__)
    parser.set_defaults(command=answers.run)
    answers.add_flags(parser)
    commands = parser.add_subparsers(title="commands (without one: the answers to the assignment)", metavar="COMMAND")
    for name, module in COMMANDS.items():
        added = commands.add_parser(name, help=module.__doc__, description=module.__doc__)
        added.set_defaults(command=module.run)
        module.add_flags(added)
    return parser.flags(arguments)


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
