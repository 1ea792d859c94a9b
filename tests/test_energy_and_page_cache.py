"""Energy from real files in RAPL's layout, GPUs or none, and what the system holds of a file."""

import os
from pathlib import Path

import pytest

from runners.energy import EnergyMeter, open_zones
from runners.gpu import gpu_bytes_of, gpu_devices, gpu_energy_joules
from runners.page_cache import cached_share, drop_from_cache, weights_files


def zone(root: Path, folder: str, name: str, microjoules: int, most: int = 1_000_000_000) -> Path:
    """One counter as Linux shows it."""
    path = root / folder
    path.mkdir(parents=True, exist_ok=True)
    (path / "name").write_text(f"{name}\n")
    (path / "max_energy_range_uj").write_text(f"{most}\n")
    (path / "energy_uj").write_text(f"{microjoules}\n")
    return path / "energy_uj"


def test_packages_and_memory_are_added_and_their_parts_are_not_counted_twice(tmp_path: Path) -> None:
    first = zone(tmp_path, "intel-rapl:0", "package-0", 5_000_000)
    second = zone(tmp_path, "intel-rapl:1", "package-1", 1_000_000)
    memory = zone(tmp_path, "intel-rapl:0:1", "dram", 2_000_000)
    part = zone(tmp_path, "intel-rapl:0:0", "core", 7_000_000)
    platform = zone(tmp_path, "intel-rapl:2", "psys", 9_000_000)
    again = zone(tmp_path, "intel-rapl-mmio:0", "package-0", 5_000_000)
    zones = open_zones(tmp_path)
    assert [each.name for each in zones] == ["package-0", "dram", "package-1"]
    for counter, microjoules in (
        (first, 8_500_000), (second, 1_250_000), (memory, 2_000_001), (part, 99_000_000), (platform, 99_000_000),
        (again, 99_000_000),
    ):  # fmt: skip
        counter.write_text(str(microjoules))
    assert sum(each.joules() for each in zones) == pytest.approx(3.5 + 0.25 + 0.000001)


def test_a_counter_that_starts_again_goes_on_counting(tmp_path: Path) -> None:
    counter = zone(tmp_path, "intel-rapl:0", "package-0", 900, most=1000)
    (opened,) = open_zones(tmp_path)
    readings = []
    for value in (950, 20, 990, 10):
        counter.write_text(str(value))
        readings.append(round(opened.joules() * 1e6))
    assert readings == [50, 120, 1090, 1110]


def test_a_counter_that_may_not_be_read_is_left_out(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 1)
    # What a missing right looks like to root, who has every right: the name cannot be opened as a file.
    broken = tmp_path / "intel-rapl:1"
    (broken / "energy_uj").mkdir(parents=True)
    (broken / "name").write_text("package-1")
    (broken / "max_energy_range_uj").write_text("10")
    assert [each.name for each in open_zones(tmp_path)] == ["package-0"]


def test_without_counters_there_is_no_energy_and_never_zero(tmp_path: Path) -> None:
    meter = EnergyMeter(tmp_path)
    if gpu_energy_joules() is None:
        assert meter.joules() is None
        assert meter.source is None
    zone(tmp_path, "intel-rapl:0", "package-0", 1)
    with_counter = EnergyMeter(tmp_path)
    assert with_counter.joules() is not None
    assert str(with_counter.source).startswith("RAPL package-0")


def test_gpus_are_described_or_there_are_none_and_nothing_is_made_up() -> None:
    devices = gpu_devices()
    if not devices:
        assert gpu_energy_joules() is None
        assert gpu_bytes_of([os.getpid()]) is None
    for device in devices:
        assert device.total_bytes > 0
        assert 0 <= (device.free_bytes or 0) <= device.total_bytes


def test_a_file_that_was_read_is_in_memory_and_can_be_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "weights.gguf"
    file.write_bytes(os.urandom(4_000_000))
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
        opened.read()
    if cached_share(file) is None:
        pytest.skip("this system or file system cannot say what it holds")
    assert cached_share(file) == 1.0
    drop_from_cache(file)
    forgotten = cached_share(file)
    # A file system in memory has nowhere to put it.
    assert forgotten is not None
    assert forgotten <= 0.05 or forgotten == 1.0
    file.read_bytes()
    assert cached_share(file) == 1.0


def test_the_files_of_a_load_are_all_parts_of_a_split_one_or_those_of_a_folder(tmp_path: Path) -> None:
    names = ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf", "m-00001-of-00003.gguf", "other.gguf"]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    assert [file.name for file in weights_files(tmp_path / names[0])] == names[:2]
    assert [file.name for file in weights_files(tmp_path / "other.gguf")] == ["other.gguf"]
    assert {file.name for file in weights_files(tmp_path)} == set(names)
    assert weights_files(tmp_path / "missing.gguf") == ()
    assert cached_share(tmp_path / "missing.gguf") is None
    drop_from_cache(tmp_path / "missing.gguf")
