"""Fidelity by factor: how much of each known factor is left in latents and in reconstructions.

PSNR and SSIM average over the pixels of an image. A mouth has few pixels, so both can be high while it is lost. Here a
network reads the factors off the test images and off their reconstructions, and kernel ridge regression reads them off
the latents. Each reading is scored by R2, the share of the factor's variance that it explains. A factor that can be
read off the image and the latents, but not off the reconstruction, is lost in the decoder.
"""

from typing import NamedTuple

import numpy as np
from sklearn.kernel_ridge import KernelRidge
from sklearn.preprocessing import StandardScaler

from vae_keras.feature_spaces import explained_variance

MOST_CODES = 2_000  # that the regression is fitted on; its time grows with their third power
AT_ONCE = 5_000  # of the other latents
WIDTHS = (0.1, 0.3, 1.0)  # of the kernel exp(-width / D |z - z'|^2)
PENALTIES = (0.01, 0.1, 1.0)
RESAMPLES = 200


class Reading(NamedTuple):
    """R2 of one factor, at most 1.

    Attributes:
        image: read off test images by the network. This is the most that it can find in a reconstruction.
        reconstruction: read off the reconstructions of the test images by the same network.
        standard_error: of `reconstruction`, over the choice of the test images (bootstrap).
        latents: read off the posterior means of the test images by kernel ridge regression.
    """

    image: float
    reconstruction: float
    standard_error: float
    latents: float


def readings(true: np.ndarray, images: np.ndarray, reconstructions: np.ndarray, latents: np.ndarray) -> list[Reading]:
    """The readings of each factor.

    Args:
        true: factors of n test images, (n, K), in any unit of zero mean.
        images, reconstructions, latents: the same, as read off each, (n, K).
    """
    by_image, by_reconstruction, by_latents = (
        explained_variance(true, read) for read in (images, reconstructions, latents)
    )
    random = np.random.default_rng(0)
    drawn = (random.integers(len(true), size=len(true)) for _ in range(RESAMPLES))
    errors = np.std([explained_variance(true[at], reconstructions[at]) for at in drawn], axis=0, ddof=1)
    columns = zip(by_image, by_reconstruction, errors, by_latents, strict=True)
    return [Reading(*map(float, column)) for column in columns]


def read_off_latents(
    codes: np.ndarray, values: np.ndarray, others: np.ndarray, seed: int = 0, most: int = MOST_CODES
) -> np.ndarray:
    """The factors that kernel ridge regression reads off other latents, (m, K).

    The width of the kernel and the penalty are those with the smallest error on a fifth of the codes.

    Args:
        codes: posterior means of images whose factors are known, (n, D).
        values: their factors, (n, K).
        others: posterior means, (m, D).
        most: use at most so many codes, drawn at random.
    """
    order = np.random.default_rng(seed).permutation(len(codes))[:most]
    scaler = StandardScaler().fit(codes[order])
    codes, others, values = scaler.transform(codes[order]), scaler.transform(others), values[order]
    fitted = max(1, len(codes) * 4 // 5)

    def regression(width: float, penalty: float) -> KernelRidge:
        return KernelRidge(alpha=penalty, kernel="rbf", gamma=width / codes.shape[1])

    def error(width: float, penalty: float) -> float:
        read = regression(width, penalty).fit(codes[:fitted], values[:fitted]).predict(codes[fitted:])
        return float(np.mean((read - values[fitted:]) ** 2))

    settings = [(width, penalty) for width in WIDTHS for penalty in PENALTIES]
    best = min(settings, key=lambda setting: error(*setting)) if fitted < len(codes) else settings[-1]
    model = regression(*best).fit(codes, values)
    # The kernel has a number for each pair of latents, so not all of the others go into one.
    return np.concatenate([model.predict(some) for some in np.split(others, range(AT_ONCE, len(others), AT_ONCE))])
