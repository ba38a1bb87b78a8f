"""The time in seconds of each disentanglement score, on 10,000 codes of 10 latents with 13 factors of 5 levels.

python -m benchmarks.disentanglement_scores

The codes are a noisy linear mixture of the factors, so the classifiers and trees can learn something but also make
errors. The table also shows the value of each score.
"""

import vae_keras  # isort: skip  # noqa: F401  (first: it loads TensorFlow quietly)

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
    # Because the weights are cubed, only a few are large, so each latent depends mostly on some of the factors.
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
    table.add_row(f"together, on {os.cpu_count()} cores", f"{total:.1f}", "")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
