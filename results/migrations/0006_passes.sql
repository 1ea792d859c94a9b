-- What needs another model or several requests per example: variations of the prompt, and scores that came after a run.

ALTER TABLE completions ADD COLUMN variation VARCHAR;      -- workload robustness: original, a perturbation, repeat-1 …

CREATE TABLE score_passes (             -- scorers that judged the stored completions of a run later; scores are in `scores`
    benchmark VARCHAR NOT NULL,
    candidate VARCHAR NOT NULL,
    scorer VARCHAR NOT NULL,
    made_at VARCHAR NOT NULL,
    definition JSON NOT NULL,           -- the record of the scorer's options
    PRIMARY KEY (benchmark, candidate, scorer)
);

CREATE TABLE judgings (                 -- what a judge's grades are worth, over all candidates of a benchmark
    benchmark VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    made_at VARCHAR NOT NULL,
    definition JSON NOT NULL,           -- the record JudgeReport
    PRIMARY KEY (benchmark, name)
);

-- What became of every example under every variation of a robustness workload, as the test set's first scorer says.
-- Only what was judged; value and right as in example_outcomes, which knows nothing of these.
CREATE VIEW variation_outcomes AS
SELECT
    score.benchmark, score.candidate, completion.variation, example.position, score.example_id,
    example.target, example.slices, coalesce(example.weight, 1) AS weight,
    score.validity, score.predicted, score.counts, completion."text",
    CASE WHEN score.validity = 'scored' THEN coalesce(score.value, 0) ELSE 0 END AS value,
    score.validity = 'scored' AND coalesce(score.value, 0) = 1 AS "right"
FROM scores AS score
JOIN runs AS run USING (benchmark, candidate, scorer)
JOIN completions AS completion
    ON completion.benchmark = score.benchmark AND completion.candidate = score.candidate
    AND completion.position = score.position
JOIN examples AS example ON example.test_set_hash = run.test_set_hash AND example.id = score.example_id
WHERE completion.workload = 'robustness' AND completion.variation IS NOT NULL
    AND score.validity NOT IN ('failed', 'skipped');
