"""The parts that a run chooses by name, by kind, in the order of their flags."""

from vae_keras.architectures import ARCHITECTURES
from vae_keras.likelihoods import LIKELIHOODS
from vae_keras.objectives import OBJECTIVES
from vae_keras.optimization import OPTIMIZERS, SCHEDULES
from vae_keras.priors import PRIORS
from vae_keras.registry import Registry

PARTS: dict[str, Registry] = {
    "architecture": ARCHITECTURES,
    "prior": PRIORS,
    "objective": OBJECTIVES,
    "likelihood": LIKELIHOODS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}
