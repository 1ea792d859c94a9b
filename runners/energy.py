"""Energy that this machine's own counters give: RAPL of the CPU packages and memory, NVML of the GPUs.

The counters speak of the whole machine and not of one process. Where none can be read (no such hardware, a virtual
machine, no rights) there is no figure; nothing is estimated. Not read for endpoints, whose work is done elsewhere.
"""

from pathlib import Path

from runners.gpu import gpu_energy_joules

POWERCAP = Path("/sys/class/powercap")
"""Where Linux shows RAPL."""


class RaplZone:
    """One counter, which starts again at zero when it has reached its end."""

    def __init__(self, folder: Path) -> None:
        self.name = (folder / "name").read_text().strip()
        self._counter = folder / "energy_uj"
        self._range = int((folder / "max_energy_range_uj").read_text())
        self._last = self._read()
        self._used = 0

    def joules(self) -> float:
        """Energy since the zone was opened. Correct while it is asked at least once in each turn of the counter."""
        now = self._read()
        self._used += now - self._last if now >= self._last else now - self._last + self._range
        self._last = now
        return self._used / 1e6

    def _read(self) -> int:
        return int(self._counter.read_text())


class EnergyMeter:
    """All counters that can be read, since it was made."""

    def __init__(self, powercap: Path = POWERCAP) -> None:
        self._zones = open_zones(powercap)
        self._gpus_at_start = gpu_energy_joules()

    @property
    def source(self) -> str | None:
        """Which counters, in words; None where there are none."""
        names = [f"RAPL {', '.join(zone.name for zone in self._zones)}"] if self._zones else []
        names += ["NVML, all GPUs"] if self._gpus_at_start is not None else []
        return " + ".join(names) or None

    def joules(self) -> float | None:
        """Energy used since the meter was made; None without counters."""
        gpus = gpu_energy_joules() if self._gpus_at_start is not None else None
        if not self._zones and gpus is None:
            return None
        used_by_gpus = gpus - self._gpus_at_start if gpus is not None and self._gpus_at_start is not None else 0.0
        return sum(zone.joules() for zone in self._zones) + used_by_gpus


def open_zones(powercap: Path) -> tuple[RaplZone, ...]:
    """CPU packages and memory; their parts and the whole platform would count the same energy twice."""
    zones = []
    for folder in sorted(powercap.glob("intel-rapl:*")):
        try:
            zone = RaplZone(folder)
        except (OSError, ValueError):
            # Since 2020 most systems let only root read the counter (CVE-2020-8694).
            continue
        if zone.name.startswith("package") or zone.name == "dram":
            zones.append(zone)
    return tuple(zones)
