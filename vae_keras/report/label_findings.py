"""Sentences on the information that latents have about labels and factors."""

import math

from vae_keras.evaluation.record import Record
from vae_keras.metrics.discrete import LEAST_SHARE
from vae_keras.report.words import ERRORS, listed

STRONG_AUC = 0.9
STANDS_OUT = 2.0  # a latent stands out if its share is this many times the second largest share


def attributes(numbers: Record) -> list[str]:
    """Sentences on the labels that a direction in latent space separates, by the AUC on the test images."""
    labels = {name: label for name, label in numbers.get("attributes", {}).items() if "auc" in label}
    if not labels or "test" not in numbers:
        return []
    images = numbers["test"]["images"]
    grades: dict[str, list[str]] = {"well": [], "weakly": [], "not": []}
    for name, label in sorted(labels.items(), key=lambda item: -item[1]["auc"]):
        chance = 0.5 + ERRORS * auc_error(images, _share_of(name, numbers))
        grade = "well" if label["auc"] >= STRONG_AUC else "weakly" if label["auc"] > chance else "not"
        grades[grade].append(f"{name} ({label['auc']:.2f})")
    sentences = []
    if grades["well"]:
        sentences.append(
            f"These directions separate the test images well (AUC of {STRONG_AUC} or more): {listed(grades['well'])}."
        )
    if grades["weakly"]:
        sentences.append(f"These directions are better than chance, but weak: {listed(grades['weakly'])}.")
    if grades["not"]:
        sentences.append(
            f"On {images:,} test images, these directions are not better than chance (AUC 0.5) by more than the error: "
            f"{listed(grades['not'])}. A figure in which such a direction is added to faces shows nothing about the "
            f"attribute."
        )
    return sentences


def auc_error(images: int, share: float) -> float:
    """Standard deviation of the AUC of random scores (Mann & Whitney 1947).

    Args:
        images: the number of images.
        share: the share of the images that have the label.
    """
    has = min(max(1.0, images * share), images - 1.0)
    return math.sqrt((images + 1) / (12 * has * (images - has)))


def _share_of(label: str, numbers: Record) -> float:
    dataset = numbers.get("dataset", {})
    total = sum(dataset.get("parts", {}).values())
    return dataset.get("labels", {}).get(label, total / 2) / total if total else 0.5


def disentanglement(numbers: Record) -> list[str]:
    """Sentences on the factors that one latent carries, that several latents share, or that no latent carries."""
    known = numbers.get("disentanglement")
    if not known:
        return []
    kinds: dict[str, list[str]] = {"one": [], "several": [], "none": []}
    for factor, shares in zip(known["factors"], zip(*known["information_shares"], strict=True), strict=True):
        first, second = sorted(shares, reverse=True)[:2] if len(shares) > 1 else (shares[0], 0.0)
        kind = "none" if first < LEAST_SHARE else "one" if first >= STANDS_OUT * second else "several"
        kinds[kind].append(factor if kind == "none" else f"{factor} (z{shares.index(first)}, {first:.0%})")
    sentences = []
    if kinds["one"]:
        sentences.append(
            f"One latent stands out for each of these factors: {listed(kinds['one'])}. It carries at least "
            f"{STANDS_OUT:g} times as much of the factor's entropy as any other latent."
        )
    if kinds["several"]:
        sentences.append(
            f"Several latents share each of these factors: {listed(kinds['several'])}. The best latent carries less "
            f"than {STANDS_OUT:g} times as much of the factor's entropy as the second."
        )
    if kinds["none"]:
        sentences.append(
            f"No single latent carries {LEAST_SHARE:.0%} of the entropy of these factors: {listed(kinds['none'])}."
        )
    if gap := known["scores"].get("mutual_information_gap"):
        beyond = gap["value"] > ERRORS * gap["standard_error"]
        verdict = "differs" if beyond else "does not differ"
        sentences.append(
            f"The mutual information gap, on a scale from 0 to 1, is {gap['value']:.3f} +- "
            f"{gap['standard_error']:.3f}: it {verdict} from zero by more than {ERRORS:g} standard errors. The "
            f"standard error is over images; training with another seed may change the gap by more."
        )
    return sentences
