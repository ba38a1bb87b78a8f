"""What the explorer shows, as plain functions: faces at latents, edits, and the factors of a face. No web library.

A face is a point in the space of latents. An attribute edit adds a multiple of the attribute's direction to it
(`vae_keras.evaluation.directions`).
"""

import io
import json
import math
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import PCA

from common.errors import UserError
from common.names import printable
from data import factors
from data.faces import render
from data.image_folder import SMILES
from vae_keras import feature_spaces, metrics
from vae_keras.backend import tf
from vae_keras.directions import grouping
from vae_keras.evaluation import EvaluationContext
from vae_keras.evaluation.directions import quick_direction_of
from vae_keras.evaluation.traversal import factors_of_latents
from vae_keras.latent import PATHS
from vae_keras.pictures import as_image, read_picture
from vae_keras.run_data import RunData, known_attributes

REACH = 3.0  # of a slider: standard deviations of the prior, or multiples of a direction
MOST_ON_MAP = 500
FRAMES = 24  # of a walk between two faces
LONGEST_SOURCE = 100  # characters


class Face(NamedTuple):
    """A face: a point in the space of latents, and the edits that are added to it.

    Attributes:
        latents: before the edits, D numbers.
        strengths: the multiple of each attribute's direction, by the attribute; an attribute that is absent has 0.
        source: where the face comes from, in words.
    """

    latents: tuple[float, ...]
    strengths: Mapping[str, float] = {}
    source: str = ""

    def with_strength(self, attribute: str, strength: float) -> "Face":
        """The same face with another strength of one attribute."""
        return self._replace(strengths={**self.strengths, attribute: strength})

    def as_json(self) -> str:
        """The face as a JSON object with latents, strengths and source."""
        return json.dumps({**self._asdict(), "strengths": dict(self.strengths)})


class Latent(NamedTuple):
    """A latent of the model.

    Attributes:
        number: from 0.
        name: "z3 smile", or "z3" if the latent carries no factor.
        nats: how much it says about an image.
    """

    number: int
    name: str
    nats: float


class OwnPicture(NamedTuple):
    """A picture of one's own, and what the model makes of it.

    Attributes:
        face: the posterior mean.
        pixels: what the model sees, (height, width, channels) uint8.
    """

    face: Face
    pixels: np.ndarray


class Likeness(NamedTuple):
    """How well the model describes a picture.

    Attributes:
        elbo: in nats, with one posterior sample.
        share_below: the share of test images with a smaller ELBO; near 0, the picture is unlike the test images.
    """

    elbo: float
    share_below: float


