"""The number of latents that carry information about the image."""

import numpy as np

THRESHOLD = 0.01


def active_units(means: np.ndarray) -> int:
    """The number of latents whose posterior mean varies over the data: Var_x(E_q[z_j]) > 0.01.

    Burda et al. 2016, arXiv 1509.00519, section 5.2.

    Args:
        means: posterior means, (n, latents).
    """
    return int(np.sum(np.var(means, axis=0) > THRESHOLD))
