"""The analysis of a run in sentences that are computed from its numbers.

Every function takes the record in metrics.json and returns sentences, or none if the record lacks the numbers. The
constants below decide which sentence a number gets. `objective_costs` has the sentences on the objective, and
`label_findings` those on labels and factors.
"""

from itertools import pairwise
from statistics import median
from typing import NamedTuple

from vae_keras.config import Config
from vae_keras.evaluation.fidelity import in_words
from vae_keras.evaluation.record import Record, baselines
from vae_keras.report.label_findings import attributes, disentanglement
from vae_keras.report.objective_costs import objective_cost
from vae_keras.report.words import ERRORS
from vae_keras.run_folder import Row, best_epoch

MOST_OF_KL = 0.9  # the share of the KL that counts as most of it
FEW_LATENTS = 0.5  # the KL is concentrated if at most this share of the latents carries most of it
NEAR_CEILING = 0.95  # share of ln n; from there on the estimate of the mutual information is limited by n
TIGHT = 0.05  # share of the KL; the ELBO is tight if the importance-weighted bound gains less
RISING = 0.95  # share of all epochs; if the best epoch is later, training stopped early
FLAT = 0.01  # share of the gain in validation ELBO; a smaller fall does not count
BLURRED_PSNR, BLURRED_SSIM = 22.0, 0.75  # PSNR in dB; below either, reconstructions are blurred
LOW_CONTRAST = 0.9  # share of the test images' contrast; samples with less have low contrast
UNIFORM_BITS = 8.0  # per pixel and channel: -log2(1/256)


class Finding(NamedTuple):
    """The sentences on one topic; an empty list if the record has no numbers about it."""

    title: str
    sentences: list[str]


def findings(numbers: Record, history: list[Row], config: Config) -> list[Finding]:
    """The findings on all topics, in the order of the report."""
    return [
        Finding("Reconstructions and samples", quality(numbers)),
        Finding("Latents in use", latents_in_use(numbers)),
        Finding("The three parts of the KL", kl_parts(numbers)),
        Finding("Tightness of the ELBO", tightness(numbers)),
        Finding("Training and over-fitting", training(history)),
        Finding("Comparison with a linear model", linear_baseline(numbers)),
        Finding(f"Cost of the objective ({config.objective})", objective_cost(numbers, history, config)),
        Finding("Attributes", attributes(numbers)),
        Finding("Disentanglement", disentanglement(numbers)),
    ]


def quality(numbers: Record) -> list[str]:
    """Sentences on PSNR, SSIM, the factors that are left, bits per dimension, and the contrast of samples."""
    test = numbers.get("test")
    if not test:
        return []
    psnr, ssim = test["psnr"], test["ssim"]
    # PSNR = -20 log10(root mean squared error)
    error = 10 ** (-psnr / 20)
    sentences = [
        f"Reconstructions of test images have a mean PSNR of {psnr:.1f} dB and a mean SSIM of {ssim:.3f}. This PSNR "
        f"corresponds to an error of about {error:.3f} per pixel, on the scale from 0 to 1. "
        f"{_reservation(psnr, ssim, 'fidelity' in numbers)}"
    ]
    if "fidelity" in numbers:
        sentences += in_words(numbers["fidelity"])
    if "bits_per_dim" in test:
        bits = test["bits_per_dim"]
        verdict = "fewer" if bits < UNIFORM_BITS else "no fewer"
        sentences.append(
            f"By the ELBO, the model needs at most {bits:.2f} bits per pixel and channel for a test image. This is "
            f"{verdict} than the {UNIFORM_BITS:g} bits of a uniform distribution over 256 grey values."
        )
    else:
        sentences.append("The likelihood is not a density on grey values, so bits per dimension are not defined.")
    contrast = numbers.get("samples", {}).get("pixel_standard_deviation")
    if contrast and contrast["test"] > 0:
        for name in (one for one in contrast if one != "test"):
            share = contrast[name] / contrast["test"]
            verdict = "clearly less contrast than" if share < LOW_CONTRAST else "about the same contrast as"
            sentences.append(
                f"The standard deviation of the pixels is {share:.0%} as large in {name} as in test images: {name} "
                f"have {verdict} test images."
            )
    if fitted := numbers.get("fitted_prior"):
        gain, error = fitted["gain"]["value"], fitted["gain"]["standard_error"]
        if gain > ERRORS * error:
            meaning = (
                "the latents of images do not fill the model's own prior, so a sample of it can lie where no image was "
                "encoded. Samples of the fitted prior have fewer such holes"
            )
        else:
            meaning = "the model's own prior describes the latents of images as well"
        sentences.append(
            f"With the fitted prior, a mixture of {fitted['components']} Gaussians, the ELBO changes by {gain:+.1f} "
            f"nats: {meaning}."
        )
    return sentences


