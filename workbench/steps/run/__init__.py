"""Step Run: start, watch, cancel and resume benchmarks."""
