"""What exists, what is allowed, what fits: models, license verdicts and memory predictions. Never loads a model."""
