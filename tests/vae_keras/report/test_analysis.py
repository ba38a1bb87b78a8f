"""Each sentence both ways: numbers that make it say one thing, numbers that make it say the other.

Two texts say the same if they differ in their numbers only. One word of each verdict tells which of the two it is.
"""

import math
import re

import numpy as np
import pytest

from vae_keras.config import Config
from vae_keras.objectives import OBJECTIVES
from vae_keras.report import analysis
from vae_keras.report.analysis import findings
from vae_keras.report.label_findings import auc_error

TEST = {
    "elbo": -650.0,
    "reconstruction_nll": 640.0,
    "kl": 10.0,
    "psnr": 25.0,
    "ssim": 0.8,
    "active_units": 4,
    "images": 400,
}


NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")


def told(sentences):
    return " ".join(sentences)


def verdict(text):
    """The text without its numbers."""
    return NUMBER.sub("#", text)


def numbers_in(text):
    return {float(number.replace(",", "")) for number in NUMBER.findall(text)}


def quality(contrast=None, **changes):
    samples = {"samples": {"pixel_standard_deviation": contrast}} if contrast else {}
    return told(analysis.quality({"test": TEST | changes, **samples}))


def test_no_average_over_pixels_says_that_features_are_kept():
    blurred, best = quality(psnr=21.0, ssim=0.95), quality(psnr=60.0, ssim=0.999)
    assert verdict(quality(psnr=31.0, ssim=0.7)) == verdict(blurred)
    assert verdict(quality(psnr=22.0, ssim=0.75)) == verdict(best) != verdict(blurred)
    assert not {"sharp", "kept"} & {*best.split()}
    assert "lost" in best
    assert {20.0, 0.1} <= numbers_in(quality(psnr=20.0))  # dB, and the error of a pixel


def test_bits_are_compared_with_a_uniform_distribution_or_are_not_defined():
    fewer, more = quality(bits_per_dim=4.2), quality(bits_per_dim=8.3)
    assert {4.2, 8.0} <= numbers_in(fewer)
    assert {8.3, 8.0} <= numbers_in(more)
    assert "no fewer" in more
    assert "no fewer" not in fewer
    assert "not defined" in quality()


def test_samples_have_the_contrast_of_test_images_or_less():
    less, same = quality({"samples": 0.1, "test": 0.2}), quality({"samples": 0.19, "test": 0.2})
    assert 50.0 in numbers_in(less)  # per cent
    assert 95.0 in numbers_in(same)
    assert "less contrast" in less
    assert "less contrast" not in same
    assert "samples" not in quality()


def latents(kl, active):
    return told(analysis.latents_in_use({"latents": {"kl": kl}, "test": TEST | {"active_units": active}}))


def test_latents_in_use_are_all_some_or_none():
    assert latents([1, 1, 1, 1], 4).startswith("All 4 ")
    assert latents([1, 1, 1, 0], 3).startswith("3 of 4 ")
    collapsed = latents([0, 0, 0, 0], 0)
    assert collapsed.startswith("None of the 4 ")
    assert numbers_in(collapsed) == {4.0}  # and not a word on shares of a KL of zero


def test_the_kl_is_spread_or_concentrated():
    assert "4 of 4 latents carry 90%" in latents([1, 1, 1, 1], 4)
    assert "spread" in latents([1, 1, 1, 1], 4)
    concentrated = latents([0.5, 9.1, 0.2, 0.2], 4)
    assert "1 of 4 latents carry 90%" in concentrated
    assert "concentrated" in concentrated
    assert "z1" in concentrated
    assert {10.0, 91.0} <= numbers_in(concentrated)  # nats, and per cent of the largest share
    assert "2 of 4 latents carry 90%" in latents([0.5, 8.9, 0.3, 0.3], 4)


def split(information, correlation, error=0.1, images=1000):
    part = {"standard_error": error}
    parts = {
        "mutual_information": {"value": information, **part},
        "total_correlation": {"value": correlation, **part},
        "dimension_wise_kl": {"value": 1.0, **part},
    }
    return {"kl_split": {**parts, "kl": 10.0, "ceiling": math.log(images), "images": images}}


