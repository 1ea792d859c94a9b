-- Label probabilities only where they are what decided: log-probabilities that were divided by the answers' lengths before
-- the highest was taken are no probabilities any more, and the raw ones may belong to another answer than the chosen one.

CREATE OR REPLACE VIEW choice_probabilities AS
WITH decided AS (
    SELECT
        completions.*,
        list_transform(
            list_zip(choice_logprobs, choice_baselines), lambda pair: pair[1] - coalesce(pair[2], 0.0)
        ) AS evidence
    FROM completions
    JOIN runs USING (benchmark, candidate)
    WHERE method = 'scored_choices'
        AND coalesce(len(list_filter(
            json_extract_string(runs.spec, '$.workloads[*].length_normalisation'), lambda unit: unit <> 'none'
        )), 0) = 0
        AND NOT coalesce(
            list_contains(json_extract_string(runs.spec, '$.test_set.scorers[*].decides'), 'normalised'), false
        )
)
SELECT
    benchmark, candidate, workload, request_id,
    exp(evidence[list_position(choices, "text")] - largest)
        / list_sum(list_transform(evidence, lambda each: exp(each - largest))) AS probability
FROM (SELECT *, list_max(evidence) AS largest FROM decided);
