"""Gaussian pixels with one variance for all, learned with the network."""

from dataclasses import dataclass
from typing import Any, ClassVar

from vae_keras.likelihoods.likelihood import LikelihoodPart


@dataclass(frozen=True)
class LearnedGaussian(LikelihoodPart):
    """x ~ N(sigmoid(l), variance) with one variance for all pixels, learned with the network.

    At its optimum the variance is the mean squared error. It balances the KL and the reconstruction without a number
    chosen by hand (Rybkin et al. 2021, arXiv 2006.13202, section 3).
    """

    since_format: ClassVar[int] = 2  # format 1 stored the variance under another name

    def build(self) -> Any:
        """The layer `LearnedVariance`."""
        from vae_keras.likelihoods.learned_variance import LearnedVariance  # defines a layer, so it loads Keras

        return LearnedVariance()
