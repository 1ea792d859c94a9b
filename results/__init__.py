"""Keep what happened and derive what it means: store, statistics, comparison, recommendation. Never starts a run."""
