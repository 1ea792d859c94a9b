-- Thinking apart, levels of load, cold and warm loads, energy. What earlier versions did not keep stays NULL.

ALTER TABLE completions ADD COLUMN thinking_chunks INTEGER;   -- of the chunks, how many from the first on were thinking
ALTER TABLE completions ADD COLUMN "level" DOUBLE;            -- load sweep: requests at once; arrivals: requests per second
ALTER TABLE windows ADD COLUMN "level" DOUBLE;
ALTER TABLE windows ADD COLUMN energy_joules DOUBLE;
ALTER TABLE windows ADD COLUMN energy_source VARCHAR;
ALTER TABLE failures ADD COLUMN request_id VARCHAR;
ALTER TABLE failures ADD COLUMN "level" DOUBLE;
ALTER TABLE loads ADD COLUMN "repeat" INTEGER;                -- 0 for the first load of the process; NULL means 0
ALTER TABLE loads ADD COLUMN cached_share DOUBLE;             -- of the weights, what the system held in memory before

-- Latency of every request. New beside TTFT, E2E, TPOT, prefill and decode, which are as before:
--   TTFA   handed over → first chunk of the answer, after any thinking; NULL where the thinking was not told apart
--   queue  ready → handed over; in an open loop a request is ready when it arrives
--   gaps   between successive chunks with text; a chunk of k tokens is k tokens in one gap
CREATE OR REPLACE VIEW request_timings AS
WITH offsets AS (
    SELECT
        benchmark, candidate, workload, "level", position, request_id, example_id, segment,
        prompt_tokens, cached_tokens, output_tokens,
        chunk_offsets_seconds[1] AS ttft_seconds,
        chunk_offsets_seconds[thinking_chunks + 1] AS ttfa_seconds,
        CASE
            WHEN len(chunk_offsets_seconds) > 0 THEN chunk_offsets_seconds[-1]
            WHEN method = 'scored_choices' THEN finished_at_seconds - started_at_seconds
        END AS e2e_seconds,
        CASE
            WHEN output_tokens > 1 AND len(chunk_offsets_seconds) > 1
            THEN (chunk_offsets_seconds[-1] - chunk_offsets_seconds[1]) / (output_tokens - 1)
        END AS tpot_seconds,
        started_at_seconds - ready_at_seconds AS queue_seconds,
        list_transform(
            range(1, len(chunk_offsets_seconds)),
            lambda gap: chunk_offsets_seconds[gap + 1] - chunk_offsets_seconds[gap]
        ) AS gaps_seconds
    FROM completions
)
SELECT
    *,
    CASE
        WHEN ttft_seconds > 0 AND prompt_tokens > cached_tokens THEN (prompt_tokens - cached_tokens) / ttft_seconds
    END AS prefill_tokens_per_second,
    CASE WHEN tpot_seconds > 0 THEN 1 / tpot_seconds END AS decode_tokens_per_second
FROM offsets;

