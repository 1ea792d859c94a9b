-- Tables hold what happened: offsets, counts, scores. Views derive what it means, so that a corrected definition
-- re-derives history. Unknown is NULL. There are no foreign keys, because DuckDB checks them against rows that the same
-- transaction has already deleted; every change is one transaction of results/store.py instead.

CREATE TABLE benchmarks (
    name VARCHAR PRIMARY KEY,
    created_at VARCHAR NOT NULL,
    test_set_hash VARCHAR NOT NULL,
    definition JSON NOT NULL            -- the record Benchmark
);

CREATE TABLE examples (                 -- each test set once, by the hash of its content
    test_set_hash VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    id VARCHAR NOT NULL,
    inputs JSON NOT NULL,
    target VARCHAR NOT NULL,
    slices JSON NOT NULL,
    "row" INTEGER
);

CREATE TABLE runs (
    benchmark VARCHAR NOT NULL,
    candidate VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    test_set_hash VARCHAR NOT NULL,
    scorer VARCHAR,                     -- the test set's first scorer: quality is what it says
    workloads VARCHAR[] NOT NULL,       -- kinds that were asked for
    spec JSON NOT NULL,                 -- the record RunSpec without its examples
    PRIMARY KEY (benchmark, candidate)
);

CREATE TABLE segments (                 -- one per start of the worker
    benchmark VARCHAR NOT NULL,
    candidate VARCHAR NOT NULL,
    segment INTEGER NOT NULL,
    key VARCHAR NOT NULL,
    pid BIGINT NOT NULL,
    started_at VARCHAR NOT NULL,
    load_average DOUBLE,
    packages JSON NOT NULL
);

CREATE TABLE loads (
    benchmark VARCHAR NOT NULL,
    candidate VARCHAR NOT NULL,
    segment INTEGER NOT NULL,
    load_seconds DOUBLE NOT NULL,
    loaded JSON NOT NULL
);

CREATE TABLE windows (                  -- measured windows; throughput is derived from them
    benchmark VARCHAR NOT NULL,
    candidate VARCHAR NOT NULL,
    segment INTEGER NOT NULL,
    workload VARCHAR NOT NULL,
    started_at_seconds DOUBLE NOT NULL,
    finished_at_seconds DOUBLE NOT NULL
);

CREATE TABLE completions (
    benchmark VARCHAR NOT NULL,
    candidate VARCHAR NOT NULL,
    position INTEGER NOT NULL,          -- order in which they were finished
    request_id VARCHAR NOT NULL,
    workload VARCHAR NOT NULL,
    example_id VARCHAR,
    segment INTEGER NOT NULL,
    "text" VARCHAR NOT NULL,
    finish_reason VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    tokens_from VARCHAR NOT NULL,
    ready_at_seconds DOUBLE,
    started_at_seconds DOUBLE,
    chunk_offsets_seconds DOUBLE[] NOT NULL,
    chunk_tokens INTEGER[] NOT NULL,
    finished_at_seconds DOUBLE,
    choices VARCHAR[] NOT NULL,         -- these four: where answers were scored, one entry per choice
    choice_logprobs DOUBLE[] NOT NULL,
    choice_tokens INTEGER[] NOT NULL,
    choice_baselines DOUBLE[] NOT NULL  -- log-probabilities after texts that say nothing; NULL without calibration
);

CREATE TABLE scores (
    benchmark VARCHAR NOT NULL,
    candidate VARCHAR NOT NULL,
    position INTEGER NOT NULL,          -- of the completion
    workload VARCHAR NOT NULL,
    request_id VARCHAR NOT NULL,
    example_id VARCHAR NOT NULL,
    scorer VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    validity VARCHAR NOT NULL,
    value DOUBLE,
    predicted VARCHAR
);

CREATE TABLE memory_samples (
    benchmark VARCHAR NOT NULL,
    candidate VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    at_seconds DOUBLE NOT NULL,
    rss_bytes BIGINT NOT NULL,
    pss_bytes BIGINT,
    mapped_file_bytes BIGINT,
    gpu_bytes BIGINT,
    high_water_bytes BIGINT,
    processes INTEGER NOT NULL
);

CREATE TABLE failures (
    benchmark VARCHAR NOT NULL,
    candidate VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    workload VARCHAR,
    stage VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    hint VARCHAR NOT NULL,
    example_id VARCHAR,
    log_path VARCHAR,
    log_tail VARCHAR NOT NULL
);

