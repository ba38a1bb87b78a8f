"""Fidelity by factor: which factors of a rendered face are left in its reconstruction."""

import numpy as np

from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.evaluation.record import FactorFidelity, Fidelity
from vae_keras.plots import reading_rows

KEPT, LOST = 0.9, 0.5  # R2 of a reading from the reconstruction: at least, and below


def measured(context: EvaluationContext) -> Fidelity | None:
    """R2 of each factor, read off test images, their latents and their reconstructions; None for other images."""
    if not (read := context.factor_readings):
        return None
    factors: dict[str, FactorFidelity] = {
        name: {
            "image": one.image,
            "reconstruction": one.reconstruction,
            "standard_error": one.standard_error,
            "latents": one.latents,
        }
        for name, one in read.items()
    }
    return {
        "factors": factors,
        "mean": float(np.mean([one.reconstruction for one in read.values()])),
        "images": len(context.data.split.test),
    }


def fidelity(context: EvaluationContext) -> Evaluation:
    """A figure and the numbers of `measured`; empty for other images than rendered faces."""
    numbers = measured(context)
    if not numbers:
        return Evaluation({}, {})
    read = numbers["factors"].values()
    figure = reading_rows(
        [name.replace("_", " ") for name in numbers["factors"]],
        {
            "reconstruction": [one["reconstruction"] for one in read],
            "latents": [one["latents"] for one in read],
            "image": [one["image"] for one in read],
        },
        "What is left of each factor",
        f"R2: the share of a factor's variance that is read off {numbers['images']:,} test images, their posterior "
        f"means and their reconstructions. A network that was trained on rendered faces reads images and "
        f"reconstructions, kernel ridge regression reads posterior means. {' '.join(in_words(numbers))}",
        "R2",
    )
    return Evaluation({"fidelity.png": figure}, {"fidelity": numbers})


def in_words(numbers: Fidelity) -> list[str]:
    """Which factors are lost, partly lost and kept in reconstructions, in sentences."""
    shares = {name: one["reconstruction"] for name, one in numbers["factors"].items()}
    lost = [name for name, share in shares.items() if share < LOST]
    partly = [name for name, share in shares.items() if LOST <= share < KEPT]

    def listed(names: list[str]) -> str:
        ranked = sorted(names, key=shares.__getitem__)
        return ", ".join(f"{name.replace('_', ' ')} ({max(shares[name], 0):.0%} of it is left)" for name in ranked)

    sentences = []
    if lost:
        sentences.append(f"Reconstructions have lost: {listed(lost)}.")
    if partly:
        sentences.append(f"{'They' if lost else 'Reconstructions'} have partly lost: {listed(partly)}.")
    if not lost and not partly:
        sentences.append(f"Reconstructions keep all {len(shares)} factors: at least {KEPT:.0%} of each is left.")
    elif kept := len(shares) - len(lost) - len(partly):
        others = "the other factor" if kept == 1 else f"each of the other {kept} factors"
        sentences.append(f"They keep at least {KEPT:.0%} of {others}.")
    in_decoder = [name.replace("_", " ") for name in lost if numbers["factors"][name]["latents"] - shares[name] > 0.2]
    if in_decoder:
        sentences.append(f"The latents still know {', '.join(in_decoder)}, so the decoder loses it.")
    return sentences
