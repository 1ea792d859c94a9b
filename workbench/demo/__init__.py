"""The demo: a labelled test set written for this project and the benchmark file that uses it."""
