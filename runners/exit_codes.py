"""How a worker ends, as its parent reads it. Every other code, and every signal, is a crash."""

import errno

EXPECTED_FAILURE = 3
"""The last event says what went wrong."""

DISK_FULL = 74
"""An event could not be written (EX_IOERR of sysexits.h)."""

DISK_FULL_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors of the system that mean: no more room."""
