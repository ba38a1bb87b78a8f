"""Prints by how much training steps on two devices differ from the steps on one, for every kind of part.

Run by test_distributed.py in a process of its own, because TensorFlow divides its CPU before its first operation.
"""

import json

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.data.ops import multi_device_iterator_ops as device_pipelines

import vae_keras
from data.pipelines import evaluation_batches
from vae_keras import optimizers
from vae_keras.architectures import Deep
from vae_keras.distributed import Devices, mirrored
from vae_keras.objectives import OBJECTIVES, discriminator
from vae_keras.optimizers import Adam, Muon
from vae_keras.priors import PRIORS

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
# TensorFlow's pipeline to each device has a thread for tuning, whose end may take a minute (data/pipelines.py).
to_device, UNTUNED = device_pipelines._create_device_dataset, tf.data.Options()
UNTUNED.autotune.enabled = False
device_pipelines._create_device_dataset = lambda *arguments: to_device(*arguments).with_options(UNTUNED)
# One strategy for all cases: TensorFlow numbers the messages of each strategy from the same start.
TWO = mirrored()
STEPS = 2
discriminator.UNITS = 20
optimizers.FIRST_STEPS = 1  # so that the second step is clipped
IMAGES = np.random.default_rng(0).integers(0, 256, (9, 32, 32, 1), np.uint8)  # pieces of four and five
TC = OBJECTIVES["beta_tc_vae"]()
# With SGD, because Adam would hide a gradient that is summed twice.
CASES = {
    "networks": {"architecture": Deep(hidden_size=16, batch_normalization=True, dropout=0.3), "precision": "float32"},
    **{f"objective {name}": {"objective": objective()} for name, objective in OBJECTIVES.items()},
    "objective vae": {"likelihood": "learned_gaussian"},
    "objective annealed_vae": {"objective": OBJECTIVES["annealed_vae"](warm_up=1.0)},
    # The weights of the prior enter this loss before the rows of all devices are gathered, and after.
    **{f"prior {name}": {"prior": name, "objective": TC} for name in PRIORS if name != "standard"},
}
OPTIMIZERS = {
    "adam": lambda: Adam(1e-3, weight_decay=0.1, mean_age=0.2, clipping=0.5),
    "muon": lambda: Muon(1e-3, clipping=0.5),
}


def weights_around(devices, optimizer, options):
    """All weights of a VAE before and after the steps, those of its optimizer included."""
    with devices.scope():
        vae = vae_keras.build_vae((32, 32, 1), 3, **{"seed": 1, "training_images": 40, **options})
        vae.compile(optimizer(), jit_compile=False)
        vae.optimizer.build(vae.trainable_variables)
        if vae.auxiliary.trainable_variables:
            vae.auxiliary.optimizer = keras.optimizers.SGD(0.1)
            vae.auxiliary.optimizer.build(vae.auxiliary.network.trainable_variables)
    devices.prepare(vae)
    every = (*vae.weights, *vae.optimizer.variables, vae.sampling.seed_generator.state)
    before = [np.asarray(weight, float) for weight in every]
    batches = devices.batches(lambda share: evaluation_batches(IMAGES, len(IMAGES), share))
    for _ in range(STEPS):
        vae.fit(batches, verbose=0, shuffle=False)
    assert vae.images_seen == STEPS * len(IMAGES)
    return before, [np.asarray(weight, float) for weight in every]


def difference(optimizer, options):
    """The largest difference between one device and two, as a share of the largest change that one device makes."""
    (start, one), (_, two) = (weights_around(devices, optimizer, options) for devices in (Devices(), TWO))
    changes = [np.abs(after - before).max() for before, after in zip(start, one, strict=True)]
    differences = [np.abs(after - other).max() for after, other in zip(one, two, strict=True)]
    return max(differ / max(change, 1e-3) for differ, change in zip(differences, changes, strict=True))


if __name__ == "__main__":
    keras.config.disable_traceback_filtering()
    print(
        json.dumps(
            {name: difference(lambda: keras.optimizers.SGD(1e-4), options) for name, options in CASES.items()}
            | {f"optimizer {name}": difference(make, {}) for name, make in OPTIMIZERS.items()}
        )
    )
