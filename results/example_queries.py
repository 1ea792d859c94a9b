"""SQL of the example browser: what became of examples, read narrowly; used by results/store_examples.py alone."""

from results.example_records import ExampleFilter

JUDGED = """
    judged AS (
        SELECT
            score.candidate, score.example_id,
            arg_max(score.validity, score.position) AS validity,
            arg_max(CASE WHEN score.validity = 'scored' THEN coalesce(score.value, 0) ELSE 0 END, score.position)
                AS value
        FROM scores AS score
        JOIN runs AS run USING (benchmark, candidate, scorer)
        WHERE score.benchmark = $benchmark AND run.test_set_hash = $hash AND score.workload = 'accuracy'
            AND list_contains($candidates::VARCHAR[], score.candidate)
        GROUP BY ALL
    ),
    outcome AS (
        SELECT *, validity = 'scored' AND value = 1 AS is_right
        FROM judged WHERE validity NOT IN ('failed', 'skipped')
    ),
    outcomes AS (SELECT example_id AS id, {flag} AS found FROM outcome GROUP BY example_id)"""
"""Judged answers by example, and what a filter looks at (`{flag}`), as common table expressions."""
FLAGS: dict[ExampleFilter, str] = {
    "disagreement": "bool_or(is_right) AND NOT bool_and(is_right)",
    "first_right": "bool_or(candidate = $first AND is_right) AND bool_or(candidate = $second AND NOT is_right)",
    "second_right": "bool_or(candidate = $second AND is_right) AND bool_or(candidate = $first AND NOT is_right)",
    "first_higher": "max(value) FILTER (candidate = $first) > max(value) FILTER (candidate = $second)",
    "any_wrong": "NOT bool_and(is_right)",
    "all_wrong": "NOT bool_or(is_right)",
    "unparseable": "bool_or(validity = 'unparseable')",
    "failed": "count(*) = len($asked::VARCHAR[])",
}
"""What of an example's judged answers a filter looks at; `failed` takes those without it."""
_ANSWERED = "benchmark = $benchmark AND workload = 'accuracy' AND list_contains($candidates::VARCHAR[], candidate)"
ORDERS = {
    "slowest": f"SELECT example_id AS id, max(e2e_seconds) AS size FROM request_timings WHERE {_ANSWERED} GROUP BY ALL",
    "longest": f"SELECT example_id AS id, max(output_tokens) AS size FROM completions WHERE {_ANSWERED} GROUP BY ALL",
}
"""What examples are ordered by, largest first."""
TEXT = f"""(
    contains(lower(example.id), lower($text)) OR contains(lower(example.target), lower($text))
    OR len(
        list_filter(json_extract_string(example.inputs, '$.*'), lambda each: contains(lower(each), lower($text)))
    ) > 0
    OR example.id IN (SELECT example_id FROM completions WHERE {_ANSWERED} AND contains(lower("text"), lower($text)))
)"""
"""Whether an example, or an answer to it, holds a text."""

ANSWERS = """
    WITH asked AS (
        SELECT candidate, scorer, id FROM runs, (SELECT unnest($ids::VARCHAR[]) AS id)
        WHERE benchmark = $benchmark AND list_contains($candidates::VARCHAR[], candidate)
    ),
    done AS (
        SELECT
            candidate, example_id AS id, request_id, output_tokens, position,
            left("text", $most) AS "text", length("text") AS characters,
            CASE
                WHEN len(chunk_offsets_seconds) > 0 THEN chunk_offsets_seconds[-1]
                WHEN method = 'scored_choices' THEN finished_at_seconds - started_at_seconds
            END AS e2e_seconds
        FROM completions
        WHERE benchmark = $benchmark AND workload = 'accuracy' AND list_contains($ids::VARCHAR[], example_id)
            AND list_contains($candidates::VARCHAR[], candidate)
        QUALIFY row_number() OVER (PARTITION BY candidate, example_id ORDER BY position DESC) = 1
    ),
    judged AS (
        SELECT candidate, scorer, example_id AS id, validity, predicted, value FROM scores
        WHERE benchmark = $benchmark AND workload = 'accuracy' AND list_contains($ids::VARCHAR[], example_id)
        QUALIFY row_number() OVER (PARTITION BY candidate, scorer, example_id ORDER BY position DESC) = 1
    ),
    failed AS (
        SELECT DISTINCT candidate, example_id AS id FROM failures
        WHERE benchmark = $benchmark AND (workload IS NULL OR workload = 'accuracy')
    ),
    chosen AS (
        SELECT candidate, request_id, probability FROM choice_probabilities
        WHERE benchmark = $benchmark AND workload = 'accuracy'
            AND request_id IN (SELECT request_id FROM done WHERE id IS NOT NULL)
    )
    SELECT
        asked.candidate, asked.id, coalesce(done."text", '') AS "text", coalesce(done.characters, 0) AS characters,
        left(judged.predicted, $most) AS predicted, done.output_tokens, done.e2e_seconds, chosen.probability,
        coalesce(judged.validity, CASE WHEN failed.id IS NULL THEN 'skipped' ELSE 'failed' END) AS validity,
        judged.validity IS NOT NULL AND judged.validity NOT IN ('failed', 'skipped') AS is_judged,
        CASE WHEN judged.validity = 'scored' THEN coalesce(judged.value, 0) ELSE 0 END AS value
    FROM asked
    LEFT JOIN done USING (candidate, id)
    LEFT JOIN judged USING (candidate, scorer, id)
    LEFT JOIN failed USING (candidate, id)
    LEFT JOIN chosen ON chosen.candidate = done.candidate AND chosen.request_id = done.request_id
"""
"""Every candidate's last answer to some examples, one row each, also where there is none."""
WHOLE = """
    SELECT
        done.*, chosen.probability AS chosen_probability, timing.ttft_seconds
    FROM (
        SELECT
            candidate, position, request_id, "text", finish_reason, method, prompt_tokens, cached_tokens, tokens_from,
            choices, choice_logprobs, choice_tokens, choice_baselines, chunk_tokens, thinking_chunks
        FROM completions
        WHERE benchmark = $benchmark AND workload = 'accuracy' AND example_id = $example
        QUALIFY row_number() OVER (PARTITION BY candidate ORDER BY position DESC) = 1
    ) AS done
    LEFT JOIN choice_probabilities AS chosen
        ON chosen.benchmark = $benchmark AND chosen.workload = 'accuracy'
        AND chosen.candidate = done.candidate AND chosen.request_id = done.request_id
    LEFT JOIN request_timings AS timing
        ON timing.benchmark = $benchmark AND timing.candidate = done.candidate AND timing.position = done.position
"""
"""Everything of the last answers to one example."""
SCORES = """
    SELECT candidate, scorer, version, validity, value, predicted FROM scores
    WHERE benchmark = $benchmark AND workload = 'accuracy' AND example_id = $example
    QUALIFY row_number() OVER (PARTITION BY candidate, scorer ORDER BY position DESC) = 1 ORDER BY scorer
"""
"""What every scorer says of the answers to one example."""
FAILURES = """
    SELECT candidate, arg_max(message, position) AS message FROM failures
    WHERE benchmark = $benchmark AND example_id = $example AND (workload IS NULL OR workload = 'accuracy')
    GROUP BY candidate
"""
"""What went wrong with one example."""
