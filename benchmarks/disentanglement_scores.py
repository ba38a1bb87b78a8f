"""The time that each disentanglement score takes: 10,000 codes of 10 latents, 13 factors of 5 levels.

python -m benchmarks.disentanglement_scores

The codes are a linear mixture of the factors with noise. Classifiers and trees can therefore learn the factors, but not
without errors. The table shows the seconds and the value of each score.
"""

import os
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from vae_keras.metrics.scores import SCORES, all_scores

ROWS, LATENTS, FACTORS, LEVELS = 10_000, 10, 13, 5
NOISE = 0.3


def mixture(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Codes (ROWS, LATENTS) of unit variance and factors (ROWS, FACTORS)."""
    random = np.random.default_rng(seed)
    factors = random.integers(LEVELS, size=(ROWS, FACTORS))
    # The cubes of normal weights have a few large values, so that each latent depends mainly on a few factors.
    codes = factors @ random.normal(size=(FACTORS, LATENTS)) ** 3
    codes = codes / codes.std(axis=0) + NOISE * random.normal(size=(ROWS, LATENTS))
    return codes, factors


def main() -> None:
    """Print the table."""
    codes, factors = mixture()
    table = Table("score", "seconds", "value", title=f"{ROWS:,} codes of {LATENTS}, {FACTORS} factors of {LEVELS}")
    total = 0.0
    for name, score in SCORES.items():
        start = time.perf_counter()
        values = all_scores(codes, factors, scores={name: score})
        seconds = time.perf_counter() - start
        total += seconds
        table.add_row(name, f"{seconds:.2f}", "  ".join(f"{value:.3f}" for value in values.values()))
    table.add_section()
    table.add_row(f"all scores, on {os.cpu_count()} cores", f"{total:.1f}", "")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
