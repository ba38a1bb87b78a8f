import keras
import numpy as np
import pytest

import vae_keras
from data.pipelines import evaluation_batches
from vae_keras.callbacks import EvaluateAverage
from vae_keras.optimizers import Adam

IMAGES = np.random.default_rng(0).integers(0, 255, (16, 32, 32, 1)).astype(np.uint8)


class Spy(keras.callbacks.Callback):
    """Notes a weight at the end of every training batch and of every epoch."""

    def __init__(self):
        super().__init__()
        self.trained, self.shown = [], []

    def weight(self):
        return self.model.decoder.layers[0].bias.numpy()

    def on_train_batch_end(self, batch, logs=None):
        self.trained.append(self.weight())

    def on_epoch_end(self, epoch, logs=None):
        self.shown.append(self.weight())


def trained(mean_age, validated):
    vae, spy = vae_keras.build_vae((32, 32, 1), 4), Spy()
    vae.compile(optimizer=Adam(1e-2, mean_age=mean_age), jit_compile=False)
    batches = evaluation_batches(IMAGES, 8)
    callbacks = [EvaluateAverage(in_place=False), spy] if mean_age else [spy]
    vae.fit(
        batches, epochs=3, validation_data=batches if validated else None, verbose=0, shuffle=False, callbacks=callbacks
    )
    return vae, spy


@pytest.mark.parametrize("validated", [False, True])
def test_epochs_end_with_the_average_and_training_goes_on_from_the_weights(validated):
    vae, spy = trained(0.5, validated)
    # With a mean age of a half, all steps so far count alike; there are two in an epoch.
    for epoch in range(3):
        expected = np.mean(spy.trained[: 2 * epoch + 2], axis=0)
        np.testing.assert_allclose(spy.shown[epoch], expected, atol=1e-6)
    np.testing.assert_array_equal(vae.decoder.layers[0].bias.numpy(), spy.shown[-1])
    if not validated:  # validation draws noise too
        np.testing.assert_array_equal(spy.trained, trained(0.0, validated)[1].trained)


def test_validation_uses_the_average():
    vae, _ = trained(0.5, validated=True)
    last = vae.history.history["val_kl"][-1]
    assert last == pytest.approx(vae.evaluate(evaluation_batches(IMAGES, 8), verbose=0, return_dict=True)["kl"])
    vae.optimizer.exchange(vae.trainable_variables)
    other = vae.evaluate(evaluation_batches(IMAGES, 8), verbose=0, return_dict=True)["kl"]
    assert abs(other - last) > 1e-3 * last
