"""What can go wrong while writing a report.

ReportError (a WorkbenchError)
├── UnknownFormat      the file's ending names no format that a report can have
├── PdfUnavailable     the library that sets PDF, or what it needs of the system, is missing
├── ReportNotWritten   the file cannot be written where it was asked for
├── BadLogo            a logo that is no picture, or too large
└── BadEdits           a title, author or notes that a report has no room for
"""

from catalog.errors import WorkbenchError


class ReportError(WorkbenchError):
    """Base of the report's errors."""


class UnknownFormat(ReportError):
    """The file's ending names no format that a report can have."""


class PdfUnavailable(ReportError):
    """The library that sets PDF, or what it needs of the system, is missing."""


class ReportNotWritten(ReportError):
    """The file cannot be written where it was asked for."""


class BadLogo(ReportError):
    """A logo that is no picture, or too large."""


class BadEdits(ReportError):
    """A title, author or notes that a report has no room for, or that cannot be read."""
