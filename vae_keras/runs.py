"""The models of a run: untrained from its settings, trained from its folder."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from common.errors import UserError
from data.pipelines import steps_per_epoch
from vae_keras.config import Config
from vae_keras.config_file import load_config
from vae_keras.model import VAE, build_vae
from vae_keras.run_folder import last_checkpoint, open_run


def untrained_vae(config: Config, training_images: int = 1) -> VAE:
    """The untrained VAE that the settings ask for."""
    architecture = config.build_architecture()
    return build_vae(
        config.image_shape,
        config.latent_dim,
        architecture,
        config.build_likelihood(),
        config.build_objective(),
        config.seed,
        architecture.precision_of(config.precision),
        training_images,
        config.build_prior(),
    )


def optimizer_of(config: Config, training_images: int) -> keras.Optimizer:
    """The optimiser that the settings ask for, with its schedule over the steps of the whole run."""
    steps = config.epochs * steps_per_epoch(training_images, config.batch_size)
    rate = config.build_schedule().build(config.lr, steps)
    return config.build_optimizer().build(rate, config.weight_decay, config.weight_averaging, config.clipping)


def load_model(path: Path) -> VAE:
    """A saved VAE with its optimiser.

    Raises:
        UserError: the file cannot be loaded, or holds another model.
    """
    try:
        with zipfile.ZipFile(path):  # Keras says "File not found" of a file that is damaged
            pass
        model = keras.saving.load_model(path)
    except (MemoryError, UserError):
        raise
    except Exception as reason:  # a damaged file can cause any error in Keras, zlib, h5py or NumPy
        first_line = str(reason).partition("\n")[0] or type(reason).__name__
        other = keras_version(path)
        remedy = (
            f"it was saved by Keras {other}, this is Keras {keras.__version__}: install {other}, or " if other else ""
        )
        raise UserError(f"{path} cannot be loaded ({first_line}); {remedy}train the run again") from reason
    if not isinstance(model, VAE):
        raise UserError(f"{path} holds a {type(model).__name__}, not a VAE; pass a run that train.py wrote")
    return model


def keras_version(path: Path) -> str | None:
    """The version of Keras that saved a model, if it differs from the installed version; otherwise None.

    The result is also None if the file does not say its version.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            version = json.loads(archive.read("metadata.json"))["keras_version"]
    except Exception:  # a damaged file can cause any error, as in `load_model`; then it does not say its version
        return None
    return version if version != keras.__version__ else None


def load_run(run_dir: str | Path, which: str = "best") -> VAE:
    """The trained VAE of a run.

    Args:
        which: "best", the epoch with the highest validation ELBO, or "last".

    Raises:
        UserError: there is no such run, the run has no finished epoch, a file is damaged, or the files belong to
            different runs.
    """
    run = open_run(Path(run_dir))
    if which not in ("best", "last"):
        raise UserError(f"unknown epoch {which}; known: best, last")
    path = run.model if which == "best" else run.checkpoint(last_checkpoint(run))
    if not path.is_file():
        raise UserError(
            f"{run.folder} is incomplete: no epoch is finished; continue it with "
            f"python train.py --resume --run {run.folder}"
        )
    config = load_config(run.config)
    vae = load_model(path)
    for what, has, should_have in _compared(vae, config):
        if has != should_have:
            raise UserError(
                f"{path} has {what} {has}, but {run.config.name} in the same folder has {should_have}: "
                "the two files belong to different runs, or one was edited; restore the right file"
            )
    return vae


def _compared(vae: VAE, config: Config) -> Iterator[tuple[str, Any, Any]]:
    """What the model and the settings both say: its name, what the model has, and what the settings have."""
    yield "images", vae.image_shape, config.image_shape
    yield "latents", vae.latent_dim, config.latent_dim
    yield "seed", vae.seed, config.seed
    for kind, part in vae.parts.items():
        yield kind, part, config.build(kind)
    expected = untrained_vae(config, vae.training_images)
    for half in ("encoder", "decoder"):
        layers, others = (_layers(getattr(one, half)) for one in (vae, expected))
        yield f"{half} of", [name for name, _ in layers], [name for name, _ in others]
        for (name, layer), (_, other) in zip(layers, others, strict=True):
            for option, value in layer.items():
                yield f"{half} with {option} of {name}", value, other.get(option)
    optimizer = getattr(vae.optimizer, "inner_optimizer", vae.optimizer)
    wanted = optimizer_of(config, vae.training_images)
    # Older models have optimisers of Keras.
    if optimizer is not None and type(optimizer).__module__ == type(wanted).__module__:
        yield "optimizer", type(optimizer).__name__, type(wanted).__name__
        has, should_have = optimizer.get_config(), wanted.get_config()
        for option, value in should_have.items():
            if option != "name":  # Keras counts optimisers in it
                yield f"optimizer with {option}", has.get(option), value


def _layers(half: keras.Model) -> list[tuple[str, dict[str, Any]]]:
    """The class and the options of each layer. Names and random starts are left out, because they change no output."""
    without = ("name", "seed", "kernel_initializer", "bias_initializer")
    return [
        (type(layer).__name__, {key: value for key, value in layer.get_config().items() if key not in without})
        for layer in half.layers
    ]
