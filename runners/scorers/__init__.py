"""Scorers: a completion and its example in, one Score out. Pure; sums, intervals and display live in results."""
