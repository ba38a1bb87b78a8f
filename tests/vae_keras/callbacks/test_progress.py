"""Training says how long it will take."""

import io

import pytest
from rich.console import Console

from vae_keras.callbacks import progress
from vae_keras.callbacks.progress import ShowProgress


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize(("first_epoch", "epochs", "said"), [(0, 40, "0:03:15"), (20, 40, "0:01:35"), (0, 1, None)])
def test_the_duration_is_said_once_after_the_slow_first_step(terminal, first_epoch, epochs, said, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100, highlight=False)
    terms = {"elbo": -1.0, "reconstruction_nll": 1.0, "kl": 0.0}
    with ShowProgress(images=40, steps=5, epochs=epochs, first_epoch=first_epoch, console=console) as shown:
        for epoch in range(first_epoch, epochs):
            shown.on_epoch_begin(epoch)
            for step in range(5):
                now[0] += 60.0 if now[0] == 100.0 else 1.0  # the first step traces the model
                shown.on_train_batch_end(step)
            shown.on_epoch_end(epoch, terms)
    text = console.file.getvalue()
    assert text.count("to go") == (said is not None)
    assert said is None or f"about {said} to go" in text
