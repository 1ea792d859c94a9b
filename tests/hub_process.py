"""Starts the Hub of tests/hub_server.py as a process and writes what it serves."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from catalog.hub import Hub, Retries


class ServedHub(NamedTuple):
    """A running server and its folder."""

    address: str
    """Of the Hub."""
    network: str
    """Of the content network."""
    root: Path
    """Folder that is served."""

    def add(self, model_id: str, files: dict[str, bytes], info: dict[str, Any] | None = None) -> Path:
        """A repository with these files; `info` overrides what the Hub says of it."""
        folder = self.root / model_id
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if info is not None:
            (folder / ".info.json").write_text(json.dumps(info))
        return folder

    def list_models(self, entries: list[dict[str, Any]]) -> None:
        """Entries of lists, beside the repositories."""
        (self.root / ".models.json").write_text(json.dumps(entries))

    def misbehave(self, model_id: str | None, *rules: dict[str, Any]) -> None:
        """From now on; None for lists."""
        folder = self.root if model_id is None else self.root / model_id
        (folder / ".behave.json").write_text(json.dumps(rules))

    def requests(self) -> list[dict[str, Any]]:
        """Everything that was asked so far."""
        path = self.root / ".requests.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def hub(self, cache: Path, sleeps: list[float] | None = None, **options: Any) -> Hub:
        """Our client for it: sleeps are noted down, not slept."""
        noted = sleeps if sleeps is not None else []
        settings = {"retries": Retries(), "sleep": noted.append, "chance": lambda: 1.0, **options}
        return Hub(endpoint=self.address, cache_folder=cache, **settings)


@contextmanager
def served_hub(root: Path) -> Iterator[ServedHub]:
    """A server over `root`, ended afterwards."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.hub_server", str(root)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert server.stdout is not None
    try:
        yield ServedHub(server.stdout.readline().strip(), server.stdout.readline().strip(), root)
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()