CREATE TABLE votes (
    id VARCHAR PRIMARY KEY,
    created_at VARCHAR NOT NULL,
    prompt VARCHAR NOT NULL,
    "left" VARCHAR NOT NULL,
    "right" VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    blind BOOLEAN NOT NULL,
    left_text VARCHAR NOT NULL,
    right_text VARCHAR NOT NULL
);

CREATE TABLE shortlists (
    name VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    created_at VARCHAR NOT NULL,
    definition JSON NOT NULL,           -- the record Shortlist
    PRIMARY KEY (name, version)
);

-- Latency of every request. The definitions are those of the method page:
--   TTFT  handed over → first chunk with text
--   E2E   handed over → last token; where answers were scored there are no chunks, and it is the whole request
--   TPOT  (last token − first token) ÷ (output tokens − 1), only with more than one output token and an observed gap
--   prefill  prompt tokens that were computed (cached ones not counted) ÷ TTFT
--   decode   1 ÷ TPOT
CREATE VIEW request_timings AS
WITH offsets AS (
    SELECT
        benchmark, candidate, workload, position, request_id, example_id, segment,
        prompt_tokens, cached_tokens, output_tokens,
        chunk_offsets_seconds[1] AS ttft_seconds,
        CASE
            WHEN len(chunk_offsets_seconds) > 0 THEN chunk_offsets_seconds[-1]
            WHEN method = 'scored_choices' THEN finished_at_seconds - started_at_seconds
        END AS e2e_seconds,
        CASE
            WHEN output_tokens > 1 AND len(chunk_offsets_seconds) > 1
            THEN (chunk_offsets_seconds[-1] - chunk_offsets_seconds[1]) / (output_tokens - 1)
        END AS tpot_seconds,
        started_at_seconds - ready_at_seconds AS queue_seconds
    FROM completions
)
SELECT
    *,
    CASE
        WHEN ttft_seconds > 0 AND prompt_tokens > cached_tokens THEN (prompt_tokens - cached_tokens) / ttft_seconds
    END AS prefill_tokens_per_second,
    CASE WHEN tpot_seconds > 0 THEN 1 / tpot_seconds END AS decode_tokens_per_second
FROM offsets;

-- Inter-token latency: every gap between successive arrivals, pooled; a chunk of k tokens is k tokens in one gap.
CREATE VIEW inter_token_gaps AS
SELECT
    benchmark, candidate, workload, request_id, gap,
    chunk_offsets_seconds[gap + 1] - chunk_offsets_seconds[gap] AS gap_seconds,
    chunk_tokens[gap + 1] AS tokens
FROM (
    SELECT *, unnest(range(1, len(chunk_offsets_seconds))) AS gap
    FROM completions
    WHERE len(chunk_offsets_seconds) > 1
);

-- Throughput: what was finished in the measured windows ÷ their length. A segment that died has no window, and what
-- it finished is left out. Characters stand beside tokens, because tokens of different tokenizers are not comparable.
CREATE VIEW run_throughput AS
WITH measured AS (
    SELECT
        benchmark, candidate, segment, workload,
        count(*) AS requests,
        sum(output_tokens) AS output_tokens,
        sum(prompt_tokens) AS prompt_tokens,
        sum(length("text")) AS characters
    FROM completions
    GROUP BY ALL
)
SELECT
    benchmark, candidate, workload,
    sum(finished_at_seconds - started_at_seconds) AS window_seconds,
    sum(requests) / nullif(window_seconds, 0) AS requests_per_second,
    sum(output_tokens) / nullif(window_seconds, 0) AS output_tokens_per_second,
    sum(prompt_tokens) / nullif(window_seconds, 0) AS prompt_tokens_per_second,
    sum(characters) / nullif(window_seconds, 0) AS characters_per_second
FROM windows
JOIN measured USING (benchmark, candidate, segment, workload)
GROUP BY benchmark, candidate, workload;

-- Peak memory over load and generation: PSS (shared pages counted once) where the kernel gave it, else RSS.
CREATE VIEW run_memory AS
SELECT
    benchmark, candidate,
    coalesce(max(pss_bytes), max(rss_bytes)) AS peak_memory_bytes,
    CASE WHEN max(pss_bytes) IS NULL THEN 'RSS' ELSE 'PSS' END AS peak_memory_method,
    max(mapped_file_bytes) AS peak_mapped_file_bytes,
    max(high_water_bytes) AS high_water_bytes,
    max(gpu_bytes) AS peak_gpu_bytes