def _reservation(psnr: float, ssim: float, measured: bool) -> str:
    """What PSNR and SSIM show: low values mean blur, but high values do not mean that every feature is there."""
    if psnr < BLURRED_PSNR or ssim < BLURRED_SSIM:
        return "At these values, reconstructions are visibly blurred."
    averages = "Both measures are averages over whole images. Small features, such as a mouth or eyebrows, can be"
    look = "" if measured else ", so look at the reconstructions"
    return f"{averages} blurred or lost at any value{look}."


def latents_in_use(numbers: Record) -> list[str]:
    """Sentences on the number of active latents, and on the number that carries most of the KL."""
    if "latents" not in numbers or "test" not in numbers:
        return []
    section, active = numbers["latents"], numbers["test"]["active_units"]
    nats = section["kl"] if "kl" in section else section.get("information", [])
    total, count = sum(nats), len(nats)
    if active == 0:
        sentences = [
            f"None of the {count} latents is active: the posterior has collapsed to the prior, and the decoder gives "
            f"nearly the same output for every image."
        ]
    elif active < count:
        sentences = [
            f"{active} of {count} latents are active. The other {count - active} have almost no information about the "
            f"image; a model with fewer latents may do as well."
        ]
    else:
        sentences = [
            f"All {count} latents are active. A run with a larger --latent-dim can show whether more latents help."
        ]
    if total > 0:
        order = sorted(range(count), key=lambda latent: -nats[latent])
        carriers = next(n for n in range(1, count + 1) if sum(nats[j] for j in order[:n]) >= MOST_OF_KL * total - 1e-9)
        spread = "concentrated on few latents" if carriers <= FEW_LATENTS * count else "spread over most latents"
        quantity = "KL" if "kl" in section else "information in single latents"
        sentences.append(
            f"{carriers} of {count} latents carry {MOST_OF_KL:.0%} of the {quantity} of {total:.1f} nats: the "
            f"{quantity} is {spread}. Latent z{order[0]} has the largest share, {nats[order[0]] / total:.0%}."
        )
        if "kl" not in section:
            sentences.append(
                f"This prior gives no KL of a single latent. The information of a latent is an upper bound of its "
                f"mutual information with the image, and the sum over latents is not the KL, "
                f"{numbers['test']['kl']:.1f} nats."
            )
    return sentences


def kl_parts(numbers: Record) -> list[str]:
    """Sentences on mutual information, total correlation and dimension-wise KL."""
    split = numbers.get("kl_split")
    if not split:
        return []
    information, correlation, own = (
        split[name] for name in ("mutual_information", "total_correlation", "dimension_wise_kl")
    )
    ceiling, images = split["ceiling"], split["images"]
    sentences = [
        f"The KL of {split['kl']:.1f} nats is the sum of {information['value']:.2f} nats of mutual information between "
        f"image and latents, {correlation['value']:.2f} nats of total correlation and {own['value']:.2f} nats of "
        f"dimension-wise KL."
    ]
    capped = information["value"] >= NEAR_CEILING * ceiling
    if capped:
        sentences.append(
            f"The mutual information is at its ceiling, ln {images:,} = {ceiling:.2f} nats: the latents distinguish "
            f"all {images:,} images. The true mutual information may be larger, but {images:,} images cannot show it. "
            f"Any excess over the ceiling is counted in the other two parts."
        )
    else:
        sentences.append(
            f"The mutual information is below its ceiling, ln {images:,} = {ceiling:.2f} nats: the latents do not "
            f"distinguish all images, and the ceiling does not limit the estimate."
        )
    if correlation["value"] <= ERRORS * correlation["standard_error"]:
        sentences.append(
            f"The total correlation does not differ from zero by more than {ERRORS:g} standard errors: these images "
            f"show no dependence between the latents."
        )
    else:
        caution = " Part of this value may come from the ceiling." if capped else ""
        sentences.append(
            f"The total correlation is {correlation['value']:.2f} +- {correlation['standard_error']:.2f} nats: the "
            f"latents depend on each other.{caution}"
        )
    return sentences


