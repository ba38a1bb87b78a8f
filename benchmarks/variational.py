"""Times the fit of each family of surrogates, and measures whether more random starts reach a higher ELBO.

python -m benchmarks.variational

Each family is fitted in a process of its own. The time is that of the first fit. It includes compilation, but not the
import of TensorFlow.
"""

import subprocess
import sys
import time
from typing import Any

from rich.console import Console
from rich.table import Table

from pgm_tfp import catalogue
from pgm_tfp.variational import fit

ROOM = {"M": True, "S": False}
THERMAL = {"M": True, "S": False, "L": 60.0}
FITS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "server_room": ("server room", ROOM, ("mean_field", "autoregressive")),
    "server_room_thermal": (
        "temperature and reading",
        THERMAL,
        ("normal", "laplace", "low_rank_normal", "full_normal", "flow"),
    ),
}
MORE_STARTS = 20


def measure(network: str, family: str, more_starts: int) -> None:
    """Print, for one family, the seconds of a fit, its gap, and the nats that more starts gain."""
    _, evidence, _ = FITS[network]
    model = getattr(catalogue, network)()
    start = time.perf_counter()
    fitted = fit(model, evidence, family)
    seconds = time.perf_counter() - start
    more = fit(model, evidence, family, seed=1, starts=more_starts)
    print(seconds, fitted.gap, more.elbo - fitted.elbo)


def main() -> None:
    """Print the table; with a network, a family and a number of starts as arguments, only measure that family."""
    if len(sys.argv) == 4:
        measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))
        return
    table = Table("posterior of", "family", "first fit (s)", "gap (nats)", f"gained by {MORE_STARTS} starts (nats)")
    for network, (title, _, families) in FITS.items():
        for family in families:
            command = [sys.executable, "-m", "benchmarks.variational", network, family, str(MORE_STARTS)]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            seconds, gap, gained = map(float, printed.split()[-3:])
            table.add_row(title, family, f"{seconds:.2f}", f"{gap:.6f}", f"{gained:+.1e}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
