import keras
import numpy as np
import pytest

import vae_keras
from vae_keras.augmented import shown_in_training
from vae_keras.config import Config
from vae_keras.metrics import elbo
from vae_keras.run_data import open_data
from vae_keras.run_folder import create_run, read_history
from vae_keras.training import compiled_vae, first_vae, fit

SMALL = Config.of(data="faces:40", image_size=32, batch_size=16, latent_dim=4, epochs=2)


def test_training_starts_from_the_linear_vae_unless_told_otherwise():
    config, random = SMALL.checked(), SMALL.replaced(linear_start=False).checked()
    data = open_data(config)
    train = data.dataset.images.all()[data.split.train]
    started, random_start = (elbo(first_vae(chosen, data), train).elbo for chosen in (config, random))
    assert started > random_start + 30
    assert random_start == elbo(compiled_vae(config), train).elbo


def test_callbacks_of_a_users_own_come_last(tmp_path):
    seen = []

    class Own(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(len(read_history(run)))

    config = SMALL.checked()
    data = open_data(config)
    run = create_run(tmp_path / "run", config, data)
    assert fit(run, config, data, [Own()])
    assert seen == [1, 2]
    assert vae_keras.load_run(run.folder).latent_dim == 4


@pytest.mark.parametrize(("moves", "times"), [({}, 1), ({"flip": True}, 4), ({"shift": 2}, 4)])
def test_what_training_shows_is_every_train_image_and_no_other(moves, times):
    config = SMALL.replaced(**moves).checked()
    data = open_data(config)
    train = data.dataset.images.all()[data.split.train] / np.float32(255)
    shown = shown_in_training(config, data)
    assert shown.shape == (times * len(train), 32, 32, 1)
    assert shown.min() >= 0
    assert shown.max() <= 1
    # The middle of each image, wherever it was moved to, is in one of the train images or in its mirror image.
    windows = {
        oriented[row : row + 24, column : column + 24].tobytes()
        for image in train
        for oriented in (image, image[:, ::-1])
        for row in range(9)
        for column in range(9)
    }
    assert all(np.ascontiguousarray(image[4:28, 4:28]).tobytes() in windows for image in shown)
    assert len({image.tobytes() for image in shown}) > (times > 1) * len(train)
