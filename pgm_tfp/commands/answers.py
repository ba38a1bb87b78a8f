"""Answer the assignment's parts 1.1 to 1.4 and draw their figures."""

import argparse

from pgm_tfp import answers
from pgm_tfp.commands.shared import add_memory_limit, add_out, print_section


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_out(parser)
    add_memory_limit(parser)


def run(flags: argparse.Namespace) -> None:
    """Answer the assignment's parts 1.1 to 1.4 and draw their figures."""
    for section in answers.parts():
        print_section(section, flags.out)
