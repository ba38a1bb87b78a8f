import json
import os
import shutil
import zipfile

import keras
import numpy as np
import pytest

import vae_keras
from common.errors import UserError
from vae_keras.config import Config
from vae_keras.config_file import load_config, save_config
from vae_keras.evaluation.record import read_record
from vae_keras.run_data import open_data, read_data
from vae_keras.run_folder import Run, best_epoch, create_run, latest_run, open_run, read_history, write_history
from vae_keras.runs import load_run
from vae_keras.training import compiled_vae


@pytest.fixture
def config():
    return Config.of(data="faces:20", image_size=32).checked()


def test_history_survives_the_file_to_the_last_bit(tmp_path):
    rows = [
        {"epoch": e, "loss": 0.1 + e / 3, "elbo": -1e-17 * e, "reconstruction_nll": e / 7, "kl": 1 / e} for e in (1, 2)
    ]
    write_history(Run(tmp_path), rows)
    assert read_history(Run(tmp_path)) == rows


def test_the_best_epoch_is_by_validation_elbo_and_else_the_last():
    rows = [{"epoch": 1, "elbo": 0.0, "val_elbo": -2.0}, {"epoch": 2, "elbo": 1.0, "val_elbo": -3.0}]
    assert best_epoch(rows) == 1
    assert best_epoch([{"epoch": 1, "elbo": 5.0}, {"epoch": 2, "elbo": 1.0}]) == 2


def test_a_split_is_kept_in_the_run_and_read_back(tmp_path, config):
    data = open_data(config)
    run = create_run(tmp_path / "a", config, data)
    again = read_data(config, run.split)
    for ours, theirs in zip(data.split, again.split, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_images_that_changed_since_training_are_noticed(tmp_path, config):
    run = create_run(tmp_path / "a", config, open_data(config))
    saved = json.loads(run.split.read_text())
    first, second = saved["train"][:2]
    changed = {**saved, "digests": {**saved["digests"], first: "other"}}
    run.split.write_text(json.dumps(changed))
    with pytest.raises(UserError, match=rf"was trained: 1 changed \(such as {first}\); train"):
        read_data(config, run.split)
    run.split.write_text(json.dumps({**changed, "train": saved["train"][2:], "test": [*saved["test"], first]}))
    with pytest.raises(UserError, match=rf"was trained: 1 new \(such as {second}\), 1 changed"):
        read_data(config, run.split)
    assert second in saved["digests"]


def test_a_run_is_never_made_over_something(tmp_path, config):
    data = open_data(config)
    create_run(tmp_path / "a", config, data)
    with pytest.raises(UserError, match="is a run already"):
        create_run(tmp_path / "a", config, data)
    (tmp_path / "b").mkdir()
    create_run(tmp_path / "b", config, data)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "thesis.tex").touch()
    with pytest.raises(UserError, match="exists and is not a run"):
        create_run(tmp_path / "c", config, data)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_the_latest_run_is_the_one_trained_last(tmp_path, config):
    with pytest.raises(UserError, match="no runs"):
        latest_run(tmp_path)
    data = open_data(config)
    first, second = (create_run(tmp_path / name, config, data) for name in "ab")
    os.utime(first.config, (1, 1))
    assert latest_run(tmp_path) == second
    write_history(first, [{"epoch": 1, "loss": 0.0}])
    later = second.config.stat().st_mtime + 10
    os.utime(first.history, (later, later))
    assert latest_run(tmp_path) == first


def test_a_missing_run_is_named_with_the_nearest(tmp_path, config):
    create_run(tmp_path / "smiles", config, open_data(config))
    with pytest.raises(UserError, match=r"did you mean .*smiles"):
        open_run(tmp_path / "smile")


def test_best_and_last_epoch_are_loaded(tiny_run):
    best, last = load_run(tiny_run), load_run(tiny_run, "last")
    rows = read_history(Run(tiny_run))
    same = all(np.array_equal(a, b) for a, b in zip(best.get_weights(), last.get_weights(), strict=True))
    assert same == (best_epoch(rows) == rows[-1]["epoch"])
    assert last.optimizer.iterations.numpy() == rows[-1]["epoch"] * 2


def test_a_run_without_a_finished_epoch_or_with_a_damaged_model_says_so(tmp_path, config, tiny_run):
    run = create_run(tmp_path / "a", config, open_data(config))
    with pytest.raises(UserError, match="no epoch is finished"):
        load_run(run.folder)
    shutil.copytree(tiny_run, tmp_path / "b")
    Run(tmp_path / "b").model.write_bytes(b"PK not a model")
    with pytest.raises(UserError, match="cannot be loaded"):
        load_run(tmp_path / "b")
    assert load_config(Run(tmp_path / "b").config).epochs == 3


