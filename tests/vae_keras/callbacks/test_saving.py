import math

import numpy as np
import pytest

import vae_keras
from common.errors import UserError
from vae_keras.callbacks import FiniteLoss
from vae_keras.optimizers import Adam
from vae_keras.run_folder import Run


@pytest.mark.parametrize(("precision", "remedy"), [("float32", "a lower --lr"), ("float16", "--precision float32")])
def test_values_that_are_not_finite_stop_training_with_the_remedy_for_the_precision(tmp_path, precision, remedy):
    vae = vae_keras.build_vae((32, 32, 1), 4, precision=precision)
    vae.compile(Adam(1e-3), jit_compile=False)
    guard = FiniteLoss(Run(tmp_path))
    guard.set_model(vae)
    guard.on_epoch_end(0, {"loss": 1.0})
    with pytest.raises(UserError, match=f"kl is not finite in epoch 3; no epoch was finished; .* with {remedy}$"):
        guard.on_epoch_end(2, {"loss": 1.0, "kl": math.nan})
    vae.decoder.layers[0].bias.assign(np.full(vae.decoder.layers[0].bias.shape, math.inf))
    with pytest.raises(UserError, match="a weight is not finite"):
        guard.on_epoch_end(0, {"loss": 1.0})
