import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorboard.plugins.projector import ProjectorConfig

from data.rendered_faces import rendered_faces
from vae_keras.callbacks.projector import metadata, sprite_sheet
from vae_keras.config import all_settings
from vae_keras.config_file import load_config
from vae_keras.run_data import read_data
from vae_keras.run_folder import Run, read_history
from vae_keras.runs import load_run


def read(folder):
    """What TensorBoard itself reads from the event files of one of its runs."""
    accumulator = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    return accumulator.Reload()


@pytest.fixture(scope="module", params=["train", "validation"])
def log(request, tiny_run):
    return request.param, read(Run(tiny_run).logs / request.param)


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
    posterior = vae.encode(data.dataset.images.all()[getattr(data.split, part)] / np.float32(255))
    mean, log_variance = (np.asarray(value, float) for value in posterior)
    expected = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).mean(axis=0)
    logged = [
        float(tf.make_ndarray(events.Tensors(f"kl_of_latent/{latent:02d}")[-1].tensor_proto)) for latent in range(4)
    ]
    assert logged == pytest.approx(expected.tolist(), rel=1e-3, abs=1e-5)


def test_images_of_reconstructions_and_samples_are_there(log):
    part, events = log
    for tag in ("reconstructions", "samples", "traversals") if part == "train" else ("reconstructions",):
        width, height, png = tf.make_ndarray(events.Tensors(tag)[-1].tensor_proto)
        image = tf.io.decode_png(png).numpy()
        assert image.shape[:2] == (int(height), int(width))
        assert image.std() > 5


def test_the_learning_rate_of_every_epoch_is_there(tiny_run):
    events = read(Run(tiny_run).logs / "train")
    logged = [(event.step, float(tf.make_ndarray(event.tensor_proto))) for event in events.Tensors("learning_rate")]
    assert logged == [(epoch, pytest.approx(5e-4)) for epoch in (1, 2, 3)]


def test_the_settings_are_there_with_the_validation_metrics(tiny_run):
    events = read(Run(tiny_run).logs)
    plugin = events.PluginTagToContent("hparams")
    started = HParamsPluginData.FromString(plugin["_hparams_/session_start_info"]).session_start_info
    logged = {
        name: value.string_value or value.number_value or value.bool_value for name, value in started.hparams.items()
    }
    used = load_config(Run(tiny_run).config).settings()
    assert logged == used
    # Of all settings, for TensorBoard shows the columns of whichever run it finds first.
    experiment = HParamsPluginData.FromString(plugin["_hparams_/experiment"]).experiment
    assert {info.name for info in experiment.hparam_infos} == set(all_settings())
    assert {(info.name.group, info.name.tag) for info in experiment.metric_infos} == {
        ("validation", term) for term in ("loss", "elbo", "reconstruction_nll", "kl")
    }


def test_the_graph_is_that_of_the_model(tiny_run):
    nodes = {node.name.split("/")[0] for node in read(Run(tiny_run).logs).Graph().node}
    assert {"images"} < nodes
    for part in ("encoder", "sampling", "decoder"):
        assert any(node.startswith(part) for node in nodes)


def test_the_projector_shows_the_latents_of_the_validation_images_with_their_labels_and_images(tiny_run):
    run = Run(tiny_run)
    folder = run.logs / "validation"
    config = text_format.Parse((folder / "projector_config.pbtxt").read_text(), ProjectorConfig())
    (embedding,) = config.embeddings
    data, vae = read_data(load_config(run.config), run.split), load_run(tiny_run, "last")
    indices = data.split.validation
    images = data.dataset.images.all()[indices]
    latents = np.loadtxt(folder / embedding.tensor_path, delimiter="\t")
    np.testing.assert_allclose(latents, vae.encode(images / np.float32(255)).mean, rtol=1e-3, atol=1e-5)

    header, *rows = [line.split("\t") for line in (folder / embedding.metadata_path).read_text().splitlines()]
    assert header == ["name", "class", *data.dataset.factor_names]
    assert [row[0] for row in rows] == [data.dataset.names[index] for index in indices]
    yaw = [float(row[header.index("yaw")]) for row in rows]
    np.testing.assert_allclose(yaw, data.dataset.factors[indices, data.dataset.factor_names.index("yaw")], rtol=1e-3)

    sheet = np.asarray(Image.open(folder / embedding.sprite.image_path))
    width, height = embedding.sprite.single_image_dim
    assert sheet.shape == (2 * height, 2 * width)  # four images
    for place, image in enumerate(images):
        top, left = place // 2 * height, place % 2 * width
        np.testing.assert_allclose(sheet[top : top + height, left : left + width], image[..., 0], atol=1)


def test_sprites_fill_a_square_that_the_projector_can_cut_up():
    images = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    sheet = np.asarray(sprite_sheet(images, 16))
    assert sheet.shape == (48, 48, 3)
    assert sheet[32:].min() == sheet[16:32, 32:].min() == 255


def test_a_factor_called_class_does_not_stand_in_for_the_class():
    dataset = rendered_faces(12, 32)
    named = dataset._replace(factor_names=("class", *dataset.factor_names[1:]))
    header, *rows = metadata(named, np.array([3]))
    assert header[:3] == ["name", "class", "class"]
    assert rows[0][1] == dataset.classes[3]


def test_labels_that_no_factor_stands_for_have_a_column(tmp_path):
    dataset = rendered_faces(12, 32)
    labelled = dataset._replace(factor_names=(), factors=dataset.factors[:, :0], classes=None)
    header, *rows = metadata(labelled, np.array([3, 5]))
    assert header == ["name", "class", *dataset.label_names]
    has = dataset.label("smile")
    assert [row[header.index("smile")] for row in rows] == ["yes" if has[index] else "no" for index in (3, 5)]
