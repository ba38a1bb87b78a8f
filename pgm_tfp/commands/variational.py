"""Compare surrogate posteriors with exact ones: what each family loses."""

import argparse

from pgm_tfp.commands.shared import add_memory_limit, add_out, add_seed, load_tensorflow, print_section, working


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_seed(parser)
    add_out(parser)
    add_memory_limit(parser)


def run(flags: argparse.Namespace) -> None:
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
