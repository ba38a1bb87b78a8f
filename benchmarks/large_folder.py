"""A folder with more images than fit into memory: time and memory of its cache, of training and of an evaluation.

python -m benchmarks.large_folder [COUNT]

It makes a folder of 200,000 colour faces of 64 x 64 pixels as JPEG files, below runs/large_folder. Every eighth face is
rendered; the others are its mirror image and darker copies. Each measurement is a cell with a process of its own; run
it beside nothing else. Its numbers go into benchmarks/large_folder.json, and cells that are there are not measured
again. The table in docs/measurements.md comes from this file.

Beside the project's cache it measures `keras.utils.image_dataset_from_directory(...).cache()` and the `DataLoader` of
PyTorch with two workers. Without PyTorch (requirements-bench.txt), that cell is left out.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables import markdown_table
from common.files import read_json, write_text

SIZE, BATCH = 64, 128
VARIANTS = [(mirrored, light) for mirrored in (False, True) for light in (1.0, 0.9, 0.8, 0.7)]
HOME = Path("runs/large_folder")
ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).with_suffix(".json")
REPEATS = 3  # of the cache and of decoding alone
COMPARED, STEPS, ROUNDS = 20_000, 40, 8  # images and steps for the comparison with images in memory


def images() -> Path:
    """The folder of images."""
    return HOME / "images"


def make_images(count: int) -> None:
    """Make the folder of so many images, if there is none."""
    if not images().exists():
        unfinished = HOME / "images.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        write_images(unfinished, count)
        unfinished.rename(images())


def write_images(folder: Path, count: int) -> None:
    """Write so many faces into sub-folders by class."""
    from PIL import Image

    from data.rendered_faces import rendered_faces

    faces = rendered_faces(-(-count // len(VARIANTS)), SIZE, 3, cache=HOME / "rendered")
    assert faces.classes is not None
    for kind in set(faces.classes):
        (folder / kind).mkdir(parents=True)
    for number in range(count):
        place, variant = divmod(number, len(VARIANTS))
        mirrored, light = VARIANTS[variant]
        face = faces.images.batch([place])[0] * light
        pixels = np.rint(face[:, ::-1] if mirrored else face).astype(np.uint8)
        Image.fromarray(pixels).save(folder / faces.classes[place] / f"{number:06d}.jpg", quality=90)


def peak_memory() -> float:
    """The largest resident memory of this process and of its children up to now, summed, in MiB."""
    own = os.getpid()
    return sum(map(peak_of, [own, *children(own)]))


def peak_of(process: int) -> float:
    """The largest resident memory of a process, in MiB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


def children(process: int) -> list[int]:
    """The child processes of a process."""
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def cache() -> Path:
    """The folder of the cache."""
    return HOME / "cache"


def large() -> Any:
    """The images of the folder, from the cache."""
    from data.image_folder import image_folder

    return image_folder(images(), SIZE, 3, cache()).images


def interpreter() -> dict[str, float]:
    """What a process needs before it has seen an image."""
    import train
    from vae_keras.command_line import start_tensorflow

    assert train
    start_tensorflow(deterministic=True)
    import vae_keras.training

    assert vae_keras.training
    return {}


def _decode_all(paths: list[Path]) -> None:
    from data.decoding import decode_or_reason

    for path in paths:
        decode_or_reason(path, SIZE, 3)


def building() -> dict[str, float]:
    """Find all files, decode them and write the cache, in turns with decoding alone; then open it once more."""
    from joblib import Parallel, delayed

    from data.image_cache import BLOCK
    from data.image_files import find_images

    paths = find_images(images())
    blocks = [paths[start : start + BLOCK] for start in range(0, len(paths), BLOCK)]
    alone, built = [], []
    for _ in range(REPEATS + 1):  # the first round starts the workers, and is not counted
        start = time.perf_counter()
        Parallel(n_jobs=-1)(delayed(_decode_all)(block) for block in blocks)
        decoded = time.perf_counter()
        shutil.rmtree(cache(), ignore_errors=True)
        removed = time.perf_counter()
        large()
        alone.append(decoded - start)
        built.append(time.perf_counter() - removed)
    memory, start = peak_memory(), time.perf_counter()
    large()
    return {
        "images a second": len(paths) / float(np.median(built[1:])),
        "images a second, decoder alone": len(paths) / float(np.median(alone[1:])),
        "ratio": float(np.median(np.divide(alone[1:], built[1:]))),
        "seconds to open": time.perf_counter() - start,
        "peak with workers": memory,
    }


def training() -> dict[str, float]:
    """One epoch of the table network."""
    import train

    run = HOME / "run"
    shutil.rmtree(run, ignore_errors=True)
    flags = ["--image-size", str(SIZE), "--channels", "3", "--epochs", "1", "--batch-size", str(BATCH)]
    start = time.perf_counter()
    if status := train.main(["--data", str(images()), *flags, "--cache", str(cache()), "--run", str(run)]):
        sys.exit(status)
    return {"minutes": (time.perf_counter() - start) / 60}


def evaluation() -> dict[str, float]:
    """An evaluation of the run with all figures and numbers that `evaluate.py` writes without flags."""
    import evaluate

    start = time.perf_counter()
    if status := evaluate.main(["--run", str(HOME / "run"), "--cache", str(cache())]):
        sys.exit(status)
    return {"minutes": (time.perf_counter() - start) / 60}


