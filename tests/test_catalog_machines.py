"""The shipped machines: every figure has a source; the user's files are read, and what is wrong with them is said."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import BadMachine
from catalog.machines import GIB, MIB, find_machine, gpu_bandwidth, shipped_machines, with_bandwidths
from catalog.records import GpuDevice, MachineProfile

MACHINES = {profile.name: profile for profile in shipped_machines()}
EVERY = pytest.mark.parametrize("profile", MACHINES.values(), ids=lambda profile: profile.name)
SERVER = {"name": "mine", "memory_gb": 256, "cores": 64, "gpus": [{"name": "NVIDIA L40S", "memory_gb": 48, "count": 2}]}


def _saved(folder: Path, content: object) -> Path:
    path = folder / "machine.json"
    path.write_text(json.dumps(content))
    return path


def test_the_list_covers_cards_servers_clouds_apple_unified_boxes_laptops_and_cpus() -> None:
    names = {"rtx-4090", "h100-80gb", "2x-h100-80gb", "l4", "a10g", "mac-m3-max-64gb", "cpu-64gb-ddr5", "dgx-spark"}
    assert names | {"strix-halo-128gb", "aws-p5-48xlarge", "laptop-rtx-4060", "epyc-9004-768gb"} <= set(MACHINES)
    assert len(MACHINES) == len(shipped_machines()) >= 40


@EVERY
def test_every_machine_says_where_its_figures_were_read_or_that_they_were_not(profile: MachineProfile) -> None:
    assert profile.source
    if profile.read_on is None:
        assert "not re-read" in profile.source
    else:
        assert profile.link is not None
        assert profile.link.startswith("https://")


@EVERY
def test_every_machine_knows_the_bandwidth_of_what_it_would_run_on(profile: MachineProfile) -> None:
    machine = profile.machine
    devices = [gpu.bandwidth_bytes_per_second for gpu in machine.gpus] or [machine.bandwidth_bytes_per_second]
    assert all(bandwidth is not None and 4e10 < bandwidth < 1e13 for bandwidth in devices)


@EVERY
def test_every_machine_tells_the_vector_units_that_decide_how_llama_cpp_lays_out_weights(
    profile: MachineProfile,
) -> None:
    assert set(profile.machine.instruction_sets) & {"avx2", "neon"}


@EVERY
def test_the_system_keeps_some_main_memory_and_the_driver_some_of_the_card(profile: MachineProfile) -> None:
    machine = profile.machine
    assert 2 * GIB <= machine.memory_total_bytes - machine.memory_available_bytes <= 16 * GIB
    for gpu in machine.gpus:
        assert gpu.free_bytes <= gpu.total_bytes
        if machine.unified_memory:
            assert gpu.free_bytes <= machine.memory_available_bytes


@pytest.mark.parametrize(
    ("name", "mebibytes"), [("rtx-4090", 24_564), ("l4", 23_034), ("h100-80gb", 81_559), ("rx-9070-xt", 16_384)]
)
def test_a_card_has_what_its_driver_shows_else_gibibytes_of_the_data_sheet(name: str, mebibytes: int) -> None:
    assert MACHINES[name].machine.gpus[0].total_bytes == mebibytes * MIB


@pytest.mark.parametrize(("name", "gibibytes"), [("mac-m4-32gb", 64 / 3), ("mac-m3-max-64gb", 48)])
def test_a_unified_gpu_gets_the_share_that_macos_grants(name: str, gibibytes: float) -> None:
    assert MACHINES[name].machine.gpus[0].free_bytes == round(gibibytes * GIB)


@pytest.mark.parametrize("typed", ["RTX 4090", "rtx4090", "rtx_4090", "rtx-4090"])
def test_a_name_is_found_however_it_is_typed(typed: str) -> None:
    assert find_machine(typed) is MACHINES["rtx-4090"]


def test_an_unknown_name_gets_close_matches() -> None:
    with pytest.raises(BadMachine, match=r"called 'h100'\. Did you mean .*h100-80gb"):
        find_machine("h100")
    with pytest.raises(BadMachine, match="Names are such as"):
        find_machine("?")


def test_a_file_of_the_users_is_read_and_known_gpus_get_their_bandwidth(tmp_path: Path) -> None:
    profile = find_machine(_saved(tmp_path, SERVER))
    assert [gpu.bandwidth_bytes_per_second for gpu in profile.machine.gpus] == [864e9, 864e9]
    assert profile.machine.bandwidth_bytes_per_second is None
    assert (profile.source, profile.read_on) == ("the user's own file", None)


def test_yaml_is_read_as_well_as_json(tmp_path: Path) -> None:
    path = tmp_path / "studio.yaml"
    path.write_text("name: studio\nmemory_gb: 64\ncores: 12\nunified_gpu: Apple M9\nbandwidth_gb_per_second: 900\n")
    machine = find_machine(str(path)).machine
    assert machine.unified_memory
    assert machine.gpus[0].free_bytes == 48 * GIB
    assert machine.gpus[0].bandwidth_bytes_per_second == 900e9


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"memory_gb": None}, "wrong at memory_gb"),
        ({"memory_gb": -4}, "greater than 0, and it says -4"),
        ({"memry_gb": 4}, "'memry_gb' that is not known. Did you mean memory_gb"),
        ({"gpus": [{"name": "x"}]}, r"does not say gpus\.0\.memory_gb"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, change: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadMachine, match=sentence):
        find_machine(_saved(tmp_path, SERVER | change))


@pytest.mark.parametrize("content", [b"name: [", b"\xff\xfe\x00", b"- a\n- b\n", b""])
def test_a_file_that_is_no_machine_is_an_expected_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    with pytest.raises(BadMachine, match=r"broken\.yaml"):
        find_machine(path)
    with pytest.raises(BadMachine, match="cannot be read"):
        find_machine(tmp_path / "absent.yaml")


def test_bandwidth_is_found_by_the_name_a_driver_gives_old_or_new() -> None:
    assert gpu_bandwidth("NVIDIA GeForce RTX 3090") == gpu_bandwidth("GeForce RTX 3090") == 936.2e9
    assert gpu_bandwidth("Voodoo 2") is None


def test_a_measured_bandwidth_is_never_replaced_and_a_missing_one_filled_in() -> None:
    measured = GpuDevice(name="NVIDIA L4", total_bytes=1, free_bytes=1, bandwidth_bytes_per_second=1.0)
    missing = measured.model_copy(update={"bandwidth_bytes_per_second": None})
    machine = MACHINES["l4"].machine.model_copy(update={"gpus": (measured, missing)})
    assert [gpu.bandwidth_bytes_per_second for gpu in with_bandwidths(machine).gpus] == [1.0, 300.1e9]


@given(st.text(max_size=30))
def test_any_text_is_a_machine_or_an_expected_error(text: str) -> None:
    with suppress(BadMachine):
        assert find_machine(text).name in MACHINES
