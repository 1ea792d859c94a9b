"""What can go wrong above the layers: benchmark files, settings, jobs.

WorkbenchError (catalog.errors)
├── BadBenchmarkFile    an unknown key, a wrong value, a missing file; names the line
├── BadReport           a JSON report that cannot be read or repeated
├── BadSettings         a data directory that cannot be used
├── CannotAsk           a head-to-head that cannot be as it was asked for
├── BadShortlist        no shortlist of that name, or a name that is taken
└── Busy                another workbench holds the device, the app or the port
"""

from catalog.errors import WorkbenchError


class BadBenchmarkFile(WorkbenchError):
    """An unknown key, a wrong value or a missing file in a benchmark file."""


class BadReport(WorkbenchError):
    """A JSON report that cannot be read or repeated."""


class BadSettings(WorkbenchError):
    """A data directory that cannot be used."""


class CannotAsk(WorkbenchError):
    """A head-to-head that cannot be as it was asked for."""


class BadShortlist(WorkbenchError):
    """No kept shortlist of that name, or a name that is taken or empty."""


class Busy(WorkbenchError):
    """Another workbench holds the device, the app or the port."""