-- Throughput of every workload, level by level: what was finished in the measured windows ÷ their length. A segment
-- that died has no window, and what it finished is left out. A request that failed and was never answered is counted
-- apart: it adds nothing to the throughput, and its time stays in the window.
CREATE OR REPLACE VIEW run_throughput AS
WITH measured AS (
    SELECT
        benchmark, candidate, segment, workload, "level",
        count(*) AS requests,
        sum(output_tokens) AS output_tokens,
        sum(prompt_tokens) AS prompt_tokens,
        sum(length("text")) AS characters
    FROM completions
    GROUP BY ALL
),
failed AS (
    SELECT benchmark, candidate, workload, "level", count(DISTINCT coalesce(request_id, example_id)) AS failed
    FROM failures
    WHERE workload IS NOT NULL AND coalesce(request_id, example_id) IS NOT NULL
        AND NOT EXISTS (
            SELECT 1 FROM completions AS answered
            WHERE answered.benchmark = failures.benchmark AND answered.candidate = failures.candidate
                AND answered.workload = failures.workload
                AND answered.request_id = coalesce(failures.request_id, failures.example_id)
        )
    GROUP BY ALL
),
summed AS (
    SELECT
        part.benchmark, part.candidate, part.workload, part."level",
        sum(part.finished_at_seconds - part.started_at_seconds) AS window_seconds,
        sum(coalesce(requests, 0)) AS requests,
        sum(coalesce(output_tokens, 0)) AS output_tokens,
        sum(coalesce(prompt_tokens, 0)) AS prompt_tokens,
        sum(coalesce(characters, 0)) AS characters,
        CASE WHEN count(part.energy_joules) = count(*) THEN sum(part.energy_joules) END AS energy_joules,
        min(part.energy_source) AS energy_source
    FROM windows AS part
    LEFT JOIN measured
        ON measured.benchmark = part.benchmark AND measured.candidate = part.candidate
        AND measured.segment = part.segment AND measured.workload = part.workload
        AND measured."level" IS NOT DISTINCT FROM part."level"
    GROUP BY ALL
)
SELECT
    summed.benchmark, summed.candidate, summed.workload, summed."level",
    window_seconds, requests, coalesce(failed, 0) AS failed, output_tokens,
    requests / nullif(window_seconds, 0) AS requests_per_second,
    output_tokens / nullif(window_seconds, 0) AS output_tokens_per_second,
    prompt_tokens / nullif(window_seconds, 0) AS prompt_tokens_per_second,
    characters / nullif(window_seconds, 0) AS characters_per_second,
    energy_joules, energy_source
FROM summed
LEFT JOIN failed
    ON failed.benchmark = summed.benchmark AND failed.candidate = summed.candidate
    AND failed.workload = summed.workload AND failed."level" IS NOT DISTINCT FROM summed."level";

-- The first load, apart from repeated ones: in later segments (after a resumption), and in the same process with the
-- weights in memory. A load is cold where the system held at most 5 % of the weights before, warm from 95 % on.
CREATE OR REPLACE VIEW run_loads AS
SELECT
    benchmark, candidate,
    arg_min(load_seconds, segment) FILTER (WHERE nth = 0) AS load_seconds,
    arg_min(loaded, segment) FILTER (WHERE nth = 0) AS loaded,
    arg_min(cached_share, segment) FILTER (WHERE nth = 0) AS load_cached_share,
    avg(load_seconds) FILTER (WHERE nth = 0 AND segment > first_segment) AS repeated_load_seconds,
    median(load_seconds) FILTER (WHERE nth = 0 AND cached_share <= 0.05) AS cold_load_seconds,
    median(load_seconds) FILTER (WHERE nth > 0 AND coalesce(cached_share, 1) >= 0.95) AS warm_load_seconds,
    count(*) FILTER (WHERE nth > 0 AND coalesce(cached_share, 1) >= 0.95) AS warm_loads
FROM (
    SELECT *, coalesce("repeat", 0) AS nth, min(segment) OVER (PARTITION BY benchmark, candidate) AS first_segment
    FROM loads
)
GROUP BY benchmark, candidate;

-- The first request after the first load, timed apart: it pays for what a load leaves for later.
CREATE VIEW run_first_requests AS
SELECT
    benchmark, candidate,
    arg_min(ttft_seconds, position) AS first_request_ttft_seconds,
    arg_min(e2e_seconds, position) AS first_request_e2e_seconds
FROM request_timings
WHERE workload = 'load'
GROUP BY benchmark, candidate;

-- One line per run for lists; what a load was tried with is no completion of the test set.
CREATE OR REPLACE VIEW run_overview AS
SELECT
    run.key, run.benchmark, run.candidate, run.status,
    (SELECT arg_min(started_at, segment) FROM segments
        WHERE segments.benchmark = run.benchmark AND segments.candidate = run.candidate) AS started_at,
    (SELECT count(*) FROM completions
        WHERE completions.benchmark = run.benchmark AND completions.candidate = run.candidate
            AND completions.workload <> 'load') AS completions,
    (SELECT count(*) FROM failures
        WHERE failures.benchmark = run.benchmark AND failures.candidate = run.candidate) AS failures
FROM runs AS run;