def tightness(numbers: Record) -> list[str]:
    """A sentence on the gain of the importance-weighted bound over the ELBO."""
    bound = numbers.get("importance_weighted")
    if not bound:
        return []
    gain, kl = bound["bound"] - bound["elbo"], numbers["test"]["kl"] if "test" in numbers else 0.0
    measured = (
        f"On {bound['images']:,} test images, the importance-weighted bound with {bound['samples']} draws is "
        f"{bound['bound']:.1f} nats, and the ELBO is {bound['elbo']:.1f} nats."
    )
    if gain <= 0:
        return [f"{measured} The bound is not larger than the ELBO: the noise of the draws hides any gap."]
    if gain < TIGHT * kl:
        return [
            f"{measured} The gain is {gain:.1f} nats, less than {TIGHT:.0%} of the KL: by this estimate the ELBO is "
            f"tight."
        ]
    return [
        f"{measured} So the ELBO is at least about {gain:.1f} nats below log p(x). Either the true posterior is not a "
        f"diagonal Gaussian, or the encoder does not find the best diagonal Gaussian."
    ]


def training(history: list[Row]) -> list[str]:
    """Sentences on the train and validation ELBO at the best and the last epoch, and on over-fitting."""
    if not history:
        return []
    if "val_elbo" not in history[-1]:
        return [
            "The run has no validation images, so its history cannot show over-fitting. The saved model is that of the "
            "last epoch."
        ]
    best, last = history[best_epoch(history) - 1], history[-1]
    sentences = [f"{_gap_at('best', best)}."]
    if best["epoch"] == last["epoch"]:
        return [
            *sentences,
            "The last epoch is the best: the validation ELBO was still rising, so more epochs may help.",
        ]
    sentences.append(f"{_gap_at('last', last)}.")
    fall, rise = best["val_elbo"] - last["val_elbo"], last["elbo"] - best["elbo"]
    gained = best["val_elbo"] - history[0]["val_elbo"]
    noticeable = max(FLAT * gained, ERRORS * jitter(history))
    fell = f"After epoch {best['epoch']:g} the validation ELBO fell by {fall:.1f} nats"
    if fall > noticeable and rise > 0:
        sentences.append(
            f"{fell}, and the train ELBO rose by {rise:.1f} nats: after that epoch, the model over-fits. The saved "
            f"model is that of the best epoch."
        )
    elif fall > noticeable:
        sentences.append(
            f"{fell}, and the train ELBO fell by {-rise:.1f} nats: training was unsteady. A smaller --lr may help."
        )
    elif best["epoch"] > RISING * last["epoch"]:
        sentences.append("The best epoch is among the last ones: the validation ELBO had only just stopped rising.")
    else:
        sentences.append(
            f"{fell}. This is small compared with its gain of {gained:.1f} nats before: the validation ELBO was flat, "
            f"and more epochs alone would not help."
        )
    return sentences


def jitter(history: list[Row]) -> float:
    """The median change of the validation ELBO from one epoch to the next, in nats."""
    return median(abs(after["val_elbo"] - before["val_elbo"]) for before, after in pairwise(history))


def _gap_at(which: str, row: Row) -> str:
    gap = row["elbo"] - row["val_elbo"]
    difference = f"{gap:.1f} nats lower" if gap > 0 else "not lower"
    return (
        f"At the {which} epoch ({row['epoch']:g}), the ELBO is {row['elbo']:.1f} nats on the training images and "
        f"{row['val_elbo']:.1f} nats on the validation images: it is {difference} on validation"
    )


def linear_baseline(numbers: Record) -> list[str]:
    """The result of the comparison, and what it means."""
    test = numbers.get("test")
    linear = next(iter(baselines(numbers).values()), None)
    if not test or not linear:
        return []
    if "elbo" in linear:
        margin, unit = test["elbo"] - linear["elbo"], "nats"
    else:
        margin, unit = test["psnr"] - linear["psnr"], "dB"
    if margin > 0:
        meaning = f"On unseen images, the non-linear network gains {margin:.1f} {unit} over the linear model."
    else:
        meaning = (
            f"The VAE is {-margin:.1f} {unit} worse: on unseen images, the non-linear network has no advantage yet. "
            f"Try more images, --flip, --shift or more epochs."
        )
    return [linear["verdict"], meaning]
