import json
import shutil
from importlib import import_module

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

import evaluate
from data.images import images_of
from vae_keras import feature_spaces
from vae_keras.config_file import load_config
from vae_keras.evaluation import Evaluation, EvaluationContext, overview
from vae_keras.evaluation.attribute import attribute_edit, attributes
from vae_keras.evaluation.directions import direction_of
from vae_keras.evaluation.fidelity import fidelity, in_words
from vae_keras.evaluation.latent_map import colours, latent_map
from vae_keras.evaluation.linear_baseline import linear_model_of, verdict
from vae_keras.evaluation.reconstructions import reconstructions
from vae_keras.evaluation.sample_quality import distances
from vae_keras.latent import decode_latents, encode_images
from vae_keras.likelihoods import LIKELIHOODS, Gaussian
from vae_keras.metrics import fit_linear_vae, frechet_distance, kernel_distance, psnr
from vae_keras.priors import Prior, StandardNormal
from vae_keras.run_data import read_data
from vae_keras.run_folder import Run, read_history
from vae_keras.runs import load_run

FIGURES = {
    "overview.png", "overview_smile.gif", "dataset.png", "curves.png", "reconstructions.png", "samples.png",
    "interpolation_spherical.png",
    "interpolation_spherical.gif", "traversal.png", "traversal.gif", "attribute_smile.png", "latent_map.png",
    "latents.png", "pca.png", "kl_split.png", "fidelity.png", "edits.png",
}  # fmt: skip


@pytest.fixture(scope="module")
def context(tiny_run):
    run = Run(tiny_run)
    config = load_config(run.config)
    return EvaluationContext(config, load_run(tiny_run), read_data(config, run.split), read_history(run))


@pytest.fixture(scope="module")
def numbers(evaluated_run):
    return json.loads(Run(evaluated_run).metrics.read_text())


def test_every_exhibit_is_a_figure_that_shows_something(evaluated_run):
    paths = list(Run(evaluated_run).figures.iterdir())
    assert {path.name for path in paths} == FIGURES
    for path in paths:
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("L"))
        assert min(pixels.shape) > 100
        assert pixels.std() > 10


def test_numbers_on_the_test_images_are_complete_and_consistent(numbers):
    test = numbers["test"]
    assert set(test) == {"elbo", "reconstruction_nll", "kl", "psnr", "ssim", "active_units", "images"}
    assert test["elbo"] == pytest.approx(-test["reconstruction_nll"] - test["kl"], rel=1e-6)
    assert test["images"] == 8
    latents = numbers["latents"]
    assert sum(latents["kl"]) == pytest.approx(test["kl"], rel=1e-5)
    assert len(latents["mean_std"]) == 4


def test_traversals_begin_with_the_latent_that_says_most(numbers):
    shown, kl = numbers["traversal"]["latents"], numbers["latents"]["kl"]
    in_order = sorted(range(4), key=lambda latent: -kl[latent])
    assert shown == ([latent for latent in in_order if kl[latent] >= 0.01] or in_order[:1])


def test_the_direction_is_fitted_on_train_and_tested_on_test(context, numbers):
    data = context.data
    label = data.dataset.label("smile")
    images = data.dataset.images.all()
    train, test = (encode_images(context.vae, images[part]).mean for part in (data.split.train, data.split.test))
    on_train, on_test = label[data.split.train], label[data.split.test]
    direction = train[on_train].mean(0) - train[~on_train].mean(0)
    shown = numbers["attributes"]["smile"]
    assert shown["auc"] == pytest.approx(roc_auc_score(on_test, test @ direction))
    assert shown["length"] == pytest.approx(np.linalg.norm(direction), rel=1e-5)
    names = [data.dataset.names[index] for index in data.split.test]
    assert set(shown["images"]) <= {name for name, has in zip(names, on_test, strict=True) if not has}


