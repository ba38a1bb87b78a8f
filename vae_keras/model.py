"""The variational autoencoder as a Keras model with its own training step."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from vae_keras.architectures import ARCHITECTURES, Architecture
from vae_keras.gaussians import bounded_log_variance, kl_to_standard_normal
from vae_keras.likelihoods import LIKELIHOODS, Likelihood
from vae_keras.objectives import NegativeElbo, Objective
from vae_keras.outputs import ElboTerms, Posterior, Tensor
from vae_keras.sampling import Sampling
from vae_keras.values import choose, look_up

# What a precision is called by Keras: weights stay float32.
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
TERMS = ("loss", "elbo", "reconstruction_nll", "kl")


@keras.saving.register_keras_serializable("vae_keras")
class VAE(keras.Model):
    """p(z) = N(0, I), p(x | z) from the decoder, q(z | x) from the encoder.

    Args:
        encoder: images to mean and raw log-variance, (batch, 2 latents).
        decoder: latents to logits, of the images' shape.
        likelihood: reads the logits as p(x | z).
        objective: turns the ELBO's terms into the loss.
        seed: of the noise in `sampling`.

    `fit` takes batches of images in [0, 1], (batch, height, width, channels); every reported
    term is per image, in nats.
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: Likelihood,
        objective: Objective,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.sampling = Sampling(seed)
        self.likelihood = likelihood
        self.objective = objective
        self.seed = seed
        self.means = {term: keras.metrics.Mean(name=term) for term in TERMS}
        self.built = True

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return tuple(self.encoder.input_shape[1:])

    @property
    def latent_dim(self) -> int:
        return self.decoder.input_shape[-1]

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self.means.values())

    def encode(self, images: Tensor, training: bool = False) -> Posterior:
        """q(z | x) for images (batch, height, width, channels) in [0, 1]."""
        heads = ops.cast(self.encoder(images, training=training), self.compute_dtype)
        mean, raw_log_variance = ops.split(heads, 2, axis=-1)
        return Posterior(mean, bounded_log_variance(raw_log_variance))

    def decode(self, latents: Tensor) -> Tensor:
        """Images in [0, 1], (batch, height, width, channels), for latents (batch, latents)."""
        return self.likelihood.picture(self._logits(latents))

    def _logits(self, latents: Tensor, training: bool = False) -> Tensor:
        return ops.cast(self.decoder(latents, training=training), self.compute_dtype)

    def call(self, images: Tensor) -> Tensor:
        """Reconstructions from the posterior means, in [0, 1]."""
        return self.decode(self.encode(images).mean)

    def elbo_terms(self, images: Tensor, training: bool = False) -> ElboTerms:
        """Both terms of the ELBO, with one posterior sample for each image."""
        posterior = self.encode(images, training)
        logits = self._logits(self.sampling(posterior), training)
        return ElboTerms(
            reconstruction_nll=self.likelihood.nll(images, logits),
            kl=ops.sum(kl_to_standard_normal(posterior), axis=-1),
        )

    def train_step(self, data: Tensor) -> dict[str, Tensor]:
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            terms = self.elbo_terms(images, training=True)
            losses = self.objective.loss(terms)
            scaled_loss = self.optimizer.scale_loss(ops.mean(losses))  # as it is, unless in float16
        weights = self.trainable_variables
        self.optimizer.apply(tape.gradient(scaled_loss, weights), weights)
        return self._record(losses, terms)

    def test_step(self, data: Tensor) -> dict[str, Tensor]:
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        terms = self.elbo_terms(images)
        return self._record(self.objective.loss(terms), terms)

    def _record(self, losses: Tensor, terms: ElboTerms) -> dict[str, Tensor]:
        """Fold a batch's per-image values into the epoch's means, so that every image counts once."""
        values = {"loss": losses, "elbo": terms.elbo, **terms._asdict()}
        for term, mean in self.means.items():
            mean.update_state(values[term])
        return {term: mean.result() for term, mean in self.means.items()}

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        parts = ("encoder", "decoder", "likelihood", "objective")
        return {
            **super().get_config(),
            **{part: serialize(getattr(self, part)) for part in parts},
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "VAE":
        deserialize = keras.saving.deserialize_keras_object
        parts = ("encoder", "decoder", "likelihood", "objective")
        return cls(**{**config, **{part: deserialize(config[part], custom_objects) for part in parts}})


def build_vae(
    image_shape: tuple[int, int, int] = (128, 128, 1),
    latent_dim: int = 32,
    architecture: str | Architecture = "table",
    likelihood: str | Likelihood = "bernoulli",
    objective: Objective | None = None,
    seed: int = 0,
    precision: str | None = None,
) -> VAE:
    """An untrained VAE; the same seed gives the same weights and the same noise.

    Args:
        image_shape: (height, width, channels), sides multiples of 16 from 32 up.
        latent_dim: number of latents.
        architecture: a name in `vae_keras.architectures.ARCHITECTURES`, or an architecture.
        likelihood: a name in `vae_keras.likelihoods.LIKELIHOODS`, or a likelihood.
        objective: what to minimise; the negative ELBO by default.
        precision: in which the layers compute, "float32", "bfloat16" or "float16"; weights and densities
            are float32 whatever it is. Keras's global policy where it is not given.

    Raises:
        UserError: an unknown name, or a shape that the architecture cannot take.
    """
    if isinstance(architecture, str):
        architecture = choose("architecture", ARCHITECTURES, architecture, {})
    if isinstance(likelihood, str):
        likelihood = choose("likelihood", LIKELIHOODS, likelihood, {})
    with _computing_in(look_up("precision", PRECISIONS, precision) if precision else keras.config.dtype_policy()):
        # Different seeds for the two halves: equal ones would initialise equal shapes alike.
        encoder = architecture.encoder(image_shape, latent_dim, 2 * seed)
        decoder = architecture.decoder(image_shape, latent_dim, 2 * seed + 1)
    return VAE(encoder, decoder, likelihood, NegativeElbo() if objective is None else objective, seed)


@contextmanager
def _computing_in(policy: str | keras.DTypePolicy) -> Iterator[None]:
    """Layers that are made inside have this policy of Keras."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
