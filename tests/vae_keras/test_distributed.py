import json

import keras
import pytest
import tensorflow as tf

import vae_keras
from common.errors import UserError
from tests.support import ROOT, run_python
from vae_keras.architectures import Deep
from vae_keras.distributed import Replicated
from vae_keras.launch import environment


def test_steps_on_two_devices_are_the_steps_on_one_for_every_objective_prior_and_optimizer():
    own = {**environment(2), "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    result = run_python("tests/vae_keras/steps_on_devices.py", env=own, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    differences = json.loads(result.stdout.splitlines()[-1])
    assert len(differences) == 10
    assert {name: value for name, value in differences.items() if not value < 1e-3} == {}


def test_batch_normalisation_of_keras_is_refused(monkeypatch):
    monkeypatch.setattr("vae_keras.seeded_layers.BatchNormalization", keras.layers.BatchNormalization)
    vae = vae_keras.build_vae((32, 32, 1), 2, Deep(hidden_size=4, batch_normalization=True))
    with pytest.raises(UserError, match="--distribute"):
        Replicated(tf.distribute.get_strategy()).prepare(vae)
