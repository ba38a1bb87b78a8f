"""Feature spaces for comparing sets of images (as Inception features are used for FID).

`factor_space` is the project's own feature space. Its network predicts the factors of a rendered face from an image, so
its features depend on what varies between faces. The trained network comes with the project, so that distances and
fidelity are measured with the same network everywhere; `python -m vae_keras.factor_networks` trains it again.
`inception_features` come from a network that was trained to classify photographs (Heusel et al. 2017, arXiv
1706.08500).

Images are resized with antialiasing. Without antialiasing, resizing alone would change the distances (Parmar et al.
2022, arXiv 2104.11222).
"""

import functools
import hashlib
import inspect
import io
import logging
import zipfile
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.errors import UserError
from common.files import atomic_write
from common.progress import tracked
from data import factors
from data.image_cache import CACHE
from data.images import Images, images_of
from data.pipelines import steps_per_epoch, to_unit
from data.rendered_faces import rendered_faces, rendering_code
from vae_keras.architectures.architecture import seeded_initializers
from vae_keras.backend import Tensor, keras, layers, tf

SIDE = 64  # pixels
FILTERS = (16, 32, 64, 128)
KERNELS = (5, 3, 3, 3)
UNITS = 64

FACES = 8_000
EPOCHS, LABEL_EPOCHS = 12, 12
BATCH = 64
LEARNING_RATE = 2e-3
SEED = 64_001  # of faces, weights and order; the data sets have seed 0
HELD_OUT, HELD_OUT_SEED = 1_000, 64_002

INCEPTION_SIDE = 299

SHIPPED = Path(__file__).with_name("factor_networks")

Pictures = Images | np.ndarray

log = logging.getLogger(__name__)


class FactorSpace(NamedTuple):
    """The features of a network that predicts the factors of a face from an image.

    Attributes:
        network: maps images (batch, SIDE, SIDE, channels) to features (batch, UNITS).
        r_squared: by factor, the share of its variance that the network explains on faces that were not used for
            training.
        regressor: maps images to the factors, as `standardised` gives them, (batch, K).
    """

    network: "keras.Model"
    r_squared: dict[str, float]
    regressor: "keras.Model"

    def features(self, images: Pictures) -> np.ndarray:
        """Features (n, UNITS) float32 of n images, uint8 or float in [0, 1]."""
        return _outputs(self.network, images, functools.partial(_resized, side=SIDE))

    def factors(self, images: Pictures) -> np.ndarray:
        """The factors that the network reads off images, in standard deviations from the middle, (n, K) float32.

        Args:
            images: n images, uint8 or float in [0, 1].
        """
        return _outputs(self.regressor, images, functools.partial(_resized, side=SIDE))


def factor_space(channels: int, count: int = FACES, epochs: int = EPOCHS, cache: Path = CACHE) -> FactorSpace:
    """The feature space for images with 1 channel (grey) or 3 channels (colour).

    The network comes with the project. If it is missing, or for other settings or other faces, a network is trained
    once on `count` faces, and then read from `cache`. The features are the outputs of the last hidden layer. This layer
    is linear: with a ReLU, nearly half of the features were zero for every face.
    """
    regressor = _regressor(channels, count, epochs, cache)
    unseen = rendered_faces(HELD_OUT, SIDE, channels, HELD_OUT_SEED, cache)
    r_squared = explained_variance(standardised(unseen.factors), _outputs(regressor, unseen.images, to_unit))
    log.info("the network that compares faces explains %.0f %% of the factors' variance", 100 * np.mean(r_squared))
    return FactorSpace(
        keras.Model(regressor.inputs[0], regressor.layers[-2].output),
        dict(zip(factors.NAMES, map(float, r_squared), strict=True)),
        regressor,
    )


