"""How a worker ends, as its parent reads it. Every other code, and every signal, is a crash."""

EXPECTED_FAILURE = 3
"""The last event says what went wrong."""

DISK_FULL = 74
"""An event could not be written (EX_IOERR of sysexits.h)."""