def throughput() -> dict[str, float]:
    """Training steps on images from the disk and from memory, in turns: the median ratio of their times."""
    import tensorflow as tf

    from data.images import ImagesInMemory
    from data.pipelines import steps_per_epoch, training_batches
    from vae_keras.command_line import start_tensorflow
    from vae_keras.config import Config
    from vae_keras.training import compiled_vae

    start_tensorflow(deterministic=True)
    source = large()
    some = source.part(np.arange(min(COMPARED, source.count)))
    steps = min(STEPS, steps_per_epoch(some.count, BATCH))
    vae = compiled_vae(Config.of(data="faces", image_size=SIZE, channels=3).checked())
    vae.optimizer.build(vae.trainable_variables)
    step = tf.function(vae.train_step, reduce_retracing=True)

    def steps_of(source: Any) -> Iterator[float]:
        batches = iter(training_batches(source, BATCH, 0, 1_000_000))
        while True:
            start = time.perf_counter()
            for _ in range(steps):
                loss = step(next(batches))["loss"]
            loss.numpy()
            yield time.perf_counter() - start

    disk, memory = steps_of(some), steps_of(ImagesInMemory(some.all()))
    pairs = [(next(disk), next(memory)) for _ in range(ROUNDS + 1)][1:]
    return {
        "ratio": float(np.median([in_memory / on_disk for on_disk, in_memory in pairs])),
        "images a second": steps * BATCH / float(np.median([on_disk for on_disk, _ in pairs])),
    }


def passes(batches: Callable[[], Any]) -> dict[str, float]:
    """Go through all batches twice; the images a second of each pass, and the peak memory with worker processes."""
    rates = []
    for _ in range(2):
        start = time.perf_counter()
        seen = sum(len(batch) for batch in batches())
        rates.append(seen / (time.perf_counter() - start))
        memory = peak_memory()
    return {"images a second": rates[0], "images a second, second pass": rates[1], "peak with workers": memory}


def our_batches() -> dict[str, float]:
    """The project's pipeline of shuffled batches, on a cache that is there."""
    import tensorflow

    from data.pipelines import training_batches

    assert tensorflow  # loaded before the clock starts, as in the other cells
    source = large()
    epochs = iter(range(2))

    def one_pass() -> Any:
        epoch = next(epochs)
        return training_batches(source, BATCH, 0, epoch + 1, epoch)

    return passes(one_pass)


def keras_batches() -> dict[str, float]:
    """Keras's pipeline with its cache in memory."""
    import keras

    batches = keras.utils.image_dataset_from_directory(
        images(), labels=None, batch_size=BATCH, image_size=(SIZE, SIZE), shuffle=True, seed=0, verbose=False
    ).cache()
    return passes(lambda: batches)


def torch_batches() -> dict[str, float]:
    """PyTorch's loader with two workers, which decode each image in each pass."""
    import torch
    from PIL import Image

    paths = sorted(images().glob("*/*.jpg"))

    class Faces(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(paths)

        def __getitem__(self, index: int) -> Any:
            pixels = np.asarray(Image.open(paths[index]).convert("RGB"))
            return torch.from_numpy(pixels / np.float32(255)).permute(2, 0, 1)

    loader = torch.utils.data.DataLoader(Faces(), BATCH, shuffle=True, num_workers=2, persistent_workers=True)
    return passes(lambda: loader)


CELLS: dict[str, Callable[[], dict[str, float]]] = {
    "interpreter": interpreter,
    "cache": building,
    "training": training,
    "evaluation": evaluation,
    "throughput": throughput,
    "batches": our_batches,
    "batches of Keras": keras_batches,
    "batches of PyTorch": torch_batches,
}


def measured(name: str) -> dict[str, float]:
    """The numbers of a cell, measured in a process of its own.

    Raises:
        SystemExit: the cell ended with an error.
    """
    command = [sys.executable, "-c", f"from benchmarks.large_folder import tell; tell({name!r})"]
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=False, env={**os.environ, "PYTHONPATH": paths}
    )
    if ended.returncode:
        sys.exit(f"{name}: exit status {ended.returncode}")
    numbers: dict[str, float] = json.loads(ended.stdout.strip().splitlines()[-1])
    return numbers


ROWS = (
    ("find, decode and cache all images", "cache", "peak with workers"),
    ("one epoch of training", "training", "peak"),
    ("an evaluation", "evaluation", "peak"),
    ("shuffled batches from the cache", "batches", "peak with workers"),
    ("`image_dataset_from_directory(...).cache()`", "batches of Keras", "peak with workers"),
    ("PyTorch's `DataLoader`, two workers", "batches of PyTorch", "peak with workers"),
)


def markdown_of(results: dict[str, dict[str, float]]) -> str:
    """The table of memory and speed, in Markdown."""
    rows = []
    for title, name, memory in ROWS:
        if numbers := results.get(name):
            rates = [numbers.get(key) for key in ("images a second", "images a second, second pass")]
            shown = ("" if rate is None else f"{rate:,.0f}" for rate in rates)
            rows.append([title, f"{numbers[memory] / 1024:.2f}", *shown])
    return markdown_table(("measured", "peak memory, GiB", "images a second", "in the second pass"), rows)


def tell(name: str) -> None:
    """Measure a cell in this process, and print its numbers."""
    print(json.dumps(CELLS[name]() | {"peak": peak_of(os.getpid())}))


def main() -> None:
    """Measure the cells that are not there yet, and print the table."""
    make_images(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
    results: dict[str, dict[str, float]] = read_json(RESULTS) if RESULTS.exists() else {}
    for name in CELLS:
        if name not in results and (name != "batches of PyTorch" or find_spec("torch")):
            print(name, file=sys.stderr)
            results[name] = measured(name)
            write_text(RESULTS, json.dumps(results, indent=1) + "\n")
    print(markdown_of(results), end="")


if __name__ == "__main__":
    main()