def label_space(images: Pictures, label: np.ndarray, epochs: int = LABEL_EPOCHS) -> FactorSpace:
    """The feature space of a network that has learnt a label of photographs: its one factor is positive for the label.

    The network is trained on the images and their mirror images.

    Args:
        images: n images of uint8 pixels.
        label: (n,) bool, with both values.
    """
    log.info("training a small network that tells who has the attribute")
    small = np.concatenate(
        [np.rint(255 * _resized(batch, SIDE)).astype(np.uint8) for batch in images_of(images).batches(BATCH)]
    )
    # Both values weigh the same: their mean target is zero.
    target = np.where(label, 1 / label.mean(), -1 / (1 - label.mean())).astype(np.float32)[:, None] / 2
    regressor = _train(np.concatenate([small, small[:, :, ::-1]]), np.concatenate([target, target]), epochs)
    return FactorSpace(keras.Model(regressor.inputs[0], regressor.layers[-2].output), {}, regressor)


def explained_variance(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """R2 of each column: the share of its variance that the prediction explains, (n, K) twice -> (K,), at most 1."""
    # 1 - sum (true - predicted)^2 / sum (true - mean)^2
    return 1 - np.mean((true - predicted) ** 2, axis=0) / np.var(true, axis=0)


def inception_features(images: Pictures) -> np.ndarray:
    """Features of InceptionV3 for images, (n, 2048) float32: its last convolutional outputs, averaged over positions.

    The weights are those of Keras. Published FID values use the weights of another network. So compare distances in
    this space with each other, not with published values.

    Args:
        images: n images of 1 or 3 channels, uint8 or float in [0, 1].

    Raises:
        UserError: the weights are not on this machine and cannot be downloaded.
    """
    return _outputs(_inception(), images, _for_inception)


def _outputs(network: "keras.Model", images: Pictures, prepare: Callable[[Tensor], Tensor]) -> np.ndarray:
    """The outputs of the network for all images, computed in batches that `prepare` converts to its inputs."""
    return np.concatenate([network(prepare(batch), training=False) for batch in images_of(images).batches(BATCH)])


def _resized(images: Tensor, side: int) -> Tensor:
    """The images in [0, 1], (batch, side, side, channels) float32."""
    return tf.image.resize(tf.image.convert_image_dtype(images, tf.float32), (side, side), antialias=True)


def _for_inception(images: Tensor) -> Tensor:
    """The images in colour, with the size and range of InceptionV3's inputs."""
    coloured = tf.repeat(_resized(images, INCEPTION_SIDE), 3 // images.shape[-1], axis=-1)
    return keras.applications.inception_v3.preprocess_input(255 * coloured)


def standardised(table: np.ndarray) -> np.ndarray:
    """Factors (n, K) minus their mean, over their standard deviation, float32. The factors are uniform."""
    return ((table - factors.middle()) / _deviations()).astype(np.float32)


def in_units(table: np.ndarray) -> np.ndarray:
    """The factors in their units, from those that `standardised` gives, (n, K) or (K,)."""
    return factors.middle() + table * _deviations()


def _deviations() -> np.ndarray:
    """The standard deviation of each factor, (K,): a uniform number has its range over the square root of 12."""
    return np.array([factor.high - factor.low for factor in factors.FACTORS]) / np.sqrt(12)


def _regressor(channels: int, count: int, epochs: int, cache: Path) -> "keras.Model":
    """The network that comes with the project, or that of the cache, or a new one, which the cache then keeps."""
    name = _file_name(channels, count, epochs)
    for path in (SHIPPED / name, cache / name):
        try:
            if path.exists():
                return keras.saving.load_model(path, compile=False)
        except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as damage:
            first_line = str(damage).partition("\n")[0] or type(damage).__name__
            log.warning("%s cannot be read (%s); going on without it", path, first_line)

    log.info("training the network that compares faces, once, on %s rendered faces", f"{count:,}")
    regressor = _learnt(channels, count, epochs, cache)
    try:
        with atomic_write(cache / name) as temporary:
            regressor.save(temporary)
    except OSError as refusal:
        log.warning(
            "the network could not be saved in %s (%s); going on, but the next evaluation trains it again",
            cache,
            refusal,
        )
    return regressor


def _file_name(channels: int, count: int, epochs: int) -> str:
    """A file name with a digest of what determines the network: the settings, and the code that draws and trains."""
    settings = (channels, count, epochs, SIDE, FILTERS, KERNELS, UNITS, BATCH, LEARNING_RATE, SEED)
    training = [inspect.getsource(function) for function in (_learnt, _train, _network, standardised)]
    code = rendering_code() + "".join(training)
    digest = hashlib.sha256(f"{settings} {code}".encode()).hexdigest()[:12]
    return f"regressor-{SIDE}x{SIDE}x{channels}-{digest}.keras"


def _learnt(channels: int, count: int, epochs: int, cache: Path) -> "keras.Model":
    faces = rendered_faces(count, SIDE, channels, SEED, cache)
    return _train(faces.images.all(), standardised(faces.factors), epochs)


def _train(images: np.ndarray, targets: np.ndarray, epochs: int) -> "keras.Model":
    """A network that predicts targets (n, K) from images (n, SIDE, SIDE, channels) uint8.

    Two trainings give the same weights if the operations of TensorFlow are deterministic; `evaluate.py` makes them so.
    """
    network = _network(images.shape[1:], targets.shape[1])
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, epochs * steps_per_epoch(len(images), BATCH))
    # jit_compile is off because XLA makes this network several times slower on a CPU.
    network.compile(keras.optimizers.Adam(rate), loss="mean_squared_error", jit_compile=False)
    for epoch in tracked(range(epochs), "training this network", epochs):
        order = np.random.default_rng((SEED, epoch)).permutation(len(images))
        for batch in np.split(order, range(BATCH, len(order), BATCH)):
            network.train_on_batch(to_unit(images[batch]), targets[batch])
    # A copy without the optimizer, whose state would make the file three times as large.
    trained = _network(images.shape[1:], targets.shape[1])
    trained.set_weights(network.get_weights())
    return trained


def _network(image_shape: tuple[int, ...], outputs: int) -> "keras.Sequential":
    """An untrained network from images in [0, 1] to (batch, outputs). Each convolution halves the sides of an image."""
    initializer = seeded_initializers(SEED)
    return keras.Sequential(
        [
            keras.Input(image_shape),
            layers.Rescaling(2.0, -1.0),
            *(
                layers.Conv2D(filters, kernel, 2, "same", activation="relu", kernel_initializer=next(initializer))
                for filters, kernel in zip(FILTERS, KERNELS, strict=True)
            ),
            layers.Flatten(),
            layers.Dense(UNITS, kernel_initializer=next(initializer)),
            layers.Dense(outputs, kernel_initializer=next(initializer)),
        ]
    )


@functools.cache
def _inception() -> "keras.Model":
    log.info("loading InceptionV3; its weights (90 MB) are downloaded the first time")
    try:
        with redirect_stdout(io.StringIO()):  # Keras prints the progress of the download there
            return keras.applications.InceptionV3(include_top=False, weights="imagenet", pooling="avg")
    except Exception as reason:  # Keras itself raises Exception if a download fails
        first_line = str(reason).partition("\n")[0] or type(reason).__name__
        raise UserError(
            f"--inception needs the weights of InceptionV3, which cannot be downloaded ({first_line}); "
            "leave --inception out, or try again later"
        ) from reason


def ship(channels: int, cache: Path = CACHE) -> Path:
    """Train the network for images with so many channels, and keep it among those that come with the project."""
    path = SHIPPED / _file_name(channels, FACES, EPOCHS)
    regressor = _learnt(channels, FACES, EPOCHS, cache)
    with atomic_write(path) as temporary:
        regressor.save(temporary)
    for former in SHIPPED.glob(f"regressor-{SIDE}x{SIDE}x{channels}-*.keras"):
        if former != path:
            former.unlink()
    return path