def test_the_mutual_information_is_at_its_ceiling_or_below():
    at_ceiling, below = (told(analysis.kl_parts(split(information, 2.0))) for information in (6.9, 5.0))
    assert 6.91 in numbers_in(at_ceiling)
    assert 6.91 in numbers_in(below)
    assert "below its ceiling" in below
    assert "below its ceiling" not in at_ceiling
    # The total correlation that follows is doubtful only where the first part may have spilt into it.
    assert at_ceiling.count("from the ceiling") > below.count("from the ceiling")


def test_the_total_correlation_differs_from_zero_or_does_not():
    dependent, independent = (told(analysis.kl_parts(split(5.0, correlation))) for correlation in (2.0, 0.15))
    assert "2.00 +- 0.10 nats" in dependent
    assert "not differ from zero" in independent
    assert "not differ from zero" not in dependent


def bound(value, kl=10.0):
    held = {"bound": value, "elbo": -650.0, "samples": 64, "images": 40}
    return told(analysis.tightness({"importance_weighted": held, "test": TEST | {"kl": kl}}))


def test_the_bound_is_tight_or_loose_or_lost_in_noise():
    loose, tight, lost = bound(-648.0), bound(-649.8), bound(-650.5)
    assert 2.0 in numbers_in(loose)
    assert "tight" in tight
    assert verdict(tight) == verdict(bound(-648.0, kl=100.0))
    assert "noise" in lost
    assert len({verdict(loose), verdict(tight), verdict(lost)}) == 3


def history(validation, train=None):
    train = np.linspace(-700, -600, len(validation)) if train is None else train
    rows = zip(train, validation, strict=True)
    return [{"epoch": n, "elbo": float(a), "val_elbo": float(b), "kl": 9.0} for n, (a, b) in enumerate(rows, 1)]


def test_training_over_fits_where_validation_falls_and_train_rises():
    rising = np.linspace(-700, -640, 10)
    falling = np.linspace(-640, -670, 10)
    both = [*rising, *falling]
    over = told(analysis.training(history(both)))
    assert {10.0, 30.0} <= numbers_in(over)  # the epoch, and the fall in nats
    assert "over-fits" in over
    unsteady = told(analysis.training(history(both, [*rising, *falling])))
    assert "unsteady" in unsteady
    assert "over-fits" not in unsteady


def test_training_stopped_too_early_or_on_a_plateau():
    rising = told(analysis.training(history(np.linspace(-700, -640, 20))))
    assert "still rising" in rising
    assert rising.count("-640.0") == 1  # the last epoch is the best: its ELBO is told once
    plateau = told(analysis.training(history([*np.linspace(-700, -640, 10), *[-640.1, -640.2] * 15])))
    assert "flat" in plateau
    nearly = told(analysis.training(history([*np.linspace(-700, -640, 39), -640.1])))
    assert "just stopped rising" in nearly


def test_a_fall_within_the_usual_changes_is_no_over_fitting():
    noisy = [-700, -660, *[-650, -646] * 10, -640, -646]
    assert "over-fits" not in told(analysis.training(history(noisy)))
    assert analysis.jitter(history(noisy)) == pytest.approx(4.0)


def test_the_gap_between_train_and_validation_is_told_at_both_epochs():
    text = told(analysis.training(history([-700, -650, -690], [-690, -660, -600])))
    best, last = text.split(". ")[:2]
    assert {2.0, -660.0, -650.0} == numbers_in(best)
    assert {3.0, -600.0, -690.0, 90.0} == numbers_in(last)
    unvalidated = [{"epoch": 1, "elbo": -1.0, "kl": 0.0}]
    assert "no validation images" in told(analysis.training(unvalidated))


def test_the_linear_baseline_wins_or_loses():
    ours = {"test": TEST}
    wins = told(analysis.linear_baseline(ours | {"pca": {"psnr": 23.0, "verdict": "V."}}))
    assert wins.startswith("V. ")
    assert "gains 2.0 dB" in wins
    loses = told(analysis.linear_baseline(ours | {"linear_vae": {"elbo": -600.0, "psnr": 1.0, "verdict": "V."}}))
    assert "50.0 nats worse" in loses


def labelled(auc, images=400, has=1000, total=2000):
    dataset = {"parts": {"train": total}, "labels": {"smile": has}}
    numbers = {"test": TEST | {"images": images}, "attributes": {"smile": {"auc": auc}}, "dataset": dataset}
    return told(analysis.attributes(numbers))


