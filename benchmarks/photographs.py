"""The VAE against a strong baseline on few photographs: the best linear VAE, compared on the test images.

python -m benchmarks.photographs path/to/smile_and_non_smile

The images are 128 x 128 RGB. The loss is that of the published answer to the assignment, 4 x squared error + KL: the
negative ELBO with a Gaussian likelihood of variance 1/8, without its constant. The validation images chose the settings
and the epoch. The trials also printed the loss on test, so the choice of settings was not blind to test. Two baselines
have the same number of latents, both in closed form: one is fitted on the train images, the other on train images that
are mirrored and shifted as in training. The VAE's loss uses one posterior sample for each image. The loss of the linear
VAE is exact.
"""

import vae_keras  # isort: skip  (first: it loads TensorFlow quietly)

import math
import sys
import time
from pathlib import Path
from shlex import split

from rich.console import Console
from rich.table import Table

import train
from data.dataset import unit_pixels
from vae_keras import metrics
from vae_keras.augmented import shown_in_training
from vae_keras.config import load_config
from vae_keras.run_data import read_data
from vae_keras.run_folder import best_epoch, open_run, read_history

VARIANCE = 0.125
SETTINGS = split("--channels 3 --likelihood gaussian --flip --shift 4 --weight-averaging 0.25")
# The settings with the best validation loss, by the number of latents.
OWN_SETTINGS = {
    32: split("--lr 1e-3 --weight-decay 0.5 --batch-size 32 --epochs 120"),
    128: split("--lr 2e-4 --weight-decay 0.2 --batch-size 64 --epochs 160"),
}


def loss(elbo: float, pixels: int) -> float:
    """4 x squared error + KL: the negative ELBO without the Gaussian's constant."""
    return -elbo - 0.5 * pixels * math.log(2 * math.pi * VARIANCE)


def compare(folder: str, latents: int) -> list[list[str]]:
    """Train a VAE with this number of latents, and return its rows of the table."""
    run_folder = Path("runs") / f"photographs-{latents}"
    start = time.perf_counter()
    flags = ["--data", folder, "--latent-dim", str(latents), "--run", str(run_folder)]
    if status := train.main([*flags, *SETTINGS, *OWN_SETTINGS[latents]]):
        sys.exit(status)
    minutes = (time.perf_counter() - start) / 60

    run = open_run(run_folder)
    config = load_config(run.config)
    data, vae = read_data(config, run.split), vae_keras.load_run(run_folder)
    images = data.dataset.images
    parts = (data.split.train, data.split.validation, data.split.test)
    pixels = images[0].size
    ours = [loss(metrics.elbo(vae, images[indices]).elbo, pixels) for indices in parts]
    epoch = best_epoch(read_history(run))
    rows = [[str(latents), f"VAE, epoch {epoch}, {minutes:.0f} min", *(f"{value:.1f}" for value in ours)]]
    plain, moved = unit_pixels(images[data.split.train]), shown_in_training(config, data)
    for name, shown in {"train images": plain, "mirrored and shifted": moved}.items():
        linear = metrics.fit_linear_vae(shown, latents, VARIANCE)
        baseline = [loss(linear.elbo(unit_pixels(images[indices])).elbo, pixels) for indices in parts]
        rows.append([str(latents), f"linear VAE, {name}", *(f"{value:.1f}" for value in baseline)])
    return rows


def main() -> None:
    """Print the table."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.photographs FOLDER")
    table = Table("latents", "model", "train", "validation", "test", title="4 x squared error + KL")
    for latents in OWN_SETTINGS:
        for row in compare(sys.argv[1], latents):
            table.add_row(*row)
        table.add_section()
    Console(highlight=False).print(table)


if __name__ == "__main__":
    main()
