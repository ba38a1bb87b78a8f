"""The argument and the result of every evaluation."""

import logging
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from common.names import printable
from data.image_cache import CACHE
from data.images import Images, Indices, unit_pixels
from data.sources import RENDERED
from vae_keras import feature_spaces, metrics
from vae_keras.config import Config
from vae_keras.directions import Directions, SavedDirections
from vae_keras.evaluation.inputs import inputs_of
from vae_keras.evaluation.record import Inputs, Record
from vae_keras.latent import BATCH, LatentInformation, decode_latents, encode_images, information_of_latents
from vae_keras.plots import Animation
from vae_keras.prior_fitting import fit_prior
from vae_keras.priors import Mixture
from vae_keras.run_data import RunData, known_attributes
from vae_keras.run_folder import Row
from vae_keras.types import Posterior

if TYPE_CHECKING:
    from vae_keras.model import VAE


log = logging.getLogger(__name__)

MOST_LEARNT = 10_000  # train images, for the network that learns a label
FEWEST_READ = 3  # images of a part, to measure how well factors are read off them


class Evaluation(NamedTuple):
    """Figures and numbers about a model.

    Attributes:
        figures: figures by file name, NAME.png, and animations by file name, NAME.gif.
        numbers: sections of the record. The script merges them into metrics.json.
    """

    figures: dict[str, Figure | Animation]
    numbers: Record


