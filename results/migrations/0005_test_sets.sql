-- Test sets that were imported: every version that an edit made, whole.

CREATE TABLE test_sets (
    name VARCHAR NOT NULL,
    "version" INTEGER NOT NULL,             -- counted from 1 under each name
    created_at VARCHAR NOT NULL,            -- ISO 8601 with offset
    content_hash VARCHAR NOT NULL,          -- over task and examples in order, without row numbers
    definition JSON NOT NULL,               -- the record KeptTestSet
    PRIMARY KEY (name, "version")
);

-- Without a key: a million rows would need an index in memory. They are read by version, as a whole.
CREATE TABLE test_set_examples (
    name VARCHAR NOT NULL,
    "version" INTEGER NOT NULL,
    position INTEGER NOT NULL,              -- order in the file, counted from 0
    id VARCHAR NOT NULL,
    digest BIGINT NOT NULL,                 -- of everything but the row number; equal where nothing was changed
    inputs JSON NOT NULL,
    target VARCHAR NOT NULL,
    accepted VARCHAR[],
    choices VARCHAR[],
    passages VARCHAR[],
    relevant INTEGER[],
    slices JSON NOT NULL,
    weight DOUBLE NOT NULL,
    "row" INTEGER,
    second_label VARCHAR                    -- what a second person said; NULL where there is no such column
);
