"""What a run's numbers say, in sentences: each follows from the numbers, and changes when they do.

Every function takes what metrics.json holds and gives sentences; none where the numbers are not there. The words that
a number earns are decided by the constants below. What an objective cost is in `objective_costs`, what the latents know
of labels and factors in `label_findings`.
"""

from itertools import pairwise
from statistics import median
from typing import NamedTuple

from vae_keras.config import Config
from vae_keras.evaluation.record import Record, baselines
from vae_keras.report.label_findings import attributes, disentanglement
from vae_keras.report.objective_costs import objective_cost
from vae_keras.report.words import ERRORS
from vae_keras.run_folder import Row, best_epoch

MOST_OF_KL = 0.9  # the share that "most of the KL" is
FEW_LATENTS = 0.5  # the KL is concentrated where at most so many of the latents carry most of it
NEAR_CEILING = 0.95  # of ln n, from where on the mutual information says nothing about the model
TIGHT = 0.05  # of the KL: the bound is tight where draws gain less
RISING = 0.95  # of all epochs: a best epoch later than this means that training stopped early
FLAT = 0.01  # of what training gained on validation: smaller falls are no falls
BLURRED_PSNR, BLURRED_SSIM = 22.0, 0.75  # dB; without unit
PALE = 0.9  # samples with a smaller share of the test images' contrast are flat
UNIFORM_BITS = 8.0


class Finding(NamedTuple):
    """Sentences about one question; none where nothing is known."""

    title: str
    sentences: list[str]


def findings(numbers: Record, history: list[Row], config: Config) -> list[Finding]:
    """All that can be said about a run."""
    return [
        Finding("Reconstructions and samples", quality(numbers)),
        Finding("Latents in use", latents_in_use(numbers)),
        Finding("What the KL is made of", kl_parts(numbers)),
        Finding("How tight the bound is", tightness(numbers)),
        Finding("Training and over-fitting", training(history)),
        Finding("Against a linear model", linear_baseline(numbers)),
        Finding(f"What the objective cost ({config.objective})", objective_cost(numbers, history, config)),
        Finding("Attributes", attributes(numbers)),
        Finding("Disentanglement", disentanglement(numbers)),
    ]


def quality(numbers: Record) -> list[str]:
    """PSNR, SSIM, bits per dimension, and how much contrast samples have."""
    test = numbers.get("test")
    if not test:
        return []
    psnr, ssim = test["psnr"], test["ssim"]
    # PSNR = -20 log10(root mean squared error)
    error = 10 ** (-psnr / 20)
    sentences = [
        f"Reconstructions of test images reach a PSNR of {psnr:.1f} dB, an error of about {error:.3f} a pixel on the "
        f"scale from 0 to 1, and an SSIM of {ssim:.3f}. {_reservation(psnr, ssim)}"
    ]
    if "bits_per_dim" in test:
        bits = test["bits_per_dim"]
        verdict = "fewer" if bits < UNIFORM_BITS else "no fewer"
        sentences.append(
            f"A test image costs at most {bits:.2f} bits per pixel and channel, {verdict} than the "
            f"{UNIFORM_BITS:g} bits of a uniform guess."
        )
    else:
        sentences.append("The likelihood is no density on grey values, so there are no bits per dimension.")
    contrast = numbers.get("samples", {}).get("pixel_standard_deviation")
    if contrast and contrast["test"] > 0:
        share = contrast["samples"] / contrast["test"]
        judged = "flatter than the images they should resemble" if share < PALE else "about as rich in contrast"
        sentences.append(f"Samples have {share:.0%} of the test images' contrast: they are {judged}.")
    return sentences


def _reservation(psnr: float, ssim: float) -> str:
    """What PSNR and SSIM let one say: that an image is blurred, but never that all its features are there."""
    if psnr < BLURRED_PSNR or ssim < BLURRED_SSIM:
        return "At such values reconstructions are visibly blurred."
    return (
        "Both are averages over whole images. Small features, such as a mouth or brows, can be blurred or lost at any "
        "value, so look at the reconstructions."
    )


def latents_in_use(numbers: Record) -> list[str]:
    """How many latents are active, and how many carry most of the KL."""
    if "latents" not in numbers or "test" not in numbers:
        return []
    kl, active = numbers["latents"]["kl"], numbers["test"]["active_units"]
    total, count = sum(kl), len(kl)
    if active == 0:
        sentences = [
            f"None of the {count} latents is active: the posterior has collapsed to the prior, and every image is "
            f"decoded alike."
        ]
    elif active < count:
        sentences = [
            f"{active} of {count} latents are active; the other {count - active} say next to nothing about the image "
            f"and could be left out."
        ]
    else:
        sentences = [f"All {count} latents are active; whether more would be of use, a run with more can tell."]
    if total > 0:
        order = sorted(range(count), key=lambda latent: -kl[latent])
        carriers = next(n for n in range(1, count + 1) if sum(kl[j] for j in order[:n]) >= MOST_OF_KL * total - 1e-9)
        spread = "concentrated on few latents" if carriers <= FEW_LATENTS * count else "spread over most latents"
        sentences.append(
            f"{carriers} of {count} carry {MOST_OF_KL:.0%} of the KL of {total:.1f} nats: it is {spread}. The largest "
            f"share, {kl[order[0]] / total:.0%}, is that of z{order[0]}."
        )
    return sentences


