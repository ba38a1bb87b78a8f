import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from vae_keras.config import load_config
from vae_keras.run_data import read_data
from vae_keras.runs import Run, load_run, read_history


@pytest.fixture(scope="module", params=["train", "validation"])
def log(request, tiny_run):
    accumulator = EventAccumulator(str(Run(tiny_run).logs / request.param), size_guidance={"tensors": 0})
    accumulator.Reload()
    return request.param, accumulator


def test_the_terms_of_every_epoch_are_those_of_the_history(log, tiny_run):
    part, events = log
    prefix = "val_" if part == "validation" else ""
    rows = read_history(Run(tiny_run))
    for term in ("elbo", "reconstruction_nll", "kl", "loss"):
        logged = [(event.step, float(tf.make_ndarray(event.tensor_proto))) for event in events.Tensors(term)]
        assert logged == [(row["epoch"], pytest.approx(row[prefix + term], rel=1e-6)) for row in rows]


def test_the_kl_of_each_latent_is_that_of_the_model_and_they_add_up(log, tiny_run):
    part, events = log
    run = Run(tiny_run)
    data, vae = read_data(load_config(run.config), run.split), load_run(tiny_run, "last")
    posterior = vae.encode(data.dataset.images[getattr(data.split, part)] / np.float32(255))
    mean, log_variance = (np.asarray(value, float) for value in posterior)
    expected = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).mean(axis=0)
    logged = [
        float(tf.make_ndarray(events.Tensors(f"kl_of_latent/{latent:02d}")[-1].tensor_proto)) for latent in range(4)
    ]
    assert logged == pytest.approx(expected.tolist(), rel=1e-3, abs=1e-5)


def test_pictures_of_reconstructions_and_samples_are_there(log):
    part, events = log
    for tag in ("reconstructions", "samples") if part == "train" else ("reconstructions",):
        width, height, png = tf.make_ndarray(events.Tensors(tag)[-1].tensor_proto)
        picture = tf.io.decode_png(png).numpy()
        assert picture.shape[:2] == (int(height), int(width))
        assert picture.std() > 5
