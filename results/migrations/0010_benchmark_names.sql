-- Benchmarks can be put away and called otherwise. Who asks for a former name is told the present one.

ALTER TABLE benchmarks ADD COLUMN archived_at VARCHAR;     -- ISO 8601 with offset; NULL: not archived

CREATE TABLE former_names (
    former VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,              -- as it is called now
    renamed_at VARCHAR NOT NULL
);
