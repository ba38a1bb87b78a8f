import errno
import functools
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from common.errors import UserError
from data import image_cache
from data.decoding import DecodedImage
from data.image_cache import Request, cached_images
from data.image_folder import image_folder

SHAPE = (4, 4, 3)


def picture(number):
    return np.random.default_rng(number).integers(0, 256, SHAPE).astype(np.uint8)


def make(number, told=None):
    """An image, or a reason for every seventh number; each number that is asked for is written down."""
    if told is not None:
        with told.open("a") as file:
            file.write(f"{number}\n")
    return DecodedImage(picture(number), ("is odd",) if number % 2 else ()) if number % 7 else "it has no face"


def request(numbers, told=None, version=0):
    return Request(
        source="numbers",
        image_shape=SHAPE,
        names=[f"face {number}" for number in numbers],
        stamps=[(number, version) for number in numbers],
        arguments=[*numbers],
        make=functools.partial(make, told=told),
        what="making {} images",
    )


def check(found, numbers):
    """What was found is what the numbers make, whatever the cache was before."""
    good = [number for number in numbers if number % 7]
    np.testing.assert_array_equal(
        found.images.all(), np.array([picture(number) for number in good]).reshape(-1, *SHAPE)
    )
    assert [numbers[place] for place in found.kept] == good
    assert found.images.digests() == [image_cache.digest(picture(number)) for number in good]
    assert found.warnings == [("is odd",) if number % 2 else () for number in good]
    assert found.reasons == {place: "it has no face" for place, number in enumerate(numbers) if number % 7 == 0}


NUMBERS = st.lists(st.integers(0, 40), unique=True, max_size=30)
DAMAGE = st.tuples(st.sampled_from([f"{image_cache.PIXELS}*", image_cache.INDEX]), st.floats(0, 1))


@given(requests=st.lists(st.tuples(NUMBERS, st.none() | DAMAGE), min_size=1, max_size=5))
def test_any_requests_find_their_images_although_files_were_cut_short_between_them(requests):
    with tempfile.TemporaryDirectory() as home:
        for numbers, damage in requests:
            check(cached_images(Path(home, "cache"), request(numbers)), numbers)
            for file in Path(home, "cache").glob(damage[0]) if damage else ():
                os.truncate(file, round(damage[1] * file.stat().st_size))


@pytest.mark.parametrize("many", [30, 250])  # threads, processes
def test_only_what_is_missing_or_has_changed_is_made(many, tmp_path):
    cache, told = tmp_path / "cache", tmp_path / "told"
    told.touch()

    def made():
        """The numbers that were asked for, but for those that cannot be made: they are tried in every run."""
        numbers = sorted(int(line) for line in told.read_text().split())
        told.write_text("")
        return [number for number in numbers if number % 7]

    def good(numbers):
        return [number for number in numbers if number % 7]

    first, more = [*range(many)], [*range(5, many + 12)]
    check(cached_images(cache, request(first, told)), first)
    assert made() == good(first)
    check(cached_images(cache, request(first, told)), first)
    assert made() == []
    check(cached_images(cache, request(more, told)), more)
    assert made() == good(range(many, many + 12))
    check(cached_images(cache, request([3, 8], told, version=1)), [3, 8])
    assert made() == [3, 8]


def test_pixels_that_have_changed_on_disk_are_never_given(tmp_path):
    found = cached_images(tmp_path / "cache", request(range(1, 5)))
    (pixels,) = (tmp_path / "cache").glob(f"{image_cache.PIXELS}*")
    content = bytearray(pixels.read_bytes())
    content[2 * 48 + 7] ^= 1
    pixels.write_bytes(content)
    np.testing.assert_array_equal(found.images.batch([1, 3]), [picture(2), picture(4)])
    with pytest.raises(UserError, match=f"{tmp_path / 'cache'} does not hold .* remove it"):
        found.images.batch([0, 2])


def test_images_stay_readable_although_another_process_removes_the_cache(tmp_path):
    found = cached_images(tmp_path / "cache", request(range(1, 5)))
    shutil.rmtree(tmp_path / "cache")
    check(found, range(1, 5))


def test_an_image_that_could_not_be_made_is_tried_again(tmp_path):
    asked = request(range(6, 9))
    assert cached_images(tmp_path, asked).reasons == {1: "it has no face"}
    healed = cached_images(tmp_path, asked._replace(make=lambda number: DecodedImage(picture(number))))
    assert not healed.reasons
    np.testing.assert_array_equal(healed.images.all(), [picture(number) for number in (6, 7, 8)])


