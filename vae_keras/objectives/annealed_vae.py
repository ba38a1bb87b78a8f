"""Capacity annealing: tell the latents how many nats to carry, and let the number rise.

The constraint of the beta-VAE, KL <= delta, taken as an equality: the KL is held at a capacity C that rises from zero,

    reconstruction_nll + gamma |E[KL] - C|

so that latents come into use one after another, those first whose nats buy the most reconstruction (Burgess et al.
2018, arXiv 1804.03599, eq. 8). The distance is taken of the mean KL of the batch, not image by image: an image
that needs more nats than another may have them.
"""

from dataclasses import dataclass
from typing import ClassVar

import keras
from keras import ops

from vae_keras.objectives.objective import Objective, risen
from vae_keras.types import Forward, Loss


@keras.saving.register_keras_serializable("vae_keras")
@dataclass(frozen=True)
class AnnealedVAE(Objective):
    """reconstruction_nll + gamma |mean KL - C| (Burgess et al. 2018, eq. 8).

    Attributes:
        capacity: C at the end, nats per image; KL summed over latents.
        gamma: what a nat off the capacity costs, against a likelihood summed over pixels. It has to cost more than
            the reconstruction can gain by it; beyond that its value hardly matters. gamma = 1 at C = 0 is the VAE.
        warm_up: epochs over which C rises, linearly from zero; 0 for C from the start. Without one, half of the run's.
    """

    capacity: float = 25.0
    gamma: float = 100.0
    warm_up: float = 0.0
    parts: ClassVar[tuple[str, ...]] = ("capacity",)
    usual_warm_up: ClassVar[float] = 0.5

    @property
    def needs_training_images(self) -> bool:
        return self.warm_up > 0

    def loss(self, forward: Forward) -> Loss:
        capacity = self.capacity * risen(forward.epoch, self.warm_up)
        distance = ops.abs(ops.mean(forward.terms.kl) - capacity)
        return Loss(forward.terms.reconstruction_nll + self.gamma * distance, {"capacity": capacity})