FROM memory_samples
GROUP BY benchmark, candidate;

-- The first load, and the mean of repeated ones (after a resumption), apart.
CREATE VIEW run_loads AS
SELECT
    benchmark, candidate,
    arg_min(load_seconds, segment) AS load_seconds,
    arg_min(loaded, segment) AS loaded,
    avg(load_seconds) FILTER (WHERE segment > first_segment) AS repeated_load_seconds
FROM (SELECT *, min(segment) OVER (PARTITION BY benchmark, candidate) AS first_segment FROM loads)
GROUP BY benchmark, candidate;

-- Softmax of what decided (log-probability less its baseline, where there is one) over all answers that were scored.
CREATE VIEW choice_probabilities AS
WITH decided AS (
    SELECT
        *,
        list_transform(
            list_zip(choice_logprobs, choice_baselines), lambda pair: pair[1] - coalesce(pair[2], 0.0)
        ) AS evidence
    FROM completions
    WHERE method = 'scored_choices'
)
SELECT
    benchmark, candidate, workload, request_id,
    exp(evidence[list_position(choices, "text")] - largest)
        / list_sum(list_transform(evidence, lambda each: exp(each - largest))) AS probability
FROM (SELECT *, list_max(evidence) AS largest FROM decided);

-- What became of every example in every run with an accuracy workload: its score, else its failure, else skipped.
CREATE VIEW example_outcomes AS
WITH accuracy_runs AS (
    SELECT * FROM runs WHERE list_contains(workloads, 'accuracy')
),
judgements AS (
    SELECT scores.*
    FROM scores
    JOIN accuracy_runs USING (benchmark, candidate, scorer)
    WHERE workload = 'accuracy'
    QUALIFY row_number() OVER (PARTITION BY benchmark, candidate, example_id ORDER BY position DESC) = 1
),
answers AS (
    SELECT benchmark, candidate, example_id, "text", probability
    FROM completions
    LEFT JOIN choice_probabilities USING (benchmark, candidate, workload, request_id)
    WHERE workload = 'accuracy'
    QUALIFY row_number() OVER (PARTITION BY benchmark, candidate, example_id ORDER BY position DESC) = 1
),
failed AS (
    SELECT DISTINCT benchmark, candidate, example_id
    FROM failures
    WHERE example_id IS NOT NULL AND (workload IS NULL OR workload = 'accuracy')
)
SELECT
    run.benchmark, run.candidate, run.test_set_hash,
    example.position, example.id AS example_id, example.inputs, example.target, example.slices,
    coalesce(
        judgement.validity,
        CASE WHEN failed.example_id IS NULL THEN 'skipped' ELSE 'failed' END
    ) AS validity,
    judgement.predicted,
    CASE
        WHEN judgement.validity IS NOT NULL AND judgement.validity NOT IN ('failed', 'skipped')
        THEN judgement.validity = 'scored' AND coalesce(judgement.value, 0) = 1
    END AS "right",
    coalesce(answer."text", '') AS "text",
    answer.probability
FROM accuracy_runs AS run
JOIN examples AS example USING (test_set_hash)
LEFT JOIN judgements AS judgement
    ON judgement.benchmark = run.benchmark AND judgement.candidate = run.candidate
    AND judgement.example_id = example.id
LEFT JOIN failed
    ON failed.benchmark = run.benchmark AND failed.candidate = run.candidate AND failed.example_id = example.id
LEFT JOIN answers AS answer
    ON answer.benchmark = run.benchmark AND answer.candidate = run.candidate AND answer.example_id = example.id;

-- One line per run for lists.
CREATE VIEW run_overview AS
SELECT
    run.key, run.benchmark, run.candidate, run.status,
    (SELECT arg_min(started_at, segment) FROM segments
        WHERE segments.benchmark = run.benchmark AND segments.candidate = run.candidate) AS started_at,
    (SELECT count(*) FROM completions
        WHERE completions.benchmark = run.benchmark AND completions.candidate = run.candidate) AS completions,
    (SELECT count(*) FROM failures
        WHERE failures.benchmark = run.benchmark AND failures.candidate = run.candidate) AS failures
FROM runs AS run;