def test_every_label_with_both_sides_has_its_auc(context, numbers):
    labels, split = context.data.dataset.labels, context.data.split
    both = [labels[part].mean(axis=0) > 0 for part in (split.train, split.test)]
    both += [labels[part].mean(axis=0) < 1 for part in (split.train, split.test)]
    expected = np.array(context.data.dataset.label_names)[np.all(both, axis=0)]
    assert set(numbers["attributes"]) == set(expected)


def test_edits_of_several_attributes_add_up(context, monkeypatch):
    shown = {}
    monkeypatch.setattr(
        "vae_keras.evaluation.attribute.decode_latents",
        lambda vae, latents: shown.update(latents=latents) or np.zeros((*latents.shape[:-1], *vae.image_shape)),
    )
    evaluation = attribute_edit(context, {"smile": 2.0, "jaw": -1.0})
    assert list(evaluation.figures) == ["attribute_smile+2_jaw-1.png"]
    assert set(evaluation.numbers["attributes"]) == {"smile", "jaw"}
    as_it_is, smile, jaw, both = np.moveaxis(shown["latents"], 1, 0)
    np.testing.assert_allclose(both - as_it_is, (smile - as_it_is) + (jaw - as_it_is), atol=1e-5)
    means, split, dataset = context.train_posterior.mean, context.data.split, context.data.dataset
    has = dataset.label("jaw")[split.train]
    np.testing.assert_allclose((as_it_is - jaw)[0], means[has].mean(0) - means[~has].mean(0), atol=1e-5)


def test_sweep_and_edit_figures_are_written_by_the_script(tiny_run, tmp_path):
    run = Run(shutil.copytree(tiny_run, tmp_path / "run", ignore=shutil.ignore_patterns("figures")))
    for asked in ("smile,jaw", "smile=+2,jaw=-1"):
        assert evaluate.main(["--run", str(run.folder), "--attribute", asked]) == 0
    names = {path.name for path in run.figures.iterdir()}
    assert names == {"attribute_smile.png", "attribute_jaw.png", "attribute_smile+2_jaw-1.png"}


def test_a_label_is_taken_as_it_is_commas_and_all():
    (sweep,) = attributes("Doe, Jane", ["Doe, Jane", "a=b"])
    assert sweep.keywords == {"name": "Doe, Jane"}
    (sweep,) = attributes("a=b", ["Doe, Jane", "a=b"])
    assert sweep.keywords == {"name": "a=b"}


def test_maps_are_coloured_by_factor_label_or_class(context):
    dataset = context.data.dataset
    np.testing.assert_array_equal(colours(dataset, "yaw"), dataset.factors[:, dataset.factor_names.index("yaw")])
    np.testing.assert_array_equal(colours(dataset, None), dataset.classes)
    labelled = dataset._replace(factor_names=(), factors=dataset.factors[:, :0])
    np.testing.assert_array_equal(colours(labelled, "jaw"), dataset.label("jaw"))


def test_the_linear_model_is_fitted_on_train_with_as_many_latents(context, numbers):
    images, split = context.data.dataset.images.all() / np.float32(255), context.data.split
    model = fit_linear_vae(images[split.train], 4, 0.0)
    expected = psnr(images[split.test], np.clip(model.reconstruct(images[split.test]), 0, 1))
    assert numbers["pca"]["psnr"] == pytest.approx(expected, rel=1e-4)


def test_a_likelihood_is_compared_with_the_linear_model_that_shares_it():
    assert linear_model_of(Gaussian(0.03).build(), StandardNormal(4)).variance == 0.03
    assert linear_model_of(LIKELIHOODS["learned_gaussian"]().build(), StandardNormal(4)).variance is None
    for name in ("bernoulli", "continuous_bernoulli"):
        assert linear_model_of(LIKELIHOODS[name]().build(), StandardNormal(4)).key == "pca"
    assert "N(0, I)" not in linear_model_of(Gaussian(0.03).build(), StandardNormal(4)).why
    assert "N(0, I)" in linear_model_of(Gaussian(0.03).build(), Prior()).why


