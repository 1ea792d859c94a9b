"""Tests: one file per subject, sentences as names, real engines, real processes, real files."""
