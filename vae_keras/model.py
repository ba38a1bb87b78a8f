"""The variational autoencoder as a Keras model with its own training step."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from vae_keras import optimizers as optimizers  # classes of saved models are registered with Keras as they are imported
from vae_keras.architectures import PRECISIONS, Architecture
from vae_keras.architectures import convolution as convolution
from vae_keras.backend import Tensor, check_backend
from vae_keras.gaussians import Posterior, bounded_log_variance
from vae_keras.likelihoods import LikelihoodPart
from vae_keras.objectives import NegativeElbo, Objective
from vae_keras.parts import PARTS
from vae_keras.priors import PriorPart, Standard
from vae_keras.registry import choose, loaded, look_up, saved
from vae_keras.replicas import replica_count, whole_batch
from vae_keras.sampling import Sampling
from vae_keras.types import TERMS, ElboTerms, Forward, Loss

check_backend()
KEPT = ("prior", "likelihood", "objective")  # kinds of parts that a VAE is saved with; an architecture only builds it


@keras.saving.register_keras_serializable("vae_keras")
class VAE(keras.Model):
    """A prior p(z), a likelihood p(x | z) read from the decoder, and q(z | x) from the encoder.

    Args:
        encoder: images to mean and raw log-variance, (batch, 2 latents).
        decoder: latents to outputs, (batch, height, width, channels x outputs of the likelihood per channel).
        likelihood: reads the decoder's outputs as p(x | z).
        objective: turns a forward pass into the loss.
        seed: of the noise in `sampling`, of the prior's weights and of the objective's auxiliary model.
        training_images: the number of training images, at least 1. It turns images into epochs, and some objectives
            depend on it.
        prior: builds p(z).

    Attributes:
        prior, likelihood: ready for use; a Keras layer where they have weights.
        parts: prior, likelihood and objective as they were passed, by kind.

    Raises:
        ValueError: the objective depends on the number of training images, and there is only one.

    `fit` takes batches of images in [0, 1], (batch, height, width, channels). Every reported term is per image, in
    nats.
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: LikelihoodPart,
        objective: Objective,
        seed: int = 0,
        training_images: int = 1,
        prior: PriorPart = Standard(),  # noqa: B008 (frozen)
        **kwargs: Any,
    ):
        if objective.needs_training_images and training_images < 2:
            raise ValueError(f"{objective} depends on the number of training images; pass training_images")
        # Densities are computed in Keras's float type, float32, also where its global policy is a mixed one.
        super().__init__(**{**kwargs, "dtype": keras.config.floatx()})
        self.parts = {"prior": prior, "likelihood": likelihood, "objective": objective}
        self.encoder = encoder
        self.decoder = decoder
        self.objective = objective
        with _computing_in(keras.config.floatx()):
            self.prior = prior.build(self.latent_dim, self.image_shape, self.encode, seed)
            self.likelihood = likelihood.build()
            self.sampling = Sampling(seed)
            self.auxiliary = objective.auxiliary(self.latent_dim, seed)
        self.seed = seed
        self.training_images = training_images
        # Saved as a weight, so that a schedule goes on where it was.
        self.images_seen = self.add_weight(
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",  # each replica counts the whole batch
            name="images_seen",
        )
        self.means = {name: keras.metrics.Mean(name=name) for name in (*TERMS, *objective.parts)}
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

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """Those of encoder, decoder, prior and likelihood. The auxiliary model has an optimiser of its own."""
        others = {id(variable) for variable in self.auxiliary.trainable_variables}
        return [variable for variable in super().trainable_variables if id(variable) not in others]

    @property
    def epoch(self) -> Tensor:
        """Passes over the training images so far, ()."""
        return ops.cast(self.images_seen, "float32") / self.training_images

    def compile(self, optimizer: Any = "rmsprop", **options: Any) -> None:
        """As Keras does; layers in float16 get a scaled loss, without which the smallest gradients would vanish."""
        optimizer = keras.optimizers.get(optimizer)
        in_float16 = any(layer.compute_dtype == "float16" for layer in (*self.encoder.layers, *self.decoder.layers))
        if in_float16 and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        super().compile(optimizer, **options)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as a saved model was; Keras does so itself only where `compile` is its own."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def make_train_function(self, force: bool = False) -> None:
        """As Keras does, with the optimiser built before: TensorFlow traces a step that makes variables twice."""
        if not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)
        super().make_train_function(force)

    def encode(self, images: Tensor, training: bool = False) -> Posterior:
        """q(z | x) for images (batch, height, width, channels) in [0, 1]."""
        heads = ops.cast(self.encoder(images, training=training), self.compute_dtype)
        mean, raw_log_variance = ops.split(heads, 2, axis=-1)
        return Posterior(mean, bounded_log_variance(raw_log_variance))

    def decode(self, latents: Tensor) -> Tensor:
        """Images in [0, 1], (batch, height, width, channels), for latents (batch, latents)."""
        return self.likelihood.mean(self._outputs(latents))

    def _outputs(self, latents: Tensor, training: bool = False) -> Tensor:
        return ops.cast(self.decoder(latents, training=training), self.compute_dtype)

    def call(self, images: Tensor) -> Tensor:
        """Reconstructions from the posterior means, in [0, 1]."""
        return self.decode(self.encode(images).mean)

    def forward(self, images: Tensor, training: bool = False) -> Forward:
        """One pass of a batch through the model, with one posterior sample for each image."""
        posterior = self.encode(images, training)
        latents = self.sampling(posterior)
        terms = ElboTerms(
            reconstruction_nll=self.reconstruction_nll(images, latents, training),
            kl=self.prior.kl(posterior, latents),
        )
        return Forward(terms, posterior, latents, self.prior, self.auxiliary, self.epoch, self.training_images)

    def elbo_terms(self, images: Tensor, training: bool = False) -> ElboTerms:
        """Both terms of the ELBO, with one posterior sample for each image."""
        return self.forward(images, training).terms

    def reconstruction_nll(self, images: Tensor, latents: Tensor, training: bool = False) -> Tensor:
        """-log p(x | z), images (batch, height, width, channels) and latents (batch, latents) -> (batch,), in nats."""
        return self.likelihood.nll(images, self._outputs(latents, training))

    def train_step(self, data: Tensor) -> dict[str, Tensor]:
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            forward = whole_batch_of(self.forward(images, training=True))
            loss = self.objective.loss(forward)
            # Keras adds up the gradients of replicas. `scale_loss` changes nothing, unless in float16.
            scaled_loss = self.optimizer.scale_loss(ops.mean(loss.per_image) / replica_count())
        weights = self.trainable_variables
        self.optimizer.apply(tape.gradient(scaled_loss, weights), weights)
        learnt = self.auxiliary.learn(forward.latents)
        self.images_seen.assign_add(ops.cast(ops.shape(forward.latents)[0], "int64"))
        return self._record(loss._replace(parts=loss.parts | learnt), forward.terms)

    def test_step(self, data: Tensor) -> dict[str, Tensor]:
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        forward = whole_batch_of(self.forward(images))
        return self._record(self.objective.loss(forward), forward.terms)

    def _record(self, loss: Loss, terms: ElboTerms) -> dict[str, Tensor]:
        """Fold a batch's values into the epoch's means, so that every image counts once."""
        values = {"loss": loss.per_image, "elbo": terms.elbo, **terms._asdict(), **loss.parts}
        for name, value in values.items():
            self.means[name].update_state(ops.broadcast_to(value, ops.shape(terms.kl)))
        return {name: self.means[name].result() for name in values}

    def load_own_variables(self, store: Any) -> None:
        """Models that were saved before there were schedules have no count of images: theirs starts at zero."""
        if len(store.keys()):
            super().load_own_variables(store)

    def get_config(self) -> dict[str, Any]:
        halves = {half: keras.saving.serialize_keras_object(getattr(self, half)) for half in ("encoder", "decoder")}
        parts = {kind: saved(PARTS[kind], part) for kind, part in self.parts.items()}
        return {
            **super().get_config(),
            **halves,
            **parts,
            "seed": self.seed,
            "training_images": self.training_images,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "VAE":
        halves = {
            half: keras.saving.deserialize_keras_object(config[half], custom_objects) for half in ("encoder", "decoder")
        }
        # Models that were saved before there were priors have N(0, I).
        config = {"prior": {"name": "standard", "options": {}}, **config}
        config["prior"]["options"].pop("latent_dim", None)  # before priors and their densities were two classes
        parts = {kind: loaded(kind, PARTS[kind], config[kind]) for kind in KEPT}
        return cls(**{**config, **halves, **parts, "training_images": config["training_images"] or 1})


def whole_batch_of(forward: Forward) -> Forward:
    """The forward pass of all replicas; see `vae_keras.replicas`."""
    terms, posterior, latents = whole_batch((forward.terms, forward.posterior, forward.latents))
    return forward._replace(terms=terms, posterior=posterior, latents=latents)


def build_vae(
    image_shape: tuple[int, int, int] = (128, 128, 1),
    latent_dim: int = 32,
    architecture: str | Architecture = "table",
    likelihood: str | LikelihoodPart = "bernoulli",
    objective: Objective | None = None,
    seed: int = 0,
    precision: str | None = None,
    training_images: int = 1,
    prior: str | PriorPart | None = None,
) -> VAE:
    """An untrained VAE; the same seed gives the same weights and the same noise.

    Args:
        image_shape: (height, width, channels), sides multiples of 16 from 32 up.
        latent_dim: number of latents.
        architecture: a name in `vae_keras.architectures.ARCHITECTURES`, or an architecture.
        likelihood: a name in `vae_keras.likelihoods.LIKELIHOODS`, or a likelihood.
        objective: the quantity to minimise; the negative ELBO by default.
        precision: of the layers, "float32", "bfloat16" or "float16"; Keras's global policy by default. Weights are
            float32 in each. Densities are in Keras's float type (`keras.config.floatx()`), usually float32.
        training_images: the number of training images, for an objective that depends on it: one with a warm-up, or the
            beta-TCVAE.
        prior: a name in `vae_keras.priors.PRIORS`, or a prior; N(0, I) by default.

    Raises:
        UserError: an unknown name, or a shape that the architecture cannot take.
    """
    halves: Architecture = _chosen("architecture", architecture)
    density: LikelihoodPart = _chosen("likelihood", likelihood)
    of_latents: PriorPart = _chosen("prior", Standard() if prior is None else prior)
    height, width, channels = image_shape
    output_shape = (height, width, channels * density.outputs_per_channel)
    with _computing_in(look_up("precision", PRECISIONS, precision) if precision else keras.config.dtype_policy()):
        # Different seeds for the two halves: equal ones would initialise equal shapes alike.
        encoder = halves.encoder(image_shape, latent_dim, 2 * seed)
        decoder = halves.decoder(output_shape, latent_dim, 2 * seed + 1)
    objective = NegativeElbo() if objective is None else objective
    return VAE(encoder, decoder, density, objective, seed, training_images, of_latents)


def _chosen(kind: str, part: Any) -> Any:
    """The part itself, or that of its name."""
    return choose(kind, PARTS[kind], part, {}) if isinstance(part, str) else part


@contextmanager
def _computing_in(policy: str | keras.DTypePolicy) -> Iterator[None]:
    """Layers that are made inside the block have this dtype policy of Keras."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
