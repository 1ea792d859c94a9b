"""How fast and how large is the index? Two million models, any filters, any order.

    .venv/bin/python benchmarks/index.py hub_models.parquet [--rows 2000000] [--folder FOLDER] [--queries 300]

The Parquet file lists real models (columns name, parameters_raw, format, quantization, context_length, pipeline_tag,
architecture, hf_downloads, hf_likes, release_date, num_hidden_layers, num_attention_heads, num_key_value_heads,
head_dim, hidden_size, vocab_size, license). Rows are made from them: other owners, names, downloads, likes and dates;
one in four with a changed number of parameters; two in five made from another model of the list. They go through a
real update. Then, with all columns read, each filter alone, filters mixed, every order, several profiles, machines and
engines, counts of exclusions included, each query asked once, so that no outcome is kept from before. The first result
of a new process is timed apart. The last line is JSON; nothing is asserted.

A folder that already holds a catalog is measured as it is.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import psutil

from catalog.catalog_folder import models_path
from catalog.index import Index
from catalog.records import Architecture, GpuDevice, Machine, Model, ModelQuery, Profile, VerdictValue, WeightsFile
from catalog.update import update_catalog

GIB = 1024**3
PAGE = 1_000
ANY = (VerdictValue.ALLOWED, VerdictValue.CONDITIONAL)
DESK = Machine(name="desk", cpu="x", logical_cores=8, memory_total_bytes=32 * GIB, memory_available_bytes=24 * GIB)
MACHINES = (
    DESK,
    DESK.model_copy(update={"memory_available_bytes": 6 * GIB, "instruction_sets": ("avx2",)}),
    DESK.model_copy(update={"gpus": (GpuDevice(name="card", total_bytes=24 * GIB, free_bytes=23 * GIB),)}),
    DESK.model_copy(update={"gpus": (GpuDevice(name="big", total_bytes=80 * GIB, free_bytes=79 * GIB),) * 2}),
)
PROFILES = (
    Profile(),
    Profile(commercial=False, annual_revenue_usd=0),
    Profile(eu_based=False, monthly_users=10**9),
    Profile(trains_on_outputs=True, hosts_or_redistributes=True),
)
FILTERS: dict[str, tuple[Any, ...]] = {
    "text": ("qwen", "llama instruct", "7b", "gguf q4", "zzzz", "mistral 8x7b"),
    "author": ("qwen", "maker17"),
    "verdicts": (ANY, (VerdictValue.ALLOWED,), (VerdictValue.UNKNOWN,)),
    "licenses": (("apache-2.0",), ("mit", "gemma")),
    "min_parameters": (10**9, 7 * 10**9),
    "max_parameters": (3 * 10**9, 14 * 10**9, 70 * 10**9),
    "min_context_tokens": (8_192, 32_768),
    "extended_context": (True,),
    "format": ("gguf", "safetensors"),
    "library": ("transformers",),
    "task": ("text-generation", "feature-extraction"),
    "language": ("en", "de"),
    "gated": (True, False),
    "updated_since": ("2025-06-01",),
}
SORTS = ("downloads", "likes", "trending", "rising", "parameters", "context", "name", "released", "updated")


class MadePage(NamedTuple):
    """A page of made models."""

    models: tuple[Model, ...]
    next_cursor: str | None


def made_pages(source: Path, rows: int, dice: random.Random) -> Iterator[MadePage]:
    """Models made from the list, in pages; the cursor is not used, because nothing interrupts a benchmark."""
    real = duckdb.connect().execute(f"SELECT * FROM '{source}'")
    names = [column[0] for column in real.description]
    entries = [dict(zip(names, row, strict=True)) for row in real.fetchall()]
    done = 0
    while done < rows:
        count = min(PAGE, rows - done)
        models = tuple(made_model(dice.choice(entries), entries, done + number, dice) for number in range(count))
        done += count
        yield MadePage(models, str(done) if done < rows else None)


def made_model(entry: dict[str, Any], entries: list[dict[str, Any]], number: int, dice: random.Random) -> Model:
    """One model after the likeness of a real one."""
    name = entry["name"].rpartition("/")[2]
    parameters = entry["parameters_raw"] or None
    if parameters and dice.random() < 0.25:
        parameters = round(parameters * dice.uniform(0.98, 1.02)) or 1
    parent = dice.choice(entries)["name"] if dice.random() < 0.1 else entry["name"] if dice.random() < 0.33 else None
    quantized = entry["format"] == "gguf"
    files: tuple[WeightsFile, ...] = ()
    if quantized and parameters:
        files = tuple(
            WeightsFile(path=f"{q}.gguf", size_bytes=round(parameters * bits / 8), format="gguf", quantization=q)
            for q, bits in (("Q4_K_M", 4.9), ("Q8_0", 8.5))
        )
    return Model(
        id=f"maker{dice.randrange(200_000)}/{name}-{number:x}",
        task=entry["pipeline_tag"],
        license=entry["license"] if dice.random() < 0.9 else None,
        base_models=(parent,) if parent else (),
        base_model_relation="quantized" if parent and quantized else "finetune" if parent else None,
        parameters=parameters,
        context_native_tokens=entry["context_length"] or None,
        architecture=_architecture(entry),
        formats=("gguf" if quantized else "safetensors",),
        weights_files=files,
        library="gguf" if quantized else "transformers",
        languages=dice.choice(((), ("en",), ("en", "de"), ("zh", "en"))),
        gated=dice.random() < 0.05,
        downloads=round((entry["hf_downloads"] or 0) * dice.random()) + dice.randrange(50),
        likes=round((entry["hf_likes"] or 0) * dice.random()),
        trending_score=dice.choice((None, 0.0, 1.0, dice.random() * 100)),
        released=entry["release_date"],
        updated=f"202{dice.randrange(3, 7)}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}",
    )


def _architecture(entry: dict[str, Any]) -> Architecture:
    def whole(name: str) -> int | None:
        return int(entry[name]) if entry[name] and entry[name] > 0 else None

    return Architecture(
        name=entry["architecture"],
        layers=whole("num_hidden_layers"),
        heads=whole("num_attention_heads"),
        kv_heads=whole("num_key_value_heads"),
        head_dim=whole("head_dim"),
        hidden_size=whole("hidden_size"),
        vocabulary_size=whole("vocab_size"),
    )


def made_queries(count: int, dice: random.Random) -> list[tuple[str, ModelQuery, Profile, Machine]]:
    """Each filter alone and each order, then mixtures; no two alike."""
    asked = [(name, {name: value}) for name, values in FILTERS.items() for value in values]
    asked += [(f"sort {sort}", {"sort": sort}) for sort in SORTS]
    asked += [("fits", {"fits": True, "context_tokens": 2048 * n}) for n in (1, 4)]
    while len(asked) < count:
        chosen = dice.sample(sorted(FILTERS), dice.randrange(1, 7))
        asked.append(("mixed", {name: dice.choice(FILTERS[name]) for name in chosen}))
    queries = []
    for kind, values in asked:
        extra: dict[str, Any] = {"min_parameters": dice.randrange(1, 10**6)} if kind == "mixed" else {}
        if kind == "mixed" and dice.random() < 0.5:
            extra |= {"fits": True, "engine": dice.choice(("llama-cpp", "vllm"))}
            extra |= {
                "quantization": dice.choice(("Q4_K_M", "Q8_0") if extra["engine"] == "llama-cpp" else ("AWQ", "BF16"))
            }
            extra |= {"context_tokens": dice.randrange(512, 65_536), "concurrency": dice.choice((1, 4))}
        if kind == "mixed":
            extra["sort"] = dice.choice(SORTS)
        query = ModelQuery.model_validate({**extra, **values})
        queries.append((kind + (" with fits" if query.fits and kind == "mixed" else ""), query, *_who(dice)))
    return queries


def _who(dice: random.Random) -> tuple[Profile, Machine]:
    return dice.choice(PROFILES), dice.choice(MACHINES)


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds, and what came of it."""
    started = time.perf_counter()
    outcome = action()
    return (time.perf_counter() - started) * 1000, outcome