def test_a_vae_that_loses_says_so(context):
    linear = linear_model_of(Gaussian().build(), StandardNormal(4))
    worse, better = context.test_elbo.elbo - 1, context.test_elbo.elbo + 1
    assert verdict(context, linear, {"elbo": worse}).startswith("The VAE beats the linear VAE: test ELBO")
    assert verdict(context, linear, {"elbo": better}).startswith("The VAE loses to the linear VAE: test ELBO")
    assert "loses to PCA: test PSNR" in verdict(
        context, linear_model_of(context.vae.likelihood, context.vae.prior), {"psnr": 99.0}
    )


class PerfectReader:
    """Reads the factors of rendered faces without error, and nothing off other images."""

    def __init__(self, dataset):
        true = feature_spaces.standardised(dataset.factors)
        self.known = {image.tobytes(): row for image, row in zip(dataset.images.all(), true, strict=True)}

    def factors(self, images):
        pictures = images_of(images).all()
        return np.stack([self.known.get(image.tobytes(), np.zeros(13)) for image in pictures])


def again(context):
    """The same context, with nothing computed yet."""
    return EvaluationContext(context.config, context.vae, context.data, context.history)


def test_what_is_left_of_a_factor_is_read_off_images_and_reconstructions(context, monkeypatch):
    reader = PerfectReader(context.data.dataset)
    monkeypatch.setattr(feature_spaces, "factor_space", lambda channels, cache: reader)
    found = fidelity(again(context)).numbers["fidelity"]
    assert list(found["factors"]) == list(context.data.dataset.factor_names)
    for one in found["factors"].values():
        assert one["image"] == 1.0
        assert one["reconstruction"] <= 0
    assert found["mean"] == pytest.approx(np.mean([one["reconstruction"] for one in found["factors"].values()]))
    # A decoder that gives back its test images keeps all factors.
    monkeypatch.setattr("vae_keras.evaluation.context.decode_latents", lambda vae, latents: context.test_images.all())
    kept = fidelity(again(context))
    assert kept.numbers["fidelity"]["mean"] == 1.0
    assert "keep all 13 factors" in kept.figures["fidelity.png"].get_supxlabel()


def test_the_caption_of_reconstructions_says_what_they_have_lost(context, monkeypatch):
    monkeypatch.setattr(feature_spaces, "factor_space", lambda channels, cache: PerfectReader(context.data.dataset))
    fresh = again(context)
    caption = reconstructions(fresh).figures["reconstructions.png"].get_supxlabel()
    assert " ".join(in_words(fidelity(fresh).numbers["fidelity"])) in " ".join(caption.split())


def test_the_overview_shows_samples_reconstructions_the_edit_and_paths(context, monkeypatch):
    shown = {}
    draw = overview.contact_sheet
    monkeypatch.setattr(overview, "contact_sheet", lambda strips, *rest: (shown.update(strips), draw(strips, *rest))[1])
    made = overview.overview(context)
    invented, tested, edited, paths = shown.values()
    prior = context.fitted_prior
    latents = prior.sample(overview.SAMPLES, context.config.seed)
    np.testing.assert_allclose(invented, decode_latents(context.vae, latents), atol=1e-5)
    places = context.random_test_images(overview.PAIRS)
    np.testing.assert_array_equal(tested[: len(places)], context.test_pixels(places))
    expected = decode_latents(context.vae, context.test_posterior.mean[places])
    np.testing.assert_allclose(tested[len(places) :], expected, atol=1e-5)
    # Both rows of the edit begin at the lowest strength; both rows of paths begin and end at invented faces.
    lowest = latents[:2] + overview.STRENGTHS[0] * direction_of(context, "smile").vector
    np.testing.assert_allclose(edited[:: overview.COLUMNS], decode_latents(context.vae, lowest), atol=1e-5)
    np.testing.assert_allclose(paths[:: overview.COLUMNS], invented[[0, 2]], atol=1e-4)
    np.testing.assert_allclose(paths[overview.COLUMNS - 1 :: overview.COLUMNS], invented[[1, 3]], atol=1e-4)
    assert set(made.figures) == {"overview.png", "overview_smile.gif"}


