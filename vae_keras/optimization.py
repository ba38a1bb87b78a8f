"""Optimisers and schedules of the learning rate, as a run chooses them by name."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from common.ranges import Range
from vae_keras.backend import keras
from vae_keras.registry import Part, Registry, option


@dataclass(frozen=True)
class Optimizer(Part):
    """An optimiser as a run chooses it."""

    @abstractmethod
    def build(self, learning_rate: Any, weight_decay: float, mean_age: float, clipping: float) -> "keras.Optimizer":
        """The optimiser, with what `vae_keras.optimizers` adds to every optimiser.

        Args:
            learning_rate: a number, or a schedule of Keras.
            weight_decay: a step subtracts learning rate x weight_decay of each kernel; 0 for no decay.
            mean_age: of the averaged weights, as a share of the run; 0 for no average.
            clipping: the largest gradient, as a multiple of the usual one; 0 for no limit.
        """


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, arXiv 1412.6980)."""

    def build(self, learning_rate: Any, weight_decay: float, mean_age: float, clipping: float) -> "keras.Optimizer":
        from vae_keras.optimizers import Adam  # defines an optimiser, so it loads Keras

        return Adam(learning_rate, weight_decay or None, mean_age, clipping)


@dataclass(frozen=True)
class Muon(Optimizer):
    """Muon for the kernels of convolutions and dense layers, and Adam for all other weights (Jordan et al. 2024)."""

    def build(self, learning_rate: Any, weight_decay: float, mean_age: float, clipping: float) -> "keras.Optimizer":
        from vae_keras.optimizers import Muon

        return Muon(learning_rate, weight_decay or None, mean_age, clipping)


OPTIMIZERS: Registry = {"adam": Adam, "muon": Muon}


@dataclass(frozen=True)
class Schedule(Part):
    """The learning rate of each step.

    Attributes:
        ends_with_the_run: whether the rate has reached its end after the last epoch, so that more epochs need another
            run.
    """

    ends_with_the_run: ClassVar[bool] = False

    @abstractmethod
    def build(self, learning_rate: float, steps: int) -> Any:
        """The learning rate of a run of so many steps: a number, or a schedule of Keras."""


@dataclass(frozen=True)
class Constant(Schedule):
    """The same learning rate in every step."""

    def build(self, learning_rate: float, steps: int) -> float:
        return learning_rate


@dataclass(frozen=True)
class Cosine(Schedule):
    """The learning rate rises in a straight line, then falls as half a cosine to zero at the end of the run.

    Loshchilov & Hutter 2017, arXiv 1608.03983, eq. 5, without restarts.
    """

    rise: float = option(0.02, "share of the run in which the learning rate rises from zero", Range(0, 0.9).refusal)
    ends_with_the_run: ClassVar[bool] = True

    def build(self, learning_rate: float, steps: int) -> "keras.optimizers.schedules.LearningRateSchedule":
        rising = math.ceil(self.rise * steps) if self.rise else 0
        decay = keras.optimizers.schedules.CosineDecay
        if not rising:
            return decay(learning_rate, steps)
        # Keras begins at initial_learning_rate and rises to warmup_target; step 0 must not have the rate 0.
        return decay(learning_rate / rising, max(steps - rising, 1), warmup_target=learning_rate, warmup_steps=rising)


SCHEDULES: Registry = {"constant": Constant, "cosine": Cosine}
