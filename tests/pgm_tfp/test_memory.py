import os

import pytest

from pgm_tfp import memory
from pgm_tfp.exact import TooLargeError, set_memory_limit


@pytest.fixture(autouse=True)
def no_limit_is_left():
    yield
    set_memory_limit(None)


def machine(folder, monkeypatch, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(memory, "MEMINFO", folder / "meminfo")
    monkeypatch.setattr(memory, "CONTROL_GROUP", folder / "cgroup")


MEMINFO = {"meminfo": "MemTotal:  2000 kB\nMemFree:  10 kB\nMemAvailable:    1000 kB\n"}


def test_linux_tells_what_is_available(tmp_path, monkeypatch):
    machine(tmp_path, monkeypatch, MEMINFO)
    assert memory.available_memory() == 1_024_000


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"memory.max": "600000\n", "memory.current": "500000\n"}, 100_000),
        (
            {
                "memory.max": "600000\n",
                "memory.current": "500000\n",
                "memory.stat": "anon 5\ninactive_file 300000\nactive_file 9\n",
            },
            400_000,
        ),
        ({"memory.max": "max\n", "memory.current": "500000\n"}, 1_024_000),
        ({"memory.max": "9000000\n", "memory.current": "5\n"}, 1_024_000),
        ({"memory.max": "500000\n", "memory.current": "600000\n"}, 0),
        (
            {
                "memory/memory.limit_in_bytes": "600000\n",
                "memory/memory.usage_in_bytes": "500000\n",
                "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 20\n",
            },
            100_020,
        ),
    ],
)
def test_a_container_that_may_have_less_has_less(tmp_path, monkeypatch, files, expected):
    machine(tmp_path, monkeypatch, {**MEMINFO, **{f"cgroup/{name}": text for name, text in files.items()}})
    assert memory.available_memory() == expected


def test_elsewhere_free_pages_or_all_pages_count_and_else_a_small_machine_is_assumed(tmp_path, monkeypatch):
    machine(tmp_path, monkeypatch, {})
    pages = {"SC_AVPHYS_PAGES": 7, "SC_PHYS_PAGES": 100, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", pages.__getitem__)
    assert memory.available_memory() == 7 * 4096
    monkeypatch.setattr(os, "sysconf_names", {"SC_PHYS_PAGES": 0, "SC_PAGE_SIZE": 1})
    assert memory.available_memory() == 100 * 4096
    monkeypatch.delattr(os, "sysconf_names")
    assert memory.available_memory() == memory.UNKNOWN


def test_what_is_too_large_is_told_with_what_it_takes_what_is_there_and_what_to_do(tmp_path, monkeypatch):
    machine(tmp_path, monkeypatch, MEMINFO)
    memory.check_memory("this", 512_000)
    with pytest.raises(TooLargeError) as caught:
        memory.check_memory("this", 512_001)
    assert str(caught.value) == (
        "this would take up to 0.000512 GB; 0.00102 GB are available, and the limit is 0.000512 GB, half of that; ask "
        "about fewer variables, give more evidence, or raise the limit (exact.set_memory_limit, --memory-limit)"
    )
    with pytest.raises(TooLargeError, match=r"; buy a computer, or raise the limit \(exact.set_memory_limit, --mem"):
        memory.check_memory("this", 2**5000, "buy a computer")


def test_a_limit_takes_the_place_of_what_is_available(tmp_path, monkeypatch):
    machine(tmp_path, monkeypatch, MEMINFO)
    set_memory_limit(2_000_000)
    memory.check_memory("this", 2_000_000)
    with pytest.raises(TooLargeError, match=r"0.00102 GB are available, and the limit is 0\.002 GB; ask"):
        memory.check_memory("this", 2_000_001)
    set_memory_limit(None)
    with pytest.raises(TooLargeError):
        memory.check_memory("this", 2_000_000)


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_a_limit_that_is_none_is_an_error(limit):
    with pytest.raises(memory.UserError, match="the memory limit must be above zero bytes, given "):
        set_memory_limit(limit)


def test_numbers_of_any_size_are_written_shortly():
    assert memory.counted(999_999) == "999,999"
    assert memory.counted(2**30) == "1.07e+9"
    assert memory.counted(2**5000) == "1.41e+1505"
    assert memory.gigabytes(39_400_000_000) == "39.4 GB"
    assert memory.gigabytes(10**40) == "1.00e+31 GB"
