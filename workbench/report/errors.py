"""What can go wrong while writing a report.

ReportError (a WorkbenchError)
├── UnknownFormat      the file's ending names no format that a report can have
└── ReportNotWritten   the file cannot be written where it was asked for
"""

from catalog.errors import WorkbenchError


class ReportError(WorkbenchError):
    """Base of the report's errors."""


class UnknownFormat(ReportError):
    """The file's ending names no format that a report can have."""


class ReportNotWritten(ReportError):
    """The file cannot be written where it was asked for."""
