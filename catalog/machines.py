"""Machines that are not this one: a shipped list with a source for every figure, and files of the user's own.

The shipped list (data/machines.json) and a user's file (YAML or JSON) have one shape:

    name: my-server                        # short, to type
    title: Two L40S under the desk         # optional
    memory_gb: 256                         # main memory
    bandwidth_gb_per_second: 204.8         # of main memory; optional, speed is unknown without it
    cores: 64
    instruction_sets: [avx2, avx512f]      # optional: vector units of the processor; llama.cpp keeps some weights twice
    gpus:                                  # optional
      - name: NVIDIA L40S
        count: 2                           # optional, 1
        memory_gb: 48
        driver_mib: 46068                  # optional: what nvidia-smi shows, which is less than the data sheet says
        bandwidth_gb_per_second: 864       # optional; taken from the shipped list where the name is known there
    unified_gpu: Apple M3 Max              # instead of gpus: a GPU that works in main memory
    unified_gpu_gb: 48                     # optional: how much of main memory it may take

GB of memory counts 2^30 bytes here, because memory chips come in powers of two: a card of "24 GB" carries 24 GiB, of
which its driver shows a little less (24,564 MiB on an RTX 4090; 23,034 MiB on an L4, whose error correction takes a
sixteenth). The driver's figure is used where it could be read. GB/s of bandwidth counts 10^9 bytes, as data sheets do.

"Everything free" means that nobody else uses the machine, but its system still runs: of main memory a tenth is kept
back, at least 2 GiB and at most 16 GiB. A unified GPU may take what its system grants: where the file does not say, two
thirds up to 32 GiB and three quarters above, as macOS does (llama.cpp prints it as recommendedMaxWorkingSetSize: 10,923
MiB of 16 GiB, 21,845 of 32, 49,152 of 64, 98,304 of 128; newer systems grant a little more).

Not here: prices, which age in weeks, and compute power, which decoding does not wait for.
"""

import difflib
from functools import cache
from importlib import resources
from pathlib import Path

from pydantic import Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from catalog.errors import BadCatalogData, BadMachine
from catalog.records import GpuDevice, Machine, MachineProfile, Record

MACHINES_FILE = "machines.json"
MIB, GIB = 1024**2, 1024**3
BYTES_PER_GB_SECOND = 1e9
FILE_ENDINGS = frozenset({".json", ".yaml", ".yml"})

LEAST_RESERVE_BYTES, MOST_RESERVE_BYTES = 2 * GIB, 16 * GIB
SMALL_UNIFIED_GB = 32  # up to this size macOS grants its GPU two thirds of the memory, above it three quarters


class _GpuEntry(Record):
    name: str = Field(min_length=1)
    count: int = Field(default=1, gt=0, le=64)
    memory_gb: float = Field(gt=0)
    driver_mib: int | None = Field(default=None, gt=0)
    bandwidth_gb_per_second: float | None = Field(default=None, gt=0)


class _MachineEntry(Record):
    name: str = Field(min_length=1)
    title: str = ""
    gpus: tuple[_GpuEntry, ...] = ()
    memory_gb: float = Field(gt=0)
    bandwidth_gb_per_second: float | None = Field(default=None, gt=0)
    cores: int = Field(gt=0)
    instruction_sets: tuple[str, ...] = ()
    unified_gpu: str | None = None
    unified_gpu_gb: float | None = Field(default=None, gt=0)
    source: str = ""
    link: str | None = None
    read_on: str | None = None


class _MachineList(Record):
    about: str
    machines: tuple[_MachineEntry, ...]


@cache
def shipped_machines() -> tuple[MachineProfile, ...]:
    """Every machine of the shipped list, in its order. Raises BadCatalogData when the list is missing or damaged."""
    file = resources.files("catalog").joinpath("data", MACHINES_FILE)
    try:
        entries = _MachineList.model_validate_json(file.read_text(encoding="utf-8")).machines
    except (OSError, ValidationError) as error:
        raise BadCatalogData(
            f"The list of machines {MACHINES_FILE} cannot be read: {error}. Reinstall Open Model Workbench."
        ) from error
    return tuple(_profile(entry) for entry in entries)


def find_machine(name_or_path: str | Path) -> MachineProfile:
    """A machine of the shipped list by its name, or of a YAML or JSON file by its path.

    Of names only letters and digits count: `RTX 4090` is `rtx-4090`. Raises BadMachine with close matches for an
    unknown name, and with the place and the reason for a file that does not parse.
    """
    wanted = _as_typed(str(name_or_path))
    for profile in shipped_machines():
        if _as_typed(profile.name) == wanted:
            return profile
    path = Path(name_or_path)
    if path.suffix.casefold() in FILE_ENDINGS or path.is_file():
        return _read_profile(path)
    raise BadMachine(f"No machine is called '{name_or_path}'. {_suggestion(wanted)}")


def gpu_bandwidth(gpu_name: str) -> float | None:
    """Bytes per second of a GPU by the name its driver gives it, from the shipped list; None where it is not there."""
    return _bandwidths().get(_gpu_key(gpu_name))


def with_bandwidths(machine: Machine) -> Machine:
    """The same machine with the bandwidth of its GPUs filled in from the shipped list where it was not known."""
    if all(gpu.bandwidth_bytes_per_second is not None for gpu in machine.gpus):
        return machine
    gpus = tuple(
        gpu if gpu.bandwidth_bytes_per_second is not None else gpu.model_copy(update=_listed_bandwidth(gpu.name))
        for gpu in machine.gpus
    )
    return machine.model_copy(update={"gpus": gpus})


