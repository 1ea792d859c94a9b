"""Makes other requirements those of a stored benchmark: in its record, and in the text that repeats it.

Runs do not depend on requirements, so that nothing is measured again. The text keeps its comments. A file of the app
is written anew; a person's own file elsewhere stays as it is.
"""

import io
from pathlib import Path

from ruamel.yaml import YAML

from results.records import Benchmark
from results.requirement_records import Requirements
from results.store import Store
from workbench.settings import Settings


def keep_requirements(store: Store, settings: Settings, benchmark: str, requirements: Requirements) -> Benchmark:
    """Store the benchmark with these requirements. Raises UnknownBenchmark."""
    stored = store.benchmark(benchmark)
    text = with_requirements(stored.definition, requirements)
    changed = stored.model_copy(update={"requirements": requirements, "definition": text})
    store.save_benchmark(changed)
    source = Path(stored.source) if stored.source else None
    if text and source is not None and source.parent == settings.benchmarks_folder and source.exists():
        source.write_text(text, encoding="utf-8")
    return changed


def with_requirements(definition: str, requirements: Requirements) -> str:
    """A benchmark file with other requirements and everything else as it was; empty where there is no text."""
    if not definition:
        return ""
    yaml = YAML()
    yaml.width = 110
    tree = yaml.load(definition)
    tree["requirements"] = requirements.model_dump(mode="json", exclude_defaults=True)
    stream = io.StringIO()
    yaml.dump(tree, stream)
    return stream.getvalue()
