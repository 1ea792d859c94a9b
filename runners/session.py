"""What one start of the worker shares: the spec, the engine, the event file, the clock. And loading, which it times."""

from dataclasses import dataclass
from pathlib import Path

from runners.engine import Engine
from runners.event_log import EventWriter
from runners.page_cache import cached_share, drop_from_cache
from runners.records import Loaded, ModelLoaded, RunSpec
from runners.stopwatch import Stopwatch


@dataclass(frozen=True)
class Session:
    """One start of the worker."""

    spec: RunSpec
    """What is asked."""
    engine: Engine
    """What answers."""
    events: EventWriter
    """Where it is written."""
    stopwatch: Stopwatch
    """The one clock."""
    segment: int
    """Which start it is."""

    def load(self, repeat: int = 0, *, cold: bool = False) -> Loaded:
        """Load the engine and write how long it took. cold: have the system forget the weights first."""
        weights = Path(self.spec.candidate.weights_path) if self.spec.candidate.weights_path else None
        if cold and weights is not None:
            drop_from_cache(weights)
        share = cached_share(weights) if weights is not None else None
        started = self.stopwatch.now()
        loaded = self.engine.load()
        seconds = self.stopwatch.now() - started
        tuned = self.engine.tune()
        if tuned is not None:
            loaded = loaded.model_copy(update=dict(tuned))
        self.events.write(
            ModelLoaded(segment=self.segment, load_seconds=seconds, loaded=loaded, repeat=repeat, cached_share=share)
        )
        return loaded
