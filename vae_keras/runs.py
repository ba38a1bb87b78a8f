"""Load trained models from run folders."""

import json
import zipfile
from pathlib import Path

import keras

from common.errors import UserError
from vae_keras.config import load_config
from vae_keras.model import VAE
from vae_keras.run_folder import last_checkpoint, open_run


def load_model(path: Path) -> VAE:
    """A saved VAE with its optimiser.

    Raises:
        UserError: the file cannot be loaded, or holds another model.
    """
    try:
        model = keras.saving.load_model(path)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, zipfile.BadZipFile) as reason:
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
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
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
    has = {"images": vae.image_shape, "latents": vae.latent_dim, **vae.parts}
    should_have = {"images": config.image_shape, "latents": config.latent_dim}
    should_have |= {kind: config.build(kind) for kind in vae.parts}
    for what, one in has.items():
        if one != should_have[what]:
            raise UserError(
                f"{path} has {what} {one}, but {run.config.name} in the same folder has {should_have[what]}: "
                "the two files belong to different runs; restore the right file"
            )
    return vae
