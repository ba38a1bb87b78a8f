"""The speed of rendering faces: images a second on one core and on all cores.

python -m benchmarks.rendering
"""

import statistics
import time
from collections.abc import Callable

from data.faces import PARALLEL_FROM, render, render_many
from data.factors import sample_factors

IMAGES, REPEATS = 600, 5


def images_a_second(work: Callable[[], object], images: int) -> float:
    """The median rate over some repeats; one more repeat before them starts the workers and is not counted."""
    rates = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        work()
        rates.append(images / (time.perf_counter() - start))
    return statistics.median(rates[1:])


def main() -> None:
    """Print both rates and their ratio."""
    factors = sample_factors(max(IMAGES, PARALLEL_FROM))
    one = images_a_second(lambda: [render(row) for row in factors[:100]], 100)
    every = images_a_second(lambda: render_many(factors), len(factors))
    print(f"128 x 128 grey: {one:.0f} images/s on one core, {every:.0f} images/s on all cores, ratio {every / one:.2f}")


if __name__ == "__main__":
    main()
