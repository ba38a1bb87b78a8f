"""Each sentence both ways: numbers that make it say one thing, numbers that make it say the other."""

import math

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


def told(sentences):
    return " ".join(sentences)


def quality(contrast=None, **changes):
    samples = {"samples": {"pixel_standard_deviation": contrast}} if contrast else {}
    return told(analysis.quality({"test": TEST | changes, **samples}))


def test_no_average_over_pixels_says_that_features_are_kept():
    assert "visibly blurred" in quality(psnr=21.0, ssim=0.95)
    assert "visibly blurred" in quality(psnr=31.0, ssim=0.7)
    for psnr, ssim in ((22.0, 0.75), (31.0, 0.95), (60.0, 0.999)):
        best = quality(psnr=psnr, ssim=ssim)
        assert "can be blurred or lost at any value" in best
        assert "sharp" not in best
        assert "kept" not in best
    assert "PSNR of 20.0 dB" in quality(psnr=20.0)
    assert "an error of about 0.100 per pixel" in quality(psnr=20.0)


def test_bits_are_compared_with_a_uniform_distribution_or_are_not_defined():
    assert "4.20 bits per pixel and channel for a test image. This is fewer than the 8 bits" in quality(
        bits_per_dim=4.2
    )
    assert "8.30 bits per pixel and channel for a test image. This is no fewer" in quality(bits_per_dim=8.3)
    assert "bits per dimension are not defined" in quality()


def test_samples_have_the_contrast_of_test_images_or_less():
    assert "50% as large in samples as in test images: samples have clearly less contrast" in quality(
        {"samples": 0.1, "test": 0.2}
    )
    assert "95% as large in samples as in test images: samples have about the same contrast" in quality(
        {"samples": 0.19, "test": 0.2}
    )
    assert "samples" not in quality()


def latents(kl, active):
    return told(analysis.latents_in_use({"latents": {"kl": kl}, "test": TEST | {"active_units": active}}))


def test_latents_in_use_are_all_some_or_none():
    assert "All 4 latents are active" in latents([1, 1, 1, 1], 4)
    assert "3 of 4 latents are active. The other 1" in latents([1, 1, 1, 0], 3)
    assert "None of the 4 latents is active" in latents([0, 0, 0, 0], 0)
    assert "carry" not in latents([0, 0, 0, 0], 0)


def test_the_kl_is_spread_or_concentrated():
    assert "4 of 4 latents carry 90% of the KL of 4.0 nats: the KL is spread" in latents([1, 1, 1, 1], 4)
    concentrated = latents([0.5, 9.1, 0.2, 0.2], 4)
    assert "1 of 4 latents carry 90% of the KL of 10.0 nats: the KL is concentrated" in concentrated
    assert "Latent z1 has the largest share, 91%." in concentrated
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
    assert "at its ceiling, ln 1,000 = 6.91 nats" in told(analysis.kl_parts(split(6.9, 2.0)))
    assert "may come from the ceiling" in told(analysis.kl_parts(split(6.9, 2.0)))
    below = told(analysis.kl_parts(split(5.0, 2.0)))
    assert "is below its ceiling" in below
    assert "may come from the ceiling" not in below


def test_the_total_correlation_differs_from_zero_or_does_not():
    assert "2.00 +- 0.10 nats: the latents depend on each other" in told(analysis.kl_parts(split(5.0, 2.0)))
    assert "does not differ from zero" in told(analysis.kl_parts(split(5.0, 0.15)))


def bound(value, kl=10.0):
    held = {"bound": value, "elbo": -650.0, "samples": 64, "images": 40}
    return told(analysis.tightness({"importance_weighted": held, "test": TEST | {"kl": kl}}))


def test_the_bound_is_tight_or_loose_or_lost_in_noise():
    assert "the ELBO is at least about 2.0 nats below log p(x)" in bound(-648.0)
    assert "the ELBO is tight" in bound(-649.8)
    assert "the ELBO is tight" in bound(-648.0, kl=100.0)
    assert "hides any gap" in bound(-650.5)


def history(validation, train=None):
    train = np.linspace(-700, -600, len(validation)) if train is None else train
    rows = zip(train, validation, strict=True)
    return [{"epoch": n, "elbo": float(a), "val_elbo": float(b), "kl": 9.0} for n, (a, b) in enumerate(rows, 1)]


def test_training_over_fits_where_validation_falls_and_train_rises():
    rising = np.linspace(-700, -640, 10)
    falling = np.linspace(-640, -670, 10)
    both = [*rising, *falling]
    over = told(analysis.training(history(both)))
    assert "After epoch 10 the validation ELBO fell by 30.0 nats, and the train ELBO rose" in over
    assert "over-fits" in over
    unsteady = told(analysis.training(history(both, [*rising, *falling])))
    assert "training was unsteady" in unsteady
    assert "over-fits" not in unsteady


def test_training_stopped_too_early_or_on_a_plateau():
    rising = told(analysis.training(history(np.linspace(-700, -640, 20))))
    assert "still rising" in rising
    assert "At the last epoch" not in rising  # it is the best
    plateau = [*np.linspace(-700, -640, 10), *[-640.1, -640.2] * 15]
    assert "the validation ELBO was flat" in told(analysis.training(history(plateau)))
    nearly = [*np.linspace(-700, -640, 39), -640.1]
    assert "only just stopped rising" in told(analysis.training(history(nearly)))


