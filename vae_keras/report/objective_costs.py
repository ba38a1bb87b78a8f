"""What a run paid for its objective: the price of a nat, and what was bought."""

import math
from collections.abc import Callable, Sequence

from vae_keras.config import Config
from vae_keras.report.words import Numbers
from vae_keras.runs import Row

HELD = 0.05  # of the capacity: a KL that is no farther off keeps to it
LITTLE = 0.1  # of the KL: a total correlation below is little


def objective_cost(numbers: Numbers, history: Sequence[Row], config: Config) -> list[str]:
    """Sentences about the run's objective; none without numbers on test images."""
    if "test" not in numbers:
        return []
    return COSTS[config.objective](numbers, history, config)


def _vae(numbers: Numbers, history: Sequence[Row], config: Config) -> list[str]:
    return ["The loss is the negative ELBO: a nat of KL costs a nat.", _share_of_kl(numbers, 1.0)]


def _beta_vae(numbers: Numbers, history: Sequence[Row], config: Config) -> list[str]:
    assert config.beta is not None
    beta, pixels = config.beta, math.prod(config.image_shape)
    # beta x latents / pixels (Higgins et al. 2017, section 4.2)
    normalised = beta * config.latent_dim / pixels
    if beta > 1:
        price = (
            f"a nat of KL had to save {beta:g} nats of reconstruction, so less is said about an image than a VAE says"
        )
    elif beta < 1:
        price = f"a nat of KL cost {beta:g} nats, so more is said than a VAE says, and the loss is no bound of log p(x)"
    else:
        price = "the objective is that of the VAE"
    return [
        f"With beta = {beta:g}, normalised {normalised:.3g} ({config.latent_dim} latents, {pixels:,} pixels and "
        f"channels), {price}.",
        _share_of_kl(numbers, beta),
        "The ELBO beside it is the bound itself, whatever beta is.",
    ]


def _annealed_vae(numbers: Numbers, history: Sequence[Row], config: Config) -> list[str]:
    assert config.capacity is not None
    if not history:
        return []
    kl, capacity = history[-1]["kl"], config.capacity
    stated = f"At the last epoch the KL on train is {kl:.1f} nats, the capacity {capacity:g}"
    if abs(kl - capacity) <= HELD * max(capacity, 1.0):
        return [f"{stated}: the capacity was held."]
    side = "above" if kl > capacity else "below"
    remedy = "a larger --gamma holds it" if kl > capacity else "more epochs, or a larger --gamma, may fill it"
    return [f"{stated}: the KL is {abs(kl - capacity):.1f} nats {side} it; {remedy}."]


def _beta_tc_vae(numbers: Numbers, history: Sequence[Row], config: Config) -> list[str]:
    return _priced_total_correlation(numbers, f"beta = {config.beta:g}")


def _factor_vae(numbers: Numbers, history: Sequence[Row], config: Config) -> list[str]:
    assert config.gamma is not None
    return _priced_total_correlation(numbers, f"gamma = {config.gamma:g}, on top of its share of the KL")


def _priced_total_correlation(numbers: Numbers, price: str) -> list[str]:
    split = numbers.get("kl_split")
    if not split:
        return [f"A nat of total correlation cost {price}; how much is left was not measured."]
    left, kl = split["total_correlation"]["value"], split["kl"]
    verdict = "little" if left < LITTLE * kl else "more than a trace"
    return [
        f"A nat of total correlation cost {price}. {left:.2f} +- {split['total_correlation']['standard_error']:.2f} "
        f"nats of it are left, of a KL of {kl:.1f}: {verdict}."
    ]


def _share_of_kl(numbers: Numbers, weight: float) -> str:
    """How much of the loss the KL is; a share only where the reconstruction is a cost, not a density's gain."""
    nll, kl = numbers["test"]["reconstruction_nll"], numbers["test"]["kl"]
    if nll <= 0:
        return (
            f"On test images the KL term is {weight * kl:.1f} nats beside a reconstruction of {nll:.1f} nats; as the "
            f"latter is negative, a density's, it is no share of a sum."
        )
    return f"On test images the KL term is {weight * kl:.1f} nats, {weight * kl / (nll + weight * kl):.2%} of the loss."


COSTS: dict[str, Callable[[Numbers, Sequence[Row], Config], list[str]]] = {
    "vae": _vae,
    "beta_vae": _beta_vae,
    "annealed_vae": _annealed_vae,
    "beta_tc_vae": _beta_tc_vae,
    "factor_vae": _factor_vae,
}