class EvaluationContext:
    """A trained model and its images. Results that several evaluations need are computed once.

    Args:
        config: the settings of the run.
        vae: the trained model.
        data: the images and their split.
        history: the rows of history.csv.
        source: the images as `--data` names them; by default those of the run.
        prior: the prior that was fitted to the latents after training, if there is one.
        directions: the directions of attributes that an earlier evaluation has fitted, if there are some.
        method: of the directions (`vae_keras.directions`); None takes the best one for each attribute.
        cache: the folder that keeps images.
    """

    def __init__(
        self,
        config: Config,
        vae: "VAE",
        data: RunData,
        history: list[Row],
        source: str | None = None,
        prior: Mixture | None = None,
        directions: SavedDirections | None = None,
        method: str | None = None,
        cache: Path = CACHE,
    ):
        self.config, self.vae, self.data, self.history = config, vae, data, history
        self.source = source or config.data
        self._prior, self._directions = prior, directions
        self.method, self.cache = method, cache
        self.best_methods = dict(directions.best) if directions else {}
        self._label_spaces: dict[str, feature_spaces.FactorSpace] = {}

    @property
    def epoch(self) -> int | None:
        """The epoch after which the model was saved; None if the model has not counted its images."""
        return round(float(self.vae.epoch)) or None

    @property
    def of_rendered_faces(self) -> bool:
        """Whether the images are rendered, so that their factors are known and more of them can be rendered."""
        return self.source.partition(":")[0] == RENDERED

    @cached_property
    def inputs(self) -> Inputs:
        """Digests of what the numbers depend on."""
        return inputs_of(self.vae, self.data, self.history)

    @cached_property
    def test_images(self) -> Images:
        """The test images."""
        return self.data.dataset.images.part(self.data.split.test)

    def test_pixels(self, places: Indices) -> np.ndarray:
        """The test images at these positions of the test part, (n, height, width, channels) float32 in [0, 1]."""
        return unit_pixels(self.test_images.batch(places))

    def test_reconstructions(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Batches of all test images and their reconstructions from the posterior mean."""
        means = np.split(self.test_posterior.mean, range(BATCH, self.test_images.count, BATCH))
        for images, latents in zip(self.test_images.batches(BATCH), means, strict=True):
            yield unit_pixels(images), decode_latents(self.vae, latents)

    @cached_property
    def test_elbo(self) -> metrics.Elbo:
        """The ELBO and its two terms, mean over the test images, in nats per image."""
        return metrics.elbo(self.vae, self.test_images)

    @cached_property
    def test_quality(self) -> dict[str, float]:
        """Mean PSNR (dB) and SSIM of the test images' reconstructions from the posterior mean."""
        return metrics.reconstruction_quality(self.test_reconstructions())

    @cached_property
    def test_posterior(self) -> Posterior:
        """q(z|x) of the test images."""
        return encode_images(self.vae, self.test_images)

    @cached_property
    def train_posterior(self) -> Posterior:
        """q(z|x) of the train images."""
        return encode_images(self.vae, self.data.dataset.images.part(self.data.split.train))

    @property
    def saved_prior(self) -> Mixture | None:
        """The prior that an earlier evaluation has fitted; None if none has."""
        return self._prior

    @property
    def newly_fitted(self) -> Mixture | None:
        """The prior that an evaluation has fitted, which has to be saved; None if none has."""
        return None if self._prior else self.__dict__.get("fitted_prior")

    @cached_property
    def fitted_prior(self) -> Mixture | None:
        """The prior that is fitted to the latents of the train images; None if these images are not the run's own."""
        if self._prior or not self.data.fitted:
            return self._prior
        validation = self.data.dataset.images.part(self.data.split.validation)
        choosing = encode_images(self.vae, validation) if validation.count else None
        log.info("fitting a prior to the latents of the train images")
        return fit_prior(self.train_posterior, choosing, self.config.seed)

    @cached_property
    def directions(self) -> Directions:
        """The directions of attributes in latent space; those that an earlier evaluation has fitted are known."""
        dataset, train = self.data.dataset, self.data.split.train
        labels = {name: dataset.label(name)[train] for name in known_attributes(self.data)}
        known = self._directions.vectors if self._directions else None
        return Directions(lambda: self.train_posterior.mean, labels, known)

    @property
    def newly_found(self) -> SavedDirections | None:
        """The directions if this context has measured some, which have to be saved; None if not."""
        before = self._directions.best if self._directions else {}
        if not self.data.fitted or self.best_methods == before:
            return None
        return SavedDirections(self.directions.vectors, self.best_methods)

    @cached_property
    def information(self) -> LatentInformation:
        """How much each latent says about a test image."""
        return information_of_latents(self.vae.prior, self.test_posterior)

    @property
    def factors_are_read(self) -> bool:
        """Whether the images are rendered faces, and enough of them to measure what is left of their factors."""
        return self.of_rendered_faces and min(len(self.data.split.test), len(self.data.split.train)) >= FEWEST_READ

    @cached_property
    def factor_space(self) -> feature_spaces.FactorSpace:
        """The feature space of the network that reads factors."""
        return feature_spaces.factor_space(self.vae.image_shape[-1], cache=self.cache)

    def label_space(self, name: str) -> feature_spaces.FactorSpace:
        """The feature space of a network that learns a label from the train images, when it is first asked for."""
        if name not in self._label_spaces:
            dataset, train = self.data.dataset, self.data.split.train
            if len(train) > MOST_LEARNT:
                shuffled = self.random().permutation(train)
                has = dataset.label(name)[shuffled]
                rare, other = sorted((shuffled[has], shuffled[~has]), key=len)
                # Half of them are of the rarer kind, or all of that kind: a random choice could miss it.
                rare = rare[: MOST_LEARNT // 2]
                train = np.sort(np.concatenate([rare, other[: MOST_LEARNT - len(rare)]]))
            images = dataset.images.part(train)
            self._label_spaces[name] = feature_spaces.label_space(images, dataset.label(name)[train])
        return self._label_spaces[name]

    @cached_property
    def factor_readings(self) -> dict[str, metrics.Reading] | None:
        """R2 of each factor, read off test images, their latents and their reconstructions; None if not measurable."""
        if not self.factors_are_read:
            return None
        dataset, split = self.data.dataset, self.data.split
        space = self.factor_space
        true = feature_spaces.standardised(dataset.factors)
        readings = metrics.readings(
            true[split.test],
            space.factors(self.test_images),
            np.concatenate([space.factors(decoded) for _, decoded in self.test_reconstructions()]),
            metrics.read_off_latents(self.train_posterior.mean, true[split.train], self.test_posterior.mean),
        )
        return dict(zip(dataset.factor_names, readings, strict=True))

    def test_names(self, places: np.ndarray | list[int]) -> list[str]:
        """The printable names of the test images at these positions of the test part."""
        return [printable(self.data.dataset.names[self.data.split.test[place]]) for place in places]

    def random(self) -> np.random.Generator:
        """A new generator with the run's seed, so that every call of the script draws the same images."""
        return np.random.default_rng(self.config.seed)

    def random_test_images(self, count: int) -> np.ndarray:
        """The positions of up to `count` different test images, in random order."""
        return self.random().permutation(len(self.test_images))[:count]