def test_a_cache_that_cannot_be_written_is_read_and_only_the_rest_is_made(tmp_path, monkeypatch, caplog):
    told = tmp_path / "told"
    cached_images(tmp_path / "cache", request(range(1, 20)))

    def refuse(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(image_cache, "_completed", refuse)
    check(cached_images(tmp_path / "cache", request(range(10, 30), told)), range(10, 30))
    assert "cannot be written" in caplog.text
    assert sorted(map(int, told.read_text().split())) == [14, *range(20, 30)]


def test_a_file_that_is_replaced_by_one_of_the_same_size_and_time_is_read_again(tmp_path):
    for number in range(3):
        Image.fromarray(np.full((16, 16), 80 * number, np.uint8)).save(tmp_path / f"{number}.bmp")
        os.utime(tmp_path / f"{number}.bmp", (10**9, 10**9))
    first = image_folder(tmp_path, 16, 1, tmp_path / "cache").images.all()
    for old, new in (("0.bmp", "kept"), ("2.bmp", "0.bmp"), ("kept", "2.bmp")):
        (tmp_path / old).rename(tmp_path / new)
    np.testing.assert_array_equal(image_folder(tmp_path, 16, 1, tmp_path / "cache").images.all(), first[[2, 1, 0]])


@pytest.mark.parametrize(
    "content",
    ["", "no JSON\n", '{"format": 99}\n', '{"format": 1, "source": "numbers", "image_shape": [4, 4, 3]}\n[[1]]\n'],
)
def test_a_damaged_index_is_made_anew(content, tmp_path):
    cached_images(tmp_path, request(range(9)))
    (tmp_path / image_cache.INDEX).write_text(content)
    for _ in range(2):
        check(cached_images(tmp_path, request(range(9))), range(9))


def test_a_folder_that_cannot_be_written_is_no_obstacle(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    check(cached_images(tmp_path / "file" / "cache", request(range(9))), range(9))
    assert "cannot be written" in caplog.text


def test_the_size_is_said_before_and_refused_where_there_is_no_room(tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.setattr(image_cache, "WORTH_TELLING", 4 * 48)
    cached_images(tmp_path / "a", request(range(1, 5)))
    assert "MiB in" in caplog.text
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=191))
    with pytest.raises(UserError, match="--cache"):
        cached_images(tmp_path / "b", request(range(1, 5)))
    assert not list((tmp_path / "b").glob(f"{image_cache.PIXELS}*"))


def test_a_disk_that_becomes_full_ends_in_one_line_and_the_next_run_goes_on_from_there(tmp_path, monkeypatch):
    numbers, told = [*range(150)], tmp_path / "told"
    make_block, done = image_cache._make_block, []

    def full_after_two_blocks(*arguments):
        if len(done) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done.append(make_block(*arguments))
        return done[-1]

    monkeypatch.setattr(image_cache, "_make_block", full_after_two_blocks)
    monkeypatch.setattr(image_cache, "Parallel", one_after_the_other)
    with pytest.raises(UserError, match=r"no room is left in .*--cache"):
        cached_images(tmp_path / "cache", request(numbers))
    monkeypatch.undo()
    check(cached_images(tmp_path / "cache", request(numbers, told)), numbers)
    again = [number for number in sorted(map(int, told.read_text().split())) if number % 7]
    assert again == [number for number in range(2 * image_cache.BLOCK, 150) if number % 7]


def one_after_the_other(**_):
    """What joblib's Parallel does, without workers."""
    return lambda calls: (function(*arguments, **options) for function, arguments, options in calls)


BUILD = """
import sys, time
from pathlib import Path
from data.image_folder import image_folder
data = image_folder(Path(sys.argv[1]), 32, 3, Path(sys.argv[2]))
print(*data.images.digests())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """450 images in two classes."""
    home = tmp_path_factory.mktemp("many")
    for number in range(450):
        path = home / ("smile" if number % 3 else "non_smile") / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (40, 36, 3)).astype(np.uint8)).save(path)
    return home


def building(folder, cache, **options):
    return subprocess.Popen([sys.executable, "-c", BUILD, folder, cache], text=True, **options)


def named(cache):
    """The images that the lines of the index name; a killed builder may have left a part of a line."""
    text = "".join(path.read_text() for path in cache.glob("*/index.jsonl"))
    return {entry[0] for line in text.split("\n")[1:-1] for entry in json.loads(line)}


def test_builders_that_are_killed_at_random_moments_leave_what_the_next_one_can_use(folder, tmp_path):
    undisturbed = image_folder(folder, 32, 3, tmp_path / "undisturbed")
    cache, moments = tmp_path / "cache", random.Random(0)
    kept = [set()]
    for _ in range(20):
        process = building(folder, cache, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.1, 1.6))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kept.append(named(cache))
    found = image_folder(folder, 32, 3, cache)
    np.testing.assert_array_equal(found.images.all(), undisturbed.images.all())
    assert found.images.digests() == undisturbed.images.digests()
    assert found.names == undisturbed.names
    assert all(before <= after for before, after in itertools.pairwise(kept))  # no builder has lost what was made
    assert len(kept[-1]) > 0


def test_of_builders_that_start_together_one_builds(folder, tmp_path):
    cache = tmp_path / "cache"
    processes = [building(folder, cache, stdout=subprocess.PIPE) for _ in range(3)]
    told = [process.communicate()[0].split() for process in processes]
    assert told[0] == told[1] == told[2] == image_folder(folder, 32, 3, cache).images.digests()
    (index,) = cache.glob("*/index.jsonl")
    names = [entry[0] for line in index.read_text().splitlines()[1:] for entry in json.loads(line)]
    assert set(Counter(names).values()) == {1}


def test_a_second_run_reads_no_image_and_a_changed_file_alone_is_decoded(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "faces")
    first = image_folder(tmp_path / "faces", 32, 3, tmp_path)
    (tmp_path / "faces/smile/1.png").unlink()
    Image.fromarray(np.full((32, 32, 3), 9, np.uint8)).save(tmp_path / "faces/smile/2.png")
    decoded = []
    decode = image_cache._make_block
    monkeypatch.setattr(image_cache, "_make_block", lambda *given: decoded.extend(given[1]) or decode(*given))
    second = image_folder(tmp_path / "faces", 32, 3, tmp_path)
    assert decoded == [tmp_path / "faces/smile/2.png"]
    assert set(first.names) - set(second.names) == {"smile/1.png"}
    for name, image in zip(second.names, second.images.all(), strict=True):
        expected = first.images.batch([first.names.index(name)])[0] if name != "smile/2.png" else 9
        np.testing.assert_array_equal(image, np.broadcast_to(expected, image.shape))
