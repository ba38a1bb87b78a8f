"""Capacity annealing: prescribe how many nats the latents carry, and let the number rise.

The constraint of the beta-VAE, KL <= delta, becomes an equality. The KL is held at a capacity C that rises from zero,

    reconstruction_nll + gamma |E[KL] - C|

so latents come into use one after another. Those whose nats buy the most reconstruction come first (Burgess et al.
2018, arXiv 1804.03599, eq. 8). The distance is that of the mean KL of the batch, not of each image: one image
may need more nats than another.
"""

from dataclasses import dataclass
from typing import ClassVar

from vae_keras.backend import ops
from vae_keras.objectives.objective import WEIGHT, Measured, Objective, warm_up_option, warmed_up
from vae_keras.registry import option
from vae_keras.types import Forward, Loss

CLOSE = 0.05  # of the capacity: a KL that is no farther away keeps to it


@dataclass(frozen=True)
class AnnealedVAE(Objective):
    """reconstruction_nll + gamma |mean KL - C| (Burgess et al. 2018, eq. 8).

    Attributes:
        capacity: C at the end, nats for each image; KL summed over latents.
        gamma: multiplies the distance from the KL to the capacity, in nats, against a likelihood summed over pixels. It
            has to cost more than the reconstruction can gain; a larger value changes little. gamma = 1 with
            capacity 0 is the VAE.
        warm_up: epochs over which C rises, linearly from zero; 0 for a constant C. The default of the command line is
            half of the run's epochs.
    """

    capacity: float = option(25.0, "the KL at the end, summed over latents, in nats", WEIGHT.refusal)
    gamma: float = option(
        100.0,
        "weight of the distance between the KL and the capacity, both in nats; the likelihood is summed over pixels",
        WEIGHT.refusal,
    )
    warm_up: float = warm_up_option("epochs over which the capacity rises linearly from zero", share_of_epochs=0.5)
    parts: ClassVar[tuple[str, ...]] = ("capacity",)

    @property
    def needs_training_images(self) -> bool:
        return self.warm_up > 0

    def loss(self, forward: Forward) -> Loss:
        capacity = self.capacity * warmed_up(forward.epoch, self.warm_up)
        distance = ops.abs(ops.mean(forward.terms.kl) - capacity)
        return Loss(forward.terms.reconstruction_nll + self.gamma * distance, {"capacity": capacity})

    def cost(self, measured: Measured) -> list[str]:
        kl = measured.training_kl
        if kl is None:
            return []
        stated = f"In the last epoch the KL of the training images is {kl:.1f} nats, the capacity {self.capacity:g}"
        if abs(kl - self.capacity) <= CLOSE * max(self.capacity, 1.0):
            return [f"{stated}: the KL kept to the capacity."]
        side = "above" if kl > self.capacity else "below"
        remedy = "a larger --gamma holds it" if kl > self.capacity else "more epochs or a larger --gamma may raise it"
        return [f"{stated}: the KL is {abs(kl - self.capacity):.1f} nats {side} the capacity; {remedy}."]
