-- Tasks beside classification: what scorers count, further right answers, choices and passages of examples, weights.

ALTER TABLE examples ADD COLUMN accepted VARCHAR[];        -- further right answers; NULL where there are none
ALTER TABLE examples ADD COLUMN choices VARCHAR[];         -- multiple choice
ALTER TABLE examples ADD COLUMN passages VARCHAR[];        -- question on a context
ALTER TABLE examples ADD COLUMN relevant INTEGER[];
ALTER TABLE examples ADD COLUMN weight DOUBLE;             -- NULL counts as 1
ALTER TABLE scores ADD COLUMN counts JSON;                 -- what the example adds to the sums that metrics are made of

-- What became of every example in every run with an accuracy workload, as the first scorer says: its score, else its
-- failure, else skipped. New: the value itself (scorers of text give values between 0 and 1) and the example's weight.
CREATE OR REPLACE VIEW example_outcomes AS
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
    coalesce(example.weight, 1) AS weight,
    coalesce(
        judgement.validity,
        CASE WHEN failed.example_id IS NULL THEN 'skipped' ELSE 'failed' END
    ) AS validity,
    judgement.predicted,
    CASE
        WHEN judgement.validity IS NOT NULL AND judgement.validity NOT IN ('failed', 'skipped')
        THEN CASE WHEN judgement.validity = 'scored' THEN coalesce(judgement.value, 0) ELSE 0 END
    END AS value,
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

-- What every scorer says of every example that was judged, one row each; the last completion of an example counts.
CREATE VIEW score_outcomes AS
SELECT
    benchmark, candidate, scorer, example_id, validity, counts,
    CASE WHEN validity = 'scored' THEN coalesce(value, 0) ELSE 0 END AS value
FROM scores
WHERE workload = 'accuracy' AND validity NOT IN ('failed', 'skipped')
QUALIFY row_number() OVER (PARTITION BY benchmark, candidate, scorer, example_id ORDER BY position DESC) = 1;
