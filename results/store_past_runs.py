"""The results file's part on what earlier runs took, for predictions. Counts and sums are made where the rows lie."""

from results.forecast_records import PastWork
from results.store_file import Connection, read_rows

_QUERY = """
    WITH measured AS (
        SELECT
            benchmark, candidate, segment, workload, "level",
            count(*) AS requests,
            sum(prompt_tokens - cached_tokens + output_tokens) AS computed_tokens
        FROM completions
        GROUP BY ALL
    ),
    summed AS (
        SELECT
            part.benchmark, part.candidate, part.workload,
            sum(coalesce(requests, 0)) AS requests,
            sum(coalesce(computed_tokens, 0)) AS computed_tokens,
            sum(part.finished_at_seconds - part.started_at_seconds) AS seconds
        FROM windows AS part
        LEFT JOIN measured
            ON measured.benchmark = part.benchmark AND measured.candidate = part.candidate
            AND measured.segment = part.segment AND measured.workload = part.workload
            AND measured."level" IS NOT DISTINCT FROM part."level"
        GROUP BY ALL
    )
    SELECT
        summed.benchmark, summed.workload, requests, computed_tokens, seconds, run_loads.load_seconds,
        runs.test_set_hash, benchmarks.created_at AS measured_at,
        json_extract_string(runs.spec, '$.candidate.model_id') AS model_id,
        json_extract_string(runs.spec, '$.candidate.quantization') AS quantization,
        json_extract_string(runs.spec, '$.candidate.engine') AS engine,
        CAST(json_extract(runs.spec, '$.candidate.weights_bytes') AS BIGINT) AS weights_bytes
    FROM summed
    JOIN runs USING (benchmark, candidate)
    JOIN benchmarks ON benchmarks.name = summed.benchmark
    LEFT JOIN run_loads USING (benchmark, candidate)
    WHERE requests > 0 AND seconds > 0
        AND json_extract_string(benchmarks.definition, '$.machine.cpu') = ?
        AND CAST(json_extract(benchmarks.definition, '$.machine.logical_cores') AS INTEGER) = ?
    ORDER BY try_cast(benchmarks.created_at AS TIMESTAMPTZ) DESC NULLS LAST, summed.benchmark, summed.candidate
"""


def past_work(db: Connection, cpu: str, logical_cores: int) -> tuple[PastWork, ...]:
    """Every measured workload of every stored run on a machine like this one, newest benchmark first."""
    return tuple(PastWork.model_validate(row) for row in read_rows(db, _QUERY, [cpu, logical_cores]))
