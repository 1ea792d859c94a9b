-- Candidates that were stopped early, and scores summed up where they lie: a million of them in less than a second.

CREATE TABLE stops (                    -- of a run whose status is `stopped`: the record EarlyStop
    benchmark VARCHAR NOT NULL,
    candidate VARCHAR NOT NULL,
    position INTEGER NOT NULL,          -- always 0: a run is stopped once
    against VARCHAR NOT NULL,
    examples INTEGER NOT NULL,
    value DOUBLE NOT NULL,
    against_value DOUBLE NOT NULL,
    margin DOUBLE NOT NULL,
    e_value DOUBLE NOT NULL,
    threshold DOUBLE NOT NULL,
    alpha DOUBLE NOT NULL,
    not_asked INTEGER NOT NULL,
    seconds_per_example DOUBLE NOT NULL,
    seconds_saved DOUBLE NOT NULL
);

-- Every scorer of every run: how many examples it judged, their mean value, and what happened to them. The last
-- completion of an example counts; what failed or was skipped is counted, but is in no mean.
CREATE VIEW score_summary AS
WITH weights AS (
    SELECT test_set_hash, id AS example_id, weight FROM examples WHERE weight <> 1
),
last AS (
    SELECT
        benchmark, candidate, scorer, example_id,
        arg_max(validity, position) AS validity,
        arg_max(coalesce(value, 0), position) AS value
    FROM scores
    WHERE workload = 'accuracy'
    GROUP BY benchmark, candidate, scorer, example_id
),
weighed AS (
    SELECT
        last.benchmark, last.candidate, last.scorer, last.validity,
        CASE WHEN last.validity = 'scored' THEN last.value ELSE 0 END AS value,
        CASE WHEN last.validity IN ('failed', 'skipped') THEN 0 ELSE coalesce(weights.weight, 1) END AS weight
    FROM last
    JOIN runs USING (benchmark, candidate)
    LEFT JOIN weights ON weights.test_set_hash = runs.test_set_hash AND weights.example_id = last.example_id
)
SELECT
    benchmark, candidate, scorer,
    count(*) FILTER (WHERE weight > 0) AS n,
    sum(value * weight) / nullif(sum(weight), 0) AS mean,
    count(*) FILTER (WHERE validity = 'scored') AS scored,
    count(*) FILTER (WHERE validity = 'unparseable') AS unparseable,
    count(*) FILTER (WHERE validity = 'truncated') AS truncated,
    count(*) FILTER (WHERE validity = 'empty') AS "empty",
    count(*) FILTER (WHERE validity = 'refused') AS refused,
    count(*) FILTER (WHERE validity = 'overflow') AS overflow,
    count(*) FILTER (WHERE validity = 'failed') AS failed,
    count(*) FILTER (WHERE validity = 'skipped') AS skipped
FROM weighed
GROUP BY benchmark, candidate, scorer;
