"""What can go wrong above the layers: benchmark files, settings, jobs.

WorkbenchError (catalog.errors)
├── BadBenchmarkFile    an unknown key, a wrong value, a missing file; names the line
├── BadSettings         a data directory that cannot be used
└── Busy                another workbench holds the device, the app or the port
"""

from catalog.errors import WorkbenchError


class BadBenchmarkFile(WorkbenchError):
    """An unknown key, a wrong value or a missing file in a benchmark file."""


class BadSettings(WorkbenchError):
    """A data directory that cannot be used."""


class Busy(WorkbenchError):
    """Another workbench holds the device, the app or the port."""