def test_a_fall_within_the_usual_changes_is_no_over_fitting():
    noisy = [-700, -660, *[-650, -646] * 10, -640, -646]
    assert "over-fits" not in told(analysis.training(history(noisy)))
    assert analysis.jitter(history(noisy)) == pytest.approx(4.0)


def test_the_gap_between_train_and_validation_is_told_at_both_epochs():
    text = told(analysis.training(history([-700, -650, -690], [-690, -660, -600])))
    assert "best epoch (2), the ELBO is -660.0 nats on the training images and -650.0 nats on the validation" in text
    assert "it is not lower on validation" in text
    assert "last epoch (3), the ELBO is -600.0 nats on the training images and -690.0 nats on the validation" in text
    assert "it is 90.0 nats lower on validation" in text
    unvalidated = [{"epoch": 1, "elbo": -1.0, "kl": 0.0}]
    assert "no validation images" in told(analysis.training(unvalidated))


def test_the_linear_baseline_wins_or_loses():
    ours = {"test": TEST}
    wins = told(analysis.linear_baseline(ours | {"pca": {"psnr": 23.0, "verdict": "V."}}))
    assert wins.startswith("V. On unseen images, the non-linear network gains 2.0 dB")
    loses = told(analysis.linear_baseline(ours | {"linear_vae": {"elbo": -600.0, "psnr": 1.0, "verdict": "V."}}))
    assert "The VAE is 50.0 nats worse" in loses


def labelled(auc, images=400, has=1000, total=2000):
    dataset = {"parts": {"train": total}, "labels": {"smile": has}}
    numbers = {"test": TEST | {"images": images}, "attributes": {"smile": {"auc": auc}}, "dataset": dataset}
    return told(analysis.attributes(numbers))


def test_attributes_are_separated_well_weakly_or_not_at_all():
    assert "separate the test images well (AUC of 0.9 or more): smile (0.95)" in labelled(0.95)
    assert "better than chance, but weak: smile (0.60)" in labelled(0.6)
    assert "On 400 test images, these directions are not better than chance" in labelled(0.55)
    # What is beyond chance on many images is not on few, or where hardly any has the label.
    assert "not better than chance" in labelled(0.6, images=40)
    assert "not better than chance" in labelled(0.6, has=20)


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
    assert "One latent stands out for each of these factors: yaw (z1, 62%)." in one
    assert "Several latents share each of these factors: jaw (z0, 30%)." in several
    assert none == "No single latent carries 10% of the entropy of these factors: hair."
    assert "0.300 +- 0.010: it differs from zero" in gap
    known["scores"]["mutual_information_gap"]["value"] = 0.015
    assert "it does not differ from zero" in analysis.disentanglement({"disentanglement": known})[-1]


def cost(numbers=None, rows=(), **settings):
    config = Config.of(**settings).checked()
    return told(analysis.objective_cost({"test": TEST} if numbers is None else numbers, list(rows), config))


def test_the_kl_is_a_share_of_the_loss_where_the_reconstruction_is_a_cost():
    assert "the KL term is 10.0 nats, 1.54% of the loss" in cost()
    assert "not a share of their sum" in cost({"test": TEST | {"reconstruction_nll": -640.0}}, likelihood="gaussian")


def test_beta_has_a_price_and_a_normalised_value():
    dear = cost(objective="beta_vae", beta=4.0, image_size=32, latent_dim=8)
    assert "beta = 4, normalised 0.0312 (8 latents, 1,024 pixels and channels)" in dear
    assert "had to save 4 nats" in dear
    assert "the KL term is 40.0 nats, 5.88% of the loss" in dear
    assert "no bound of log p(x)" in cost(objective="beta_vae", beta=0.5)
    assert "the objective is that of the VAE" in cost(objective="beta_vae", beta=1.0)


def test_the_capacity_is_held_or_missed():
    def annealed(kl):
        return cost(rows=[{"epoch": 1, "elbo": 0.0, "kl": kl}], objective="annealed_vae", capacity=25.0)

    assert "the KL kept to the capacity" in annealed(25.9)
    assert "2.0 nats above the capacity; a larger --gamma holds it" in annealed(27.0)
    assert "5.0 nats below the capacity; more epochs" in annealed(20.0)


@pytest.mark.parametrize(("objective", "price"), [("beta_tc_vae", "beta = 6"), ("factor_vae", "gamma = 10")])
def test_total_correlation_that_was_paid_for_is_gone_or_left(objective, price):
    left = cost({"test": TEST} | split(5.0, 2.0), objective=objective)
    assert f"A nat of total correlation cost {price}" in left
    assert "Of a KL of 10.0 nats, 2.00 +- 0.10 nats of total correlation are left: more than a trace" in left
    assert "0.50 +- 0.10 nats of total correlation are left: little" in cost(
        {"test": TEST} | split(5.0, 0.5), objective=objective
    )
    assert "was not measured" in cost(objective=objective)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_has_its_sentences(objective):
    assert cost(objective=objective, rows=[{"kl": 3.0}])


def test_nothing_is_said_of_what_is_not_known():
    assert all(found.sentences == [] for found in findings({}, [], Config().checked()))
