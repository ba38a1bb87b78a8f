"""What the latents know of labels and factors, in sentences."""

import math

from vae_keras.evaluation.information import LEAST_SHARE
from vae_keras.evaluation.record import Record
from vae_keras.report.words import ERRORS, listed

STRONG_AUC = 0.9
OWN = 2.0  # times the runner-up's share: a latent with more has a factor to itself


def attributes(numbers: Record) -> list[str]:
    """Which labels are directions in latent space, by the AUC on the test images."""
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
            f"Directions that separate unseen images well (AUC from {STRONG_AUC}): {listed(grades['well'])}."
        )
    if grades["weakly"]:
        sentences.append(f"Better than chance, but no more: {listed(grades['weakly'])}.")
    if grades["not"]:
        sentences.append(
            f"Not to be told from chance, 0.5, on {images:,} images: {listed(grades['not'])}; adding such a direction "
            f"to a face proves nothing."
        )
    return sentences


def auc_error(images: int, share: float) -> float:
    """Standard deviation of the AUC of a coin's scores (Mann & Whitney 1947), for so many images of this share."""
    has = min(max(1.0, images * share), images - 1.0)
    return math.sqrt((images + 1) / (12 * has * (images - has)))


def _share_of(label: str, numbers: Record) -> float:
    dataset = numbers.get("dataset", {})
    total = sum(dataset.get("parts", {}).values())
    return dataset.get("labels", {}).get(label, total / 2) / total if total else 0.5


def disentanglement(numbers: Record) -> list[str]:
    """Which factors one latent carries, which several share, which none does."""
    known = numbers.get("disentanglement")
    if not known:
        return []
    kinds: dict[str, list[str]] = {"one": [], "several": [], "none": []}
    for factor, shares in zip(known["factors"], zip(*known["information_shares"], strict=True), strict=True):
        first, second = sorted(shares, reverse=True)[:2] if len(shares) > 1 else (shares[0], 0.0)
        kind = "none" if first < LEAST_SHARE else "one" if first >= OWN * second else "several"
        kinds[kind].append(factor if kind == "none" else f"{factor} (z{shares.index(first)}, {first:.0%})")
    sentences = []
    if kinds["one"]:
        sentences.append(
            f"For {listed(kinds['one'])} one latent stands out: it has at least {OWN:g} times as much as the next."
        )
    if kinds["several"]:
        sentences.append(
            f"Several latents share {listed(kinds['several'])}: the first has less than {OWN:g} times as much as the "
            f"next."
        )
    if kinds["none"]:
        sentences.append(f"No latent by itself carries {LEAST_SHARE:.0%} of {listed(kinds['none'])}.")
    if gap := known["scores"].get("mutual_information_gap"):
        beyond = gap["value"] > ERRORS * gap["standard_error"]
        verdict = "above zero by more than its error" if beyond else "not to be told from zero"
        sentences.append(
            f"The mutual information gap, on a scale from 0 to 1, is {gap['value']:.3f} +- "
            f"{gap['standard_error']:.3f}: {verdict}. The error is that of the images; another seed of training may "
            f"change it by more."
        )
    return sentences