def test_fidelity_is_measured_on_rendered_faces_alone(context):
    other = EvaluationContext(context.config, context.vae, context.data, context.history, "photographs")
    assert fidelity(other) == Evaluation({}, {})


def test_factors_that_are_lost_are_named_with_what_is_left_of_them():
    def words(**left):
        factors = {
            name: {"image": 1.0, "reconstruction": share, "standard_error": 0.0, "latents": latents}
            for name, (share, latents) in left.items()
        }
        return " ".join(in_words({"factors": factors, "mean": 0.0, "images": 9}))

    several = words(smile=(0.44, 0.9), brow_height=(-0.2, 0.0), yaw=(0.95, 1.0), jaw=(0.7, 0.7))
    assert "lost: brow height (0% of it is left), smile (44% of it is left)." in several
    assert "partly lost: jaw (70% of it is left)" in several
    assert "90% of the other factor." in several
    assert "still know smile, so the decoder" in several
    assert words(yaw=(0.8, 0.8), jaw=(0.9, 0.9)).startswith(
        "Reconstructions have partly lost: yaw (80% of it is left)."
    )
    assert words(yaw=(0.9, 0.9)) == "Reconstructions keep all 1 factors: at least 90% of each is left."


def test_sample_quality_compares_test_with_train_its_reconstructions_and_samples(context):
    seen = []

    def coarse(pictures):
        """Means of the four quarters of each picture."""
        seen.append(pictures)
        return pictures.reshape(len(pictures), 2, 16, 2, 16).mean(axis=(2, 4)).reshape(-1, 4)

    _, numbers = distances(context, "Title", coarse, "Features: means of quarters.")
    test, train, reconstructed, samples, refitted = seen
    assert len(test) == len(train) == len(samples) == len(refitted) == numbers["images"] == 8
    assert numbers["samples from the fitted prior"]["frechet"] == frechet_distance(coarse(test), coarse(refitted))
    np.testing.assert_allclose(reconstructed, context.vae(train), rtol=1e-4, atol=1e-5)
    images, split = context.data.dataset.images.all() / np.float32(255), context.data.split
    pixels = {image.tobytes() for image in images[split.train]}
    assert all(picture.tobytes() in pixels for picture in train)
    to_samples = numbers["samples"]
    assert to_samples["frechet"] == frechet_distance(coarse(test), coarse(samples))
    assert (to_samples["kernel"], to_samples["kernel_error"]) == kernel_distance(coarse(test), coarse(samples))


def test_sample_quality_is_written_by_the_script_when_asked_for(tiny_run, tmp_path):
    run = Run(shutil.copytree(tiny_run, tmp_path / "run", ignore=shutil.ignore_patterns("figures", "metrics.json")))
    assert evaluate.main(["--run", str(run.folder), "--sample-quality"]) == 0
    assert [path.name for path in run.figures.iterdir()] == ["sample_quality.png"]
    assert set(json.loads(run.metrics.read_text())) == {"format", "data", "epoch", "inputs", "sample_quality"}


def test_a_map_gives_each_image_its_own_colour(context, monkeypatch):
    shown = {}
    monkeypatch.setattr(
        import_module("vae_keras.evaluation.latent_map"),
        "scatter_maps",
        lambda points, values, name, images, *texts: shown.update(values=values, images=images),
    )
    latent_map(context, "yaw")
    dataset = context.data.dataset
    yaw = dict(zip((image.tobytes() for image in dataset.images.all()), colours(dataset, "yaw"), strict=True))
    pixels = np.rint(255 * shown["images"]).astype(np.uint8)
    assert [yaw[image.tobytes()] for image in pixels] == shown["values"].tolist()
