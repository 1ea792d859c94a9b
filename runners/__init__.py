"""Load a candidate, send it requests, measure what happened. Never opens the results database."""
