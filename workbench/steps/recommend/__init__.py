"""Step Recommend: hard limits, weights, the ranking that follows, and the report."""
