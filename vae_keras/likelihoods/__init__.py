"""Likelihoods p(x | z), one file each.

The mean of p(x | z) is the image that the decoder stands for. The negative log-likelihood is summed over the image, in
nats.
"""

from vae_keras.likelihoods.bernoulli import Bernoulli
from vae_keras.likelihoods.continuous_bernoulli import ContinuousBernoulli
from vae_keras.likelihoods.gaussian import Gaussian
from vae_keras.likelihoods.learned_gaussian import LearnedGaussian
from vae_keras.likelihoods.likelihood import Likelihood, LikelihoodPart
from vae_keras.registry import Registry

LIKELIHOODS: Registry = {
    "bernoulli": Bernoulli,
    "continuous_bernoulli": ContinuousBernoulli,
    "gaussian": Gaussian,
    "learned_gaussian": LearnedGaussian,
}

__all__ = [
    "LIKELIHOODS",
    "Bernoulli",
    "ContinuousBernoulli",
    "Gaussian",
    "LearnedGaussian",
    "Likelihood",
    "LikelihoodPart",
]