def share(durations: list[float], part: float) -> float:
    """A quantile, by nearest rank, in milliseconds."""
    ordered = sorted(durations)
    return round(ordered[min(len(ordered) - 1, int(part * len(ordered)))], 1)


FIRST_RESULT = """
import sys, time
started = time.perf_counter()
from pathlib import Path
from catalog.index import Index
from catalog.records import Machine, ModelQuery, Profile
imported = time.perf_counter()
machine = Machine(name="m", cpu="x", logical_cores=2, memory_total_bytes=2**35, memory_available_bytes=2**34)
Index.open(Path(sys.argv[1])).search(ModelQuery(max_parameters=8 * 10**9), Profile(), machine)
print(round((imported - started) * 1000), round((time.perf_counter() - imported) * 1000))
"""


def measure(folder: Path, count: int, dice: random.Random) -> dict[str, Any]:
    """Everything but the building."""
    done = subprocess.run([sys.executable, "-c", FIRST_RESULT, str(folder)], capture_output=True, text=True, check=True)
    imports, first = map(int, done.stdout.split())
    process = psutil.Process()
    index = Index.open(folder)
    loaded, _ = timed(index.load)
    rounds: dict[str, list[float]] = {}
    queries = made_queries(count, dice)
    for kind, query, profile, machine in queries:
        rounds.setdefault(kind, []).append(timed(partial(index.search, query, profile, machine))[0])
    memory = process.memory_info().rss
    everything = [duration for durations in rounds.values() for duration in durations]
    again = [timed(partial(index.search, q, p, m))[0] for _, q, p, m in queries[-100:]]
    _, query, profile, machine = queries[-1]
    counts = index.search(query, profile, machine).excluded
    ids = [hit.model.id for hit in index.search(ModelQuery(limit=50, sort="likes"), profile, machine).hits]
    pages = [timed(partial(index.excluded, query, profile, machine, rule=entry.rule)) for entry in counts]
    with tempfile.TemporaryDirectory() as scratch:
        written, _ = timed(lambda: index.write_exclusions(query, profile, machine, Path(scratch) / "x.parquet"))
    for kind, durations in sorted(rounds.items()):
        print(f"{kind:28} n={len(durations):4} p50 {share(durations, 0.5):8.1f}  max {max(durations):8.1f} ms")
    return {
        "rows": len(index),
        "queries": len(everything),
        "p50_ms": share(everything, 0.5),
        "p95_ms": share(everything, 0.95),
        "max_ms": round(max(everything), 1),
        "second_round_p95_ms": share(again, 0.95),
        "resident_bytes": memory,
        "imports_ms": imports,
        "open_and_first_result_ms": first,
        "load_all_columns_ms": round(loaded),
        "find_p95_ms": share([timed(partial(index.find, i))[0] for i in ids], 0.95),
        "why_p95_ms": share([timed(partial(index.why, i, query, profile, machine))[0] for i in ids], 0.95),
        "children_ms": round(timed(lambda: index.children(ids[0]))[0], 1),
        "excluded_page_max_ms": round(max((duration for duration, _ in pages), default=0.0), 1),
        "write_exclusions_ms": round(written, 1),
    }


def main() -> None:
    """Build where there is nothing yet, measure, print."""
    parser = argparse.ArgumentParser(description="The index over two million models.")
    parser.add_argument("source", type=Path)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    dice = random.Random(7)
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        figures: dict[str, Any] = {"benchmark": "index"}
        if not models_path(folder).exists():
            built, _ = timed(
                lambda: update_catalog(
                    lambda _: made_pages(arguments.source, arguments.rows, dice),
                    folder,
                    scope="benchmark",
                    now="2026-11-21T12:00:00",
                )
            )
            figures |= {"build_seconds": round(built / 1000), "build_peak_bytes": psutil.Process().memory_info().rss}
        figures |= {"file_bytes": models_path(folder).stat().st_size, **measure(folder, arguments.queries, dice)}
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