def test_attributes_are_separated_well_weakly_or_not_at_all():
    assert "well (AUC of 0.9 or more): smile (0.95)" in labelled(0.95)
    assert "weak: smile (0.60)" in labelled(0.6)
    by_chance = labelled(0.55)
    assert "not better than chance" in by_chance
    assert 400.0 in numbers_in(by_chance)
    # What is beyond chance on many images is not on few, or where hardly any has the label.
    assert verdict(by_chance) == verdict(labelled(0.6, images=40)) == verdict(labelled(0.6, has=20))


def test_the_error_of_the_auc_of_random_scores_is_their_standard_deviation():
    random = np.random.default_rng(0)
    labels = np.arange(60) < 15
    ranks = random.normal(size=(4_000, 60)).argsort(axis=1).argsort(axis=1) + 1
    # The rank sum of those with the label, less its least value, over the number of pairs
    found = (ranks[:, labels].sum(axis=1) - 15 * 16 / 2) / (15 * 45)
    assert auc_error(60, 0.25) == pytest.approx(np.std(found), rel=0.06)


def test_factors_are_carried_by_one_latent_by_several_or_by_none():
    known = {
        "factors": ["yaw", "jaw", "hair"],
        "information_shares": [[0.02, 0.30, 0.05], [0.62, 0.25, 0.01], [0.10, 0.02, 0.08]],
        "scores": {"mutual_information_gap": {"value": 0.3, "standard_error": 0.01}},
    }
    one, several, none, gap = analysis.disentanglement({"disentanglement": known})
    assert ": yaw (z1, 62%)." in one
    assert ": jaw (z0, 30%)." in several
    assert ": hair." in none
    assert "0.300 +- 0.010" in gap
    known["scores"]["mutual_information_gap"]["value"] = 0.015
    by_chance = analysis.disentanglement({"disentanglement": known})[-1]
    assert "not differ" in by_chance
    assert "not differ" not in gap


def cost(numbers=None, rows=(), **settings):
    config = Config.of(**settings).checked()
    return told(analysis.objective_cost({"test": TEST} if numbers is None else numbers, list(rows), config))


def test_the_kl_is_a_share_of_the_loss_where_the_reconstruction_is_a_cost():
    assert {10.0, 1.54} <= numbers_in(cost())  # nats, and per cent of the loss
    density = cost({"test": TEST | {"reconstruction_nll": -640.0}}, likelihood="gaussian")
    assert 1.54 not in numbers_in(density)
    assert "not a share" in density


def test_beta_has_a_price_and_a_normalised_value():
    dear = cost(objective="beta_vae", beta=4.0, image_size=32, latent_dim=8)
    # beta, the normalised one, the latents, the pixels; the KL term in nats and in per cent
    assert {4.0, 0.0312, 8.0, 1024.0, 40.0, 5.88} <= numbers_in(dear)
    cheap, usual = (cost(objective="beta_vae", beta=beta) for beta in (0.5, 1.0))
    assert "no bound" in cheap
    assert "no bound" not in dear + usual
    assert "that of the VAE" in usual


def test_the_capacity_is_held_or_missed():
    def annealed(kl):
        return cost(rows=[{"epoch": 1, "elbo": 0.0, "kl": kl}], objective="annealed_vae", capacity=25.0)

    assert "above" not in annealed(25.9)
    assert "below" not in annealed(25.9)
    assert "2.0 nats above the capacity; a larger --gamma" in annealed(27.0)
    assert "5.0 nats below the capacity; more epochs" in annealed(20.0)


@pytest.mark.parametrize(("objective", "price"), [("beta_tc_vae", "beta = 6"), ("factor_vae", "gamma = 10")])
def test_total_correlation_that_was_paid_for_is_gone_or_left(objective, price):
    much, little = (cost({"test": TEST} | split(5.0, left), objective=objective) for left in (2.0, 0.5))
    assert price in much
    assert "2.00 +- 0.10 nats of total correlation" in much
    assert "0.50 +- 0.10 nats of total correlation are left: little" in little
    assert "little" not in much
    assert "not measured" in cost(objective=objective)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_has_its_sentences(objective):
    assert cost(objective=objective, rows=[{"kl": 3.0}])


def test_nothing_is_said_of_what_is_not_known():
    assert all(found.sentences == [] for found in findings({}, [], Config().checked()))
