"""Sentences on the cost of the run's objective, computed from its numbers."""

import math
from collections.abc import Sequence

from common.estimates import Estimate
from vae_keras.config import Config
from vae_keras.evaluation.record import Record
from vae_keras.objectives.objective import Measured
from vae_keras.run_folder import Row


def objective_cost(numbers: Record, history: Sequence[Row], config: Config) -> list[str]:
    """The sentences of the run's objective; none if the record has no numbers on the test images."""
    if "test" not in numbers:
        return []
    split = numbers.get("kl_split")
    measured = Measured(
        reconstruction_nll=numbers["test"]["reconstruction_nll"],
        kl=numbers["test"]["kl"],
        training_kl=history[-1]["kl"] if history else None,
        total_correlation=Estimate(**split["total_correlation"]) if split else None,
        latent_dim=config.latent_dim,
        pixels=math.prod(config.image_shape),
    )
    return config.build_objective().cost(measured)