def rewritten(path, **changes):
    """A .keras file with other contents in some of its members."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, change in changes.items():
        members[f"{name}.json"] = json.dumps(change(json.loads(members[f"{name}.json"]))).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_a_model_of_another_keras_that_cannot_be_loaded_names_both_versions(tiny_run, tmp_path):
    run = Run(shutil.copytree(tiny_run, tmp_path / "a"))
    rewritten(run.model, metadata=lambda metadata: {**metadata, "keras_version": "2.1.0"})
    load_run(run.folder)  # another version alone is no reason
    rewritten(run.model, config=lambda config: {**config, "config": {}})
    with pytest.raises(UserError, match=rf"saved by Keras 2\.1\.0, this is Keras {keras.__version__}: install"):
        load_run(run.folder)


def test_files_of_different_runs_do_not_pass_for_one(tiny_run, tmp_path):
    run = Run(shutil.copytree(tiny_run, tmp_path / "a"))
    vae_keras.build_vae((32, 32, 1), 5).save(run.model)
    with pytest.raises(UserError, match=r"model.keras has latents 5, but config.json in the same folder has 4: "):
        load_run(run.folder)
    vae_keras.build_vae((32, 32, 1), 4, likelihood="gaussian").save(run.model)
    with pytest.raises(
        UserError, match=r"likelihood Gaussian\(variance=0.125\), but config.json in the same folder has Bernoulli\(\)"
    ):
        load_run(run.folder)


EDITED = {
    "lr": 1e-3, "weight_decay": 0.1, "weight_averaging": 0.2, "precision": "float32", "hidden_size": 32,
    "clipping": 2.0, "schedule": "cosine", "dropout": 0.3, "batch_normalization": True, "seed": 7, "beta": 3.0,
}  # fmt: skip
DEEP = Config.of(
    data="faces:20", image_size=32, architecture="deep", hidden_size=16, objective="beta_vae", beta=2.0
).checked()


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    """A run that has a model and no training, of which every setting of the model can be edited."""
    run = create_run(tmp_path_factory.mktemp("runs") / "a", DEEP, open_data(DEEP))
    vae = compiled_vae(DEEP, 14)
    vae.optimizer.build(vae.trainable_variables)
    vae.save(run.model)
    load_run(run.folder)
    return run


@pytest.mark.parametrize("setting", EDITED)
def test_a_setting_that_was_edited_is_not_taken_for_that_of_the_model(deep, setting):
    save_config(DEEP.replaced(**{setting: EDITED[setting]}).checked(), deep.config)
    with pytest.raises(UserError, match=r"one was edited; restore the right file"):
        load_run(deep.folder)
    save_config(DEEP, deep.config)
    load_run(deep.folder)


def damaged(contents):
    """Copies of a file, damaged in many ways: cut, and with other bytes in its tables."""
    for length in (0, 10, len(contents) // 2, len(contents) - 30, len(contents) - 1):
        yield contents[:length]
    directory = contents.rindex(b"PK\x01\x02")  # of the last member
    for place in (*range(directory, directory + 46, 2), *range(len(contents) - 22, len(contents), 3)):
        yield contents[:place] + bytes([contents[place] ^ 0xFF]) + contents[place + 1 :]


def test_a_damaged_model_is_refused_or_has_the_same_weights(deep, tmp_path):
    weights = load_run(deep.folder).get_weights()
    run = Run(shutil.copytree(deep.folder, tmp_path / "a"))
    refused = []
    for contents in damaged(deep.model.read_bytes()):
        run.model.write_bytes(contents)
        try:
            loaded = load_run(run.folder).get_weights()
        except UserError as error:
            refused.append(str(error))
        else:
            for one, other in zip(weights, loaded, strict=True):
                np.testing.assert_array_equal(one, other)
    assert len(refused) > 15
    assert not any("\n" in line or "File not found" in line for line in refused)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": Infinity}', '{"a": NaN}', '{"a":', ""])
@pytest.mark.parametrize("name", ["config", "split", "metrics"])
def test_a_file_that_is_no_json_is_refused(deep, tmp_path, name, text):
    run = Run(shutil.copytree(deep.folder, tmp_path / "a"))
    getattr(run, name).write_text(text)
    with pytest.raises(UserError, match=rf"{name}\.json (is damaged|does not hold)"):
        {"config": lambda: load_config(run.config), "split": lambda: read_data(DEEP, run.split),
         "metrics": lambda: read_record(run)}[name]()  # fmt: skip


def test_settings_of_a_later_version_are_named(tiny_run, tmp_path):
    run = Run(shutil.copytree(tiny_run, tmp_path / "a"))
    run.config.write_text(json.dumps({**json.loads(run.config.read_text()), "warp": 9}))
    with pytest.raises(UserError, match=r"not known \(warp\); if .* import it first; else use the version"):
        load_run(run.folder)


def test_settings_of_an_earlier_version_take_the_defaults_of_what_it_did_not_have(tiny_run, tmp_path):
    run = Run(shutil.copytree(tiny_run, tmp_path / "a"))
    saved = json.loads(run.config.read_text())
    del saved["flip"]
    run.config.write_text(json.dumps(saved))
    assert load_config(run.config).flip is False
