"""The tables that are written in bulk, with the columns that are written and read back, and their types.

The schema itself, with keys and views, is in results/migrations. Column names equal the fields' names wherever a record
is stored as a row.
"""

from typing import NamedTuple


class Table(NamedTuple):
    """A table that is written in bulk: its name, and the columns that are written and read back, with their types."""

    name: str
    columns: dict[str, str]


_RUN = {"benchmark": "VARCHAR", "candidate": "VARCHAR"}

EXAMPLES = Table(
    "examples",
    {
        "test_set_hash": "VARCHAR",
        "position": "INTEGER",
        "id": "VARCHAR",
        "inputs": "JSON",
        "target": "VARCHAR",
        "slices": "JSON",
        "row": "INTEGER",
        "accepted": "VARCHAR[]",
        "choices": "VARCHAR[]",
        "passages": "VARCHAR[]",
        "relevant": "INTEGER[]",
        "weight": "DOUBLE",
    },
)
SEGMENTS = Table(
    "segments",
    _RUN
    | {
        "segment": "INTEGER",
        "key": "VARCHAR",
        "pid": "BIGINT",
        "started_at": "VARCHAR",
        "load_average": "DOUBLE",
        "packages": "JSON",
    },
)
LOADS = Table(
    "loads",
    _RUN
    | {
        "segment": "INTEGER",
        "load_seconds": "DOUBLE",
        "loaded": "JSON",
        "repeat": "INTEGER",
        "cached_share": "DOUBLE",
    },
)
WINDOWS = Table(
    "windows",
    _RUN
    | {
        "segment": "INTEGER",
        "workload": "VARCHAR",
        "started_at_seconds": "DOUBLE",
        "finished_at_seconds": "DOUBLE",
        "level": "DOUBLE",
        "energy_joules": "DOUBLE",
        "energy_source": "VARCHAR",
    },
)
COMPLETIONS = Table(
    "completions",
    _RUN
    | {
        "position": "INTEGER",
        "request_id": "VARCHAR",
        "workload": "VARCHAR",
        "example_id": "VARCHAR",
        "segment": "INTEGER",
        "text": "VARCHAR",
        "finish_reason": "VARCHAR",
        "method": "VARCHAR",
        "prompt_tokens": "BIGINT",
        "cached_tokens": "BIGINT",
        "output_tokens": "BIGINT",
        "tokens_from": "VARCHAR",
        "ready_at_seconds": "DOUBLE",
        "started_at_seconds": "DOUBLE",
        "chunk_offsets_seconds": "DOUBLE[]",
        "chunk_tokens": "INTEGER[]",
        "finished_at_seconds": "DOUBLE",
        "choices": "VARCHAR[]",
        "choice_logprobs": "DOUBLE[]",
        "choice_tokens": "INTEGER[]",
        "choice_baselines": "DOUBLE[]",
        "thinking_chunks": "INTEGER",
        "level": "DOUBLE",
        "variation": "VARCHAR",
    },
)
SCORES = Table(
    "scores",
    _RUN
    | {
        "position": "INTEGER",
        "workload": "VARCHAR",
        "request_id": "VARCHAR",
        "example_id": "VARCHAR",
        "scorer": "VARCHAR",
        "version": "VARCHAR",
        "validity": "VARCHAR",
        "value": "DOUBLE",
        "predicted": "VARCHAR",
        "counts": "JSON",
    },
)
MEMORY_SAMPLES = Table(
    "memory_samples",
    _RUN
    | {
        "position": "INTEGER",
        "segment": "INTEGER",
        "at_seconds": "DOUBLE",
        "rss_bytes": "BIGINT",
        "pss_bytes": "BIGINT",
        "mapped_file_bytes": "BIGINT",
        "gpu_bytes": "BIGINT",
        "high_water_bytes": "BIGINT",
        "processes": "INTEGER",
    },
)
FAILURES = Table(
    "failures",
    _RUN
    | {
        "position": "INTEGER",
        "workload": "VARCHAR",
        "stage": "VARCHAR",
        "kind": "VARCHAR",
        "message": "VARCHAR",
        "hint": "VARCHAR",
        "example_id": "VARCHAR",
        "log_path": "VARCHAR",
        "log_tail": "VARCHAR",
        "request_id": "VARCHAR",
        "level": "DOUBLE",
    },
)

STOPS = Table(
    "stops",
    _RUN
    | {
        "position": "INTEGER",
        "against": "VARCHAR",
        "examples": "INTEGER",
        "value": "DOUBLE",
        "against_value": "DOUBLE",
        "margin": "DOUBLE",
        "e_value": "DOUBLE",
        "threshold": "DOUBLE",
        "alpha": "DOUBLE",
        "not_asked": "INTEGER",
        "seconds_per_example": "DOUBLE",
        "seconds_saved": "DOUBLE",
    },
)

RUN_TABLES = (SEGMENTS, LOADS, WINDOWS, COMPLETIONS, SCORES, MEMORY_SAMPLES, FAILURES, STOPS)
"""Tables that hold the parts of a run, keyed by benchmark and candidate."""
