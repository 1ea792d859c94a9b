-- What quantizing lost, measured on a text (workbench divergence). Belongs to files, not to a benchmark: a benchmark shows
-- what is known of its candidates' files. Measured again, a figure replaces the earlier one.

CREATE TABLE divergences (
    weights_sha256 VARCHAR NOT NULL,
    reference_sha256 VARCHAR NOT NULL,  -- equal to weights_sha256 for the reference itself
    text_sha256 VARCHAR NOT NULL,
    context_tokens INTEGER NOT NULL,
    measured_at VARCHAR NOT NULL,
    definition JSON NOT NULL,           -- the record QuantizationLoss
    PRIMARY KEY (weights_sha256, reference_sha256, text_sha256, context_tokens)
);
