"""Damaged weights files: a thousand for our reader, some for the C library, and what a crash of it leaves behind.

Each file is the header of a real model over weights of zeros (the file is sparse), damaged at places that a seed names.
"""

import random
import resource
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.errors import BadWeightsFile
from catalog.gguf_file import read_gguf
from runners.engine_options import LlamaCppOptions
from runners.process import RunFolder, run_in_worker
from runners.records import Failure, RunResult
from tests.making import make_spec
from tests.test_cli import TEST_SET, printed, workbench

FILES = 1_000
WORKERS = 6
START = 24
"""Bytes before the first metadata entry: magic, version and two counts."""
TABLE = 20_000
"""Bytes at the header's end that hold nothing but the table of tensors."""
BENCHMARK = """\
name: one-is-damaged
test_set: {file: messages.csv}
candidates:
  - {name: damaged, model: %s}
  - {name: sound, model: a, engine: scripted}
workloads: [{kind: accuracy}]
"""


class Damage:
    """A file that is damaged and mended in place."""

    def __init__(self, path: Path, header: bytes, size: int) -> None:
        self.path, self.header, self.size = path, header, size
        self.mend()

    def mend(self) -> None:
        """The whole file, as it was."""
        with self.path.open("wb") as file:
            file.write(self.header)
            file.truncate(self.size)

    def write(self, at: int, value: bytes) -> None:
        """Put other bytes there."""
        with self.path.open("r+b") as file:
            file.seek(at)
            file.write(value)

    def cut(self, size: int) -> None:
        """Cut it short."""
        with self.path.open("r+b") as file:
            file.truncate(size)

    def number(self, key: str, value: int) -> None:
        """Another value for a metadata entry of 32 bits."""
        self.write(self.header.index(key.encode() + b"\4\0\0\0") + len(key) + 4, struct.pack("<I", value))

    def at_random(self, chance: random.Random) -> None:
        """One cut, or up to 16 bytes of one part of the header changed."""
        part = chance.choice(("cut", "start", "metadata", "vocabulary", "table"))
        end = len(self.header)
        if part == "cut":
            self.cut(chance.choice((chance.randrange(end), chance.randrange(end, self.size))))
            return
        places = {
            "start": (0, START),
            "metadata": (START, self.header.index(b"tokenizer.ggml.tokens")),
            "vocabulary": (START, end - TABLE),
            "table": (end - TABLE, end),
        }
        for _ in range(chance.choice((1, 1, 2, 4, 16))):
            self.write(chance.randrange(*places[part]), bytes([chance.randrange(256)]))


@pytest.fixture
def damage(smollm2: Path, tmp_path: Path) -> Damage:
    facts = read_gguf(smollm2)
    with smollm2.open("rb") as file:
        # The tensors follow the header and reach to the file's end.
        header = file.read(facts.size_bytes - facts.tensor_bytes)
    return Damage(tmp_path / "damaged.gguf", header, facts.size_bytes)


def test_a_thousand_damaged_files_are_read_or_refused_with_a_sentence(damage: Damage) -> None:
    chance = random.Random(2026)
    refusals: list[str] = []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(FILES):
        damage.at_random(chance)
        try:
            read_gguf(damage.path)
        except BadWeightsFile as error:
            refusals.append(str(error))
        damage.mend()
    assert 0.5 * FILES < len(refusals) < FILES
    assert all(str(damage.path) in sentence and sentence.endswith(".") for sentence in refusals)
    assert read_gguf(damage.path).parameters == 134_515_008
    # The pages of the file itself, and little more: no length that it announces is believed.
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 2 * damage.size


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda file: file.write(START, struct.pack("<Q", 60 * 2**30)), "a text of 64,424,509,440 bytes"),
        (lambda file: file.write(8, struct.pack("<Q", 2**40)), "entries"),
        (lambda file: file.cut(len(file.header) // 2), "ends too early"),
        (lambda file: file.cut(10), "10 bytes"),
    ],
)
def test_lengths_that_no_model_has_are_not_read(damage: Damage, harm: Callable[[Damage], None], words: str) -> None:
    # As large as the text that it announces, so that only its length speaks against it.
    damage.size = 61 * 2**30
    damage.mend()
    harm(damage)
    with pytest.raises(BadWeightsFile, match=words):
        read_gguf(damage.path)


def test_more_entries_of_a_vocabulary_than_a_header_can_hold_are_not_counted_through(damage: Damage) -> None:
    key = b"tokenizer.ggml.tokens"
    damage.size = 61 * 2**30
    damage.mend()
    damage.write(damage.header.index(key) + len(key) + 8, struct.pack("<Q", 5 * 2**30))
    with pytest.raises(BadWeightsFile, match="is damaged: it announces a header of"):
        read_gguf(damage.path)


def test_figures_that_contradict_each_other_are_read_or_refused(damage: Damage) -> None:
    damage.number("llama.attention.head_count", 2**31)
    assert read_gguf(damage.path).architecture.head_dim is None
    damage.mend()
    damage.number("llama.block_count", 2**31)
    assert read_gguf(damage.path).architecture.layer_groups == ()


def load(damage: Damage, folder: Path) -> RunResult:
    spec = make_spec(LlamaCppOptions(context_tokens=64, threads=1), weights=damage.path, workloads=())
    return run_in_worker(spec, RunFolder(folder), on_event=lambda _: None, is_cancelled=lambda: False, hang_seconds=300)


def why(result: RunResult) -> Failure:
    return result.failures[-1].failure


@pytest.mark.engine
def test_what_the_reader_lets_through_the_engine_loads_or_refuses_in_its_worker(damage: Damage, tmp_path: Path) -> None:
    chance = random.Random(7)
    results: list[RunResult] = []
    while len(results) < WORKERS:
        damage.mend()
        damage.at_random(chance)
        try:
            read_gguf(damage.path)
        except BadWeightsFile:
            continue
        results.append(load(damage, tmp_path / str(len(results))))
    for result in results:
        assert result.status in {"finished", "failed"}
        if result.status == "failed":
            assert why(result).stage == "load"
            assert why(result).message
            assert why(result).hint
    assert {result.status for result in results} == {"finished", "failed"}


@pytest.mark.engine
def test_a_crash_of_the_c_library_says_where_and_why_and_the_next_candidate_runs(
    damage: Damage, tmp_path: Path
) -> None:
    damage.number("llama.block_count", 2**31 - 1)
    result = load(damage, tmp_path / "crash")
    assert (why(result).kind, why(result).stage) == ("crash", "load")
    assert "while it loaded the model (signal SIGABRT)" in why(result).message
    assert "GGML_ASSERT" in why(result).log_tail
    assert "damaged" in why(result).hint
    (tmp_path / "messages.csv").write_text(TEST_SET)
    (tmp_path / "damaged.yaml").write_text(BENCHMARK % damage.path)
    workbench(tmp_path, "bench", str(tmp_path / "damaged.yaml"), code=3)
    runs = {run["candidate"]: run["status"] for run in printed(workbench(tmp_path, "runs", "--json"))}
    assert runs == {"damaged": "failed", "sound": "finished"}