class Explorer:
    """The faces of a trained model.

    Args:
        context: the model and its images.
    """

    def __init__(self, context: EvaluationContext):
        self.context, self.vae = context, context.vae
        self.directions = {name: quick_direction_of(context, name).vector for name in editable_labels(context.data)}
        signature = [tf.TensorSpec((None, self.vae.latent_dim), tf.float32)]
        self._decode = tf.function(lambda latents: self.vae.decode(latents), signature)

    def prepare(self) -> None:
        """Compute what each visitor needs and what takes seconds, so that the first visitors need not wait for it."""
        self.pixels(self.test_face(0))
        _ = self.latents, self.map
        if self.reads_factors:
            self.rendered(self.factors_of(self.context.test_images.batch([0])[0]))

    @cached_property
    def latents(self) -> list[Latent]:
        """All latents, the most informative first, named after the factor or label that they carry."""
        carried, information = factors_of_latents(self.context), self.context.information
        return [
            Latent(int(index), f"z{index} {carried[index]}".strip(), float(information.nats[index]))
            for index in information.order
        ]

    @cached_property
    def test_faces(self) -> list[str]:
        """The names of the test images."""
        return self.context.test_names(np.arange(len(self.context.test_images)))

    def latents_of(self, face: Face) -> np.ndarray:
        """z + sum_a s_a d_a: the latents with the edits, (D,) float32."""
        edits = [strength * self.directions[name] for name, strength in face.strengths.items()]
        return np.sum([np.array(face.latents), *edits], axis=0).astype(np.float32)

    def with_latent(self, face: Face, index: int, value: float) -> Face:
        """The same face with one latent at this value after the edits; the edits stay."""
        latents = list(face.latents)
        latents[index] += value - float(self.latents_of(face)[index])
        return face._replace(latents=tuple(latents))

    def decoded(self, latents: np.ndarray) -> np.ndarray:
        """The faces at latents (n, D), (n, height, width, channels) uint8."""
        return np.rint(255 * self._decode(tf.constant(latents, tf.float32)).numpy()).astype(np.uint8)

    def pixels(self, face: Face) -> np.ndarray:
        """The decoded face, (height, width, channels) uint8."""
        return self.decoded(self.latents_of(face)[None])[0]

    def random_face(self, seed: int) -> Face:
        """A face from the fitted prior, or from the model's own prior if the run has no fitted one."""
        prior = self.context.saved_prior or self.vae.prior
        return Face(_numbers(prior.sample(1, seed)[0]), source=f"random face {seed}")

    def test_face(self, place: int) -> Face:
        """The posterior mean of a test image."""
        return Face(_numbers(self.context.test_posterior.mean[place]), source=f"test image {self.test_faces[place]}")

    def own_picture(self, content: bytes, name: str) -> OwnPicture:
        """What the model makes of the content of an image file.

        Raises:
            UserError: the content is no image that can be decoded.
        """
        unit = read_picture(io.BytesIO(content), self.vae)
        pixels = np.rint(255 * unit).astype(np.uint8)
        latents = np.asarray(self.vae.encode(unit[None]).mean)[0]
        return OwnPicture(Face(_numbers(latents), source=f"picture {printable(name)}"), pixels)

    def likeness(self, pixels: np.ndarray) -> Likeness:
        """How well the model describes an image (height, width, channels) uint8, among the test images.

        The first call takes some seconds, because it measures the test images.
        """
        elbo = float(metrics.importance_weighted_bound(self.vae, pixels[None], samples=1)[0])
        return Likeness(elbo, float(np.mean(self._test_elbos < elbo)))

    @cached_property
    def _test_elbos(self) -> np.ndarray:
        return metrics.importance_weighted_bound(self.vae, self.context.test_images, samples=1)

    def face_from_json(self, text: str) -> Face:
        """The face that `Face.as_json` has written.

        Raises:
            UserError: the text is no face of this model.
        """
        try:
            saved = json.loads(text)
            latents = tuple(float(number) for number in saved["latents"])
            strengths = {str(name): float(strength) for name, strength in saved["strengths"].items()}
            source = printable(str(saved.get("source", ""))[:LONGEST_SOURCE])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as reason:
            raise UserError("this is no face that the explorer has saved; choose a face.json") from reason
        if len(latents) != self.vae.latent_dim:
            raise UserError(f"this face has {len(latents)} latents, and this model has {self.vae.latent_dim}")
        if unknown := [name for name in strengths if name not in self.directions]:
            raise UserError(f"this face has an edit that this model does not know: {printable(unknown[0])}")
        if not all(map(math.isfinite, [*latents, *strengths.values()])):
            raise UserError("this face has a number that is not finite")
        return Face(latents, strengths, source)

    def traversal(self, face: Face, slider: str | int, frames: int = FRAMES) -> np.ndarray:
        """The face while one slider moves through its range, (frames, height, width, channels) uint8.

        Args:
            slider: the name of an attribute, or the number of a latent.
        """
        values = np.linspace(-REACH, REACH, frames)
        if isinstance(slider, str):
            faces = [face.with_strength(slider, float(value)) for value in values]
        else:
            faces = [self.with_latent(face, slider, float(value)) for value in values]
        return self.decoded(np.stack([self.latents_of(one) for one in faces]))

    def path(self, start: Face, end: Face, frames: int = FRAMES) -> list[Face]:
        """Faces on a path between two faces, both included; they have no edits, because the ends have taken them in."""
        prior = self.context.saved_prior or self.vae.prior
        path = PATHS["density" if self.context.saved_prior else "spherical"]
        between = path(self.latents_of(start), self.latents_of(end), np.linspace(0, 1, frames), prior)
        return [Face(_numbers(latents), source="between A and B") for latents in between]

    def walk(self, start: Face, end: Face, frames: int = FRAMES) -> np.ndarray:
        """Faces on a path between two faces, (frames, height, width, channels) uint8."""
        return self.decoded(np.stack([self.latents_of(face) for face in self.path(start, end, frames)]))

    @property
    def reads_factors(self) -> bool:
        """Whether the factors of decoded faces can be read."""
        return self.context.factors_are_read

    @property
    def factor_names(self) -> tuple[str, ...]:
        """The names of the factors that are read."""
        return factors.NAMES

    def factors_of(self, pixels: np.ndarray) -> dict[str, float]:
        """The factors that a network reads off a face (height, width, channels), in standard deviations, by name."""
        return dict(zip(factors.NAMES, map(float, self.context.factor_space.factors(pixels[None])[0]), strict=True))

    def rendered(self, read: Mapping[str, float]) -> np.ndarray:
        """The renderer's face with these factors, in standard deviations; those out of range are at their end."""
        values = feature_spaces.in_units(np.array([read[name] for name in factors.NAMES]))
        low, high = np.array([[factor.low, factor.high] for factor in factors.FACTORS]).T
        size, _, channels = self.vae.image_shape
        return render(np.clip(values, low, high), size, channels)

    def nearest_on_map(self, x: float, y: float) -> int:
        """The test image whose point is nearest to this place."""
        return int(np.argmin(np.sum((self.map - [x, y]) ** 2, axis=1)))

    @cached_property
    def map(self) -> np.ndarray:
        """The first test images on two principal components of their latents, each from 0 to 1, (n, 2)."""
        means = self.context.test_posterior.mean[:MOST_ON_MAP]
        if means.shape[1] == 1:
            means = np.pad(means, ((0, 0), (0, 1)))
        points = PCA(2, svd_solver="full").fit_transform(means)
        return (points - points.min(axis=0)) / np.maximum(np.ptp(points, axis=0), 1e-9)


def editable_labels(data: RunData) -> list[str]:
    """The labels that have a direction. Of two that group the images in the same way, one: smile, and not non_smile."""
    known = known_attributes(data)
    first: dict[bytes, str] = {}
    for name in sorted(known, key=lambda name: name.lower() not in SMILES):
        first.setdefault(grouping(data.dataset.label(name)), name)
    return [name for name in known if name in first.values()]


def png(pixels: np.ndarray) -> bytes:
    """An image (height, width, 1 or 3) uint8 as a PNG file."""
    file = io.BytesIO()
    as_image(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def gif(frames: np.ndarray, milliseconds: int = 60) -> bytes:
    """Images (n, height, width, 1 or 3) uint8 as an animated GIF that goes there and back."""
    images = [as_image(pixels) for pixels in [*frames, *frames[-2:0:-1]]]
    file = io.BytesIO()
    images[0].save(file, "GIF", save_all=True, append_images=images[1:], duration=milliseconds, loop=0)
    return file.getvalue()


def _numbers(latents: np.ndarray) -> tuple[float, ...]:
    return tuple(map(float, latents))


__all__ = ["FRAMES", "REACH", "Explorer", "Face", "Latent", "Likeness", "OwnPicture", "editable_labels", "gif", "png"]
