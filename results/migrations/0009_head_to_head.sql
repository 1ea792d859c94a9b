-- Head-to-heads with all that was asked and answered. Votes of earlier versions stay in `votes`, which knew no rounds.

CREATE TABLE head_to_head_batches (
    id VARCHAR PRIMARY KEY,
    created_at VARCHAR NOT NULL,            -- ISO 8601 with offset
    definition JSON NOT NULL                -- the record Batch
);

CREATE TABLE head_to_head_rounds (
    id VARCHAR PRIMARY KEY,
    batch_id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    created_at VARCHAR NOT NULL,
    messages JSON NOT NULL,                 -- records Message, without system prompts
    slots VARCHAR[] NOT NULL,               -- key of the candidate in each slot
    shown INTEGER[] NOT NULL,               -- slots from left to right
    seed BIGINT NOT NULL,
    follows VARCHAR,                        -- round before it in the same conversation
    source JSON                             -- the record RoundSource; NULL for a free prompt
);

-- Apart from the rounds, so that a round is written once and never changed.
CREATE TABLE head_to_head_closed (
    round_id VARCHAR PRIMARY KEY,
    closed_at VARCHAR NOT NULL
);

CREATE TABLE head_to_head_answers (
    round_id VARCHAR NOT NULL,
    slot INTEGER NOT NULL,
    attempt INTEGER NOT NULL,               -- the highest is the answer; earlier ones are kept
    seed BIGINT NOT NULL,
    state VARCHAR NOT NULL,
    "text" VARCHAR NOT NULL,
    messages JSON NOT NULL,
    ttft_seconds DOUBLE,
    output_tokens BIGINT,
    tokens_per_second DOUBLE,
    finish_reason VARCHAR,
    failure VARCHAR,
    PRIMARY KEY (round_id, slot, attempt)
);

CREATE TABLE head_to_head_votes (           -- only ever added to
    id VARCHAR PRIMARY KEY,
    place BIGINT NOT NULL,                  -- order in which they were cast
    round_id VARCHAR NOT NULL,
    created_at VARCHAR NOT NULL,
    "left" INTEGER NOT NULL,                -- slots as shown
    "right" INTEGER NOT NULL,
    outcome VARCHAR,                        -- NULL takes the vote back that it replaces
    reasons VARCHAR[] NOT NULL,
    note VARCHAR NOT NULL,
    blind BOOLEAN NOT NULL,
    voter VARCHAR,
    left_attempt INTEGER NOT NULL,
    right_attempt INTEGER NOT NULL,
    "replaces" VARCHAR
);

-- The answer of every slot: its last attempt.
CREATE VIEW head_to_head_latest AS
SELECT * FROM head_to_head_answers
QUALIFY attempt = max(attempt) OVER (PARTITION BY round_id, slot);

-- Votes that stand: not replaced, not taken back.
CREATE VIEW head_to_head_standing AS
SELECT * FROM head_to_head_votes
WHERE outcome IS NOT NULL
    AND id NOT IN (SELECT "replaces" FROM head_to_head_votes WHERE "replaces" IS NOT NULL);

-- How far every round is. An answer that was stopped before its first word is nothing to judge.
CREATE VIEW head_to_head_overview AS
SELECT
    round.id, round.batch_id, round.position, closed.closed_at,
    left(json_extract_string(round.messages, '$[#-1].content'), 200) AS prompt,
    json_extract_string(round.source, '$.example_id') AS example_id,
    coalesce(answered.answers, 0) AS answers,
    len(round.slots) - coalesce(answered."over", 0) AS unfinished,
    coalesce(answered.failed, 0) AS failed,
    coalesce(judged.votes, 0) AS votes
FROM head_to_head_rounds AS round
LEFT JOIN head_to_head_closed AS closed ON closed.round_id = round.id
LEFT JOIN (
    SELECT
        round_id,
        count(*) FILTER (state = 'finished' OR (state = 'stopped' AND "text" <> '')) AS answers,
        count(*) FILTER (state IN ('finished', 'stopped', 'failed')) AS "over",
        count(*) FILTER (state = 'failed') AS failed
    FROM head_to_head_latest GROUP BY round_id
) AS answered ON answered.round_id = round.id
LEFT JOIN (
    SELECT round_id, count(DISTINCT (least("left", "right"), greatest("left", "right"))) AS votes
    FROM head_to_head_standing GROUP BY round_id
) AS judged ON judged.round_id = round.id;