def kl_parts(numbers: Record) -> list[str]:
    """Mutual information, total correlation and dimension-wise KL."""
    split = numbers.get("kl_split")
    if not split:
        return []
    information, correlation, own = (
        split[name] for name in ("mutual_information", "total_correlation", "dimension_wise_kl")
    )
    ceiling, images = split["ceiling"], split["images"]
    sentences = [
        f"The KL of {split['kl']:.1f} nats is {information['value']:.2f} nats of mutual information between image and "
        f"latents, {correlation['value']:.2f} of total correlation and {own['value']:.2f} of dimension-wise KL."
    ]
    capped = information["value"] >= NEAR_CEILING * ceiling
    if capped:
        sentences.append(
            f"The mutual information is at its ceiling, ln {images:,} = {ceiling:.2f} nats: the latents tell all "
            f"{images:,} images apart. How much more they know cannot be seen on so few, and what lies above the "
            f"ceiling swells the other two parts."
        )
    else:
        sentences.append(
            f"The mutual information stays below its ceiling, ln {images:,} = {ceiling:.2f} nats: the latents take "
            f"some images for each other, and the three parts can be read as they are."
        )
    if correlation["value"] <= ERRORS * correlation["standard_error"]:
        sentences.append("The total correlation cannot be told from zero: no latent is seen to depend on others.")
    else:
        caution = "; part of it is the ceiling's doing" if capped else ""
        sentences.append(
            f"The total correlation is {correlation['value']:.2f} +- {correlation['standard_error']:.2f} nats: over "
            f"the images the latents depend on each other{caution}."
        )
    return sentences


def tightness(numbers: Record) -> list[str]:
    """What the importance-weighted bound gains over the ELBO."""
    bound = numbers.get("importance_weighted")
    if not bound:
        return []
    gain, kl = bound["bound"] - bound["elbo"], numbers["test"]["kl"] if "test" in numbers else 0.0
    measured = (
        f"On {bound['images']:,} test images {bound['samples']} draws give a bound of {bound['bound']:.1f} nats, the "
        f"ELBO is {bound['elbo']:.1f}"
    )
    if gain <= 0:
        return [f"{measured}: no gap can be seen beyond the noise of the draws."]
    if gain < TIGHT * kl:
        return [f"{measured}: a gain of {gain:.1f} nats, below {TIGHT:.0%} of the KL. As far as they see, it is tight."]
    return [
        f"{measured}: by about {gain:.1f} nats at least the ELBO lies below log p(x), because the true posterior is no "
        f"diagonal Gaussian or the encoder misses the best one."
    ]


def training(history: list[Row]) -> list[str]:
    """Train against validation at the best and the last epoch, and where the validation ELBO was going."""
    if not history:
        return []
    if "val_elbo" not in history[-1]:
        return ["The run has no validation images, so its history cannot show over-fitting; the last epoch was kept."]
    best, last = history[best_epoch(history) - 1], history[-1]
    sentences = [f"{_gap_at('best', best)}."]
    if best["epoch"] == last["epoch"]:
        return [*sentences, "The last epoch is the best: the validation ELBO was still rising; more epochs may help."]
    sentences.append(f"{_gap_at('last', last)}.")
    fall, rise = best["val_elbo"] - last["val_elbo"], last["elbo"] - best["elbo"]
    gained = best["val_elbo"] - history[0]["val_elbo"]
    noticeable = max(FLAT * gained, ERRORS * jitter(history))
    fell = f"After epoch {best['epoch']:g} the validation ELBO fell by {fall:.1f} nats"
    if fall > noticeable and rise > 0:
        sentences.append(
            f"{fell} while that of train rose by {rise:.1f}: from there on the model over-fits. The best epoch is kept."
        )
    elif fall > noticeable:
        sentences.append(f"{fell}, and that of train by {-rise:.1f}: training was unsteady; a smaller --lr may help.")
    elif best["epoch"] > RISING * last["epoch"]:
        sentences.append("The best epoch is among the last: the validation ELBO had hardly stopped rising.")
    else:
        sentences.append(
            f"{fell}, next to nothing beside the {gained:.1f} that it had gained: it was flat, and more epochs alone "
            f"would not help."
        )
    return sentences


def jitter(history: list[Row]) -> float:
    """By how many nats the validation ELBO usually changes from one epoch to the next."""
    return median(abs(after["val_elbo"] - before["val_elbo"]) for before, after in pairwise(history))


def _gap_at(which: str, row: Row) -> str:
    gap = row["elbo"] - row["val_elbo"]
    side = f"{gap:.1f} nats lower on validation" if gap > 0 else "no lower on validation"
    return (
        f"At the {which} epoch, {row['epoch']:g}, the ELBO is {row['elbo']:.1f} nats on train and "
        f"{row['val_elbo']:.1f} on validation, {side}"
    )


def linear_baseline(numbers: Record) -> list[str]:
    """The verdict, and what follows from it."""
    test = numbers.get("test")
    linear = next(iter(baselines(numbers).values()), None)
    if not test or not linear:
        return []
    if "elbo" in linear:
        margin, unit = test["elbo"] - linear["elbo"], "nats"
    else:
        margin, unit = test["psnr"] - linear["psnr"], "dB"
    if margin > 0:
        meaning = f"The margin of {margin:.1f} {unit} is what the network's non-linearity gains on unseen images."
    else:
        meaning = (
            f"It lacks {-margin:.1f} {unit}: on unseen images the network's non-linearity gains nothing yet. Try more "
            f"images, --flip, --shift or more epochs."
        )
    return [linear["verdict"], meaning]