def _listed_bandwidth(gpu_name: str) -> dict[str, object]:
    bandwidth = gpu_bandwidth(gpu_name)
    source = None if bandwidth is None else f"data sheet of {gpu_name}, from the shipped list"
    return {"bandwidth_bytes_per_second": bandwidth, "bandwidth_source": source}


def _read_profile(path: Path) -> MachineProfile:
    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))  # JSON is read as YAML, too
        profile = _profile(_MachineEntry.model_validate(content))
    except OSError as error:
        raise BadMachine(
            f"The machine file {path} cannot be read: {error.strerror}. Give the name of a shipped machine, "
            "or the path of a YAML or JSON file."
        ) from error
    except UnicodeDecodeError as error:
        raise BadMachine(f"The machine file {path} is not text in UTF-8. Save it as such.") from error
    except YAMLError as error:
        raise BadMachine(
            f"The machine file {path} is neither YAML nor JSON: {' '.join(str(error).split())}. Mend it."
        ) from error
    except ValidationError as error:
        raise BadMachine(f"The machine file {path} {_first_problem(error)}") from error
    return profile.model_copy(update={"machine": with_bandwidths(profile.machine)})


def _first_problem(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    fields = list(_GpuEntry.model_fields if place.startswith("gpus") else _MachineEntry.model_fields)
    if first["type"] == "missing":
        return f"does not say {place}. Add it; the fields are {', '.join(fields)}."
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(first["loc"][-1]), fields, n=1)
        return f"has a field '{place}' that is not known. " + (
            f"Did you mean {close[0]}?" if close else f"The fields are {', '.join(fields)}."
        )
    where = f" at {place}" if place else ""
    return f"is wrong{where}: {first['msg']}, and it says {first['input']!r}. Correct it there."


def _suggestion(wanted: str) -> str:
    names = [profile.name for profile in shipped_machines()]
    typed = {_as_typed(name): name for name in names}
    inside = [key for key in typed if wanted and wanted in key]
    close = dict.fromkeys([*inside[:4], *difflib.get_close_matches(wanted, list(typed), n=3)])
    if close:
        return f"Did you mean {' or '.join(typed[key] for key in close)}? The path of a YAML or JSON file works, too."
    return f"Names are such as {', '.join(names[:3])} and {names[-1]}; the path of a YAML or JSON file works, too."


def _profile(entry: _MachineEntry) -> MachineProfile:
    total = round(entry.memory_gb * GIB)
    bandwidth = _bytes_per_second(entry.bandwidth_gb_per_second)
    available = max(0, total - min(max(total // 10, LEAST_RESERVE_BYTES), MOST_RESERVE_BYTES))
    source = entry.source or "the user's own file"
    gpus = tuple(device for gpu in entry.gpus for device in [_device(gpu, source)] * gpu.count)
    if entry.unified_gpu is not None:
        gpus = (_unified_device(entry, entry.unified_gpu, available, source), *gpus)
    machine = Machine(
        name=entry.name,
        cpu=entry.title or entry.name,
        instruction_sets=entry.instruction_sets,
        logical_cores=entry.cores,
        memory_total_bytes=total,
        memory_available_bytes=available,
        bandwidth_bytes_per_second=bandwidth,
        bandwidth_source=None if bandwidth is None else source,
        unified_memory=entry.unified_gpu is not None,
        gpus=gpus,
    )
    return MachineProfile(
        name=entry.name,
        title=entry.title or entry.name,
        machine=machine,
        source=source,
        link=entry.link,
        read_on=entry.read_on,
    )


def _device(entry: _GpuEntry, source: str) -> GpuDevice:
    total = round(entry.memory_gb * GIB) if entry.driver_mib is None else entry.driver_mib * MIB
    return GpuDevice(
        name=entry.name,
        total_bytes=total,
        free_bytes=total,
        bandwidth_bytes_per_second=_bytes_per_second(entry.bandwidth_gb_per_second),
        bandwidth_source=None if entry.bandwidth_gb_per_second is None else source,
    )


def _unified_device(entry: _MachineEntry, name: str, available_bytes: int, source: str) -> GpuDevice:
    share = 2 / 3 if entry.memory_gb <= SMALL_UNIFIED_GB else 3 / 4
    granted = round((entry.unified_gpu_gb or entry.memory_gb * share) * GIB)
    return GpuDevice(
        name=name,
        total_bytes=granted,
        free_bytes=min(granted, available_bytes),
        bandwidth_bytes_per_second=_bytes_per_second(entry.bandwidth_gb_per_second),
        bandwidth_source=None if entry.bandwidth_gb_per_second is None else source,
    )


def _bytes_per_second(gb_per_second: float | None) -> float | None:
    return None if gb_per_second is None else gb_per_second * BYTES_PER_GB_SECOND


@cache
def _bandwidths() -> dict[str, float]:
    return {
        _gpu_key(gpu.name): gpu.bandwidth_bytes_per_second
        for profile in shipped_machines()
        for gpu in profile.machine.gpus
        if gpu.bandwidth_bytes_per_second is not None and not profile.machine.unified_memory
    }


def _gpu_key(name: str) -> str:
    """Drivers of different ages put the maker's name in front or not."""
    return name.casefold().removeprefix("nvidia ").removeprefix("amd ").strip()


def _as_typed(text: str) -> str:
    """Letters and digits only, so that `RTX 4090`, `rtx4090` and `rtx-4090` are one name."""
    return "".join(character for character in text.casefold() if character.isalnum())
