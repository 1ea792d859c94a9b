"""A real HTTP server that speaks the Hub's API as huggingface_hub 2.x expects it: `python -m tests.hub_server ROOT`.

`ROOT/owner/name/` holds the files of a repository. In it, `.info.json` adds to its info, `.status` makes every request
fail with that status, and `.behave.json` lists how it misbehaves; `ROOT/.behave.json` does so for lists, and
`ROOT/.models.json` holds list entries without files. All are read again for every request. Each request is written
to `ROOT/.requests.jsonl`. Weights are served by a second server, as the Hub does from its content network.
Prints the addresses of both, then serves until it is ended.
"""

import base64
import hashlib
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

REVISION = "0123456789abcdef0123456789abcdef01234567"
LARGE = (".gguf", ".safetensors", ".bin")
"""Endings of files that are stored outside git."""
LIST_PROPERTIES = frozenset(
    {
        *("author", "cardData", "config", "createdAt", "disabled", "downloads"),
        *("downloadsAllTime", "evalResults", "gated", "gguf", "inference", "inferenceProviderMapping"),
        *("lastModified", "library_name", "likes", "mask_token", "model-index", "pipeline_tag"),
        *("private", "resourceGroup", "safetensors", "sha", "siblings", "spaces"),
        *("tags", "transformersInfo", "trendingScore", "widgetData"),
    }
)
"""What `expand` may name in a list; the Hub answers 400 to anything else (huggingface_hub #3182)."""
ONE_MODEL_PROPERTIES = LIST_PROPERTIES | {"baseModels", "childrenModelCount", "usedStorage"}
ALWAYS = ("_id", "id")
PLAIN_LIST = ("modelId", "private", "downloads", "likes", "tags", "pipeline_tag", "library_name", "createdAt")
NOT_IN_PLAIN_INFO = ("baseModels", "childrenModelCount", "trendingScore", "securityRepoStatus")
SORTS = ("trendingScore", "downloads", "likes", "lastModified", "createdAt")


class Hub(BaseHTTPRequestHandler):
    """Lists, model info, trees and small files; sends the askers of weights to the content network."""

    root = Path()
    address = ""
    network_address = ""
    uses: ClassVar[Counter[str]] = Counter()
    lock = threading.Lock()

    def do_GET(self) -> None:
        """Answer with a body."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer with headers only."""
        self._answer()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def _answer(self) -> None:
        split = urlsplit(self.path)
        parts = [unquote(part) for part in split.path.strip("/").split("/")]
        query = parse_qsl(split.query, keep_blank_values=True)
        self._record(split.path, split.query)
        if parts == ["api", "models"]:
            self._behaving(self.root, "list", "", lambda: self._list(query))
        elif parts[:2] == ["api", "models"]:
            self._model(parts[2:], query)
        elif parts[:3] == ["api", "resolve-cache", "models"]:
            self._cached("/".join(parts[3:5]), "/".join(parts[6:]))
        elif "resolve" in parts[2:3]:
            self._resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        else:
            self._send(404, b'{"error": "Sorry, we can\'t find the page you are looking for."}')

    def _record(self, path: str, query: str) -> None:
        entry = {
            "server": type(self).__name__,
            "method": self.command,
            "path": path,
            "query": query,
            "authorization": self.headers.get("authorization"),
            "range": self.headers.get("range"),
        }
        with self.lock, (self.root / ".requests.jsonl").open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def _behaving(self, folder: Path, place: str, path: str, answer: Any) -> None:
        """Misbehave as `.behave.json` says, as often as it says, else answer."""
        rules = json.loads((folder / ".behave.json").read_text()) if (folder / ".behave.json").exists() else []
        for number, rule in enumerate(rules):
            if rule["at"] != place or rule.get("method", self.command) != self.command:
                continue
            if rule.get("path", path) != path:
                continue
            with self.lock:
                key = f"{folder} {number} {json.dumps(rule)}"
                self.uses[key] += 1
                if not rule.get("skip", 0) < self.uses[key] <= rule.get("skip", 0) + rule.get("times", 1_000_000):
                    continue
            time.sleep(rule.get("delay_seconds", 0))
            self._cut_after = rule.get("cut_after_bytes")
            self._ignores_range = rule.get("ignores_range", False)
            if "status" in rule or "body" in rule:
                # A server that repeats what it was sent: the token must not get into our errors that way.
                body = rule.get("body", "{}").replace("AUTHORIZATION", str(self.headers.get("authorization")))
                self._send(rule.get("status", 200), body.encode(), rule.get("headers", {}))
                return
            break
        answer()

    _cut_after: int | None = None
    _ignores_range = False

    def _list(self, query: list[tuple[str, str]]) -> None:
        single = dict(query)
        expanded = [value for key, value in query if key == "expand"]
        unknown = [name for name in expanded if name not in LIST_PROPERTIES]
        if unknown or (expanded and {"full", "cardData", "config"} & single.keys()):
            self._send(400, json.dumps({"error": f"✖ Invalid option {unknown} → at expand"}).encode())
            return
        if single.get("sort", "downloads") not in SORTS:
            self._send(400, b'{"error": "Invalid sort parameter"}')
            return
        entries = [entry for entry in self._entries() if _matches(entry, query)]
        order = single.get("sort", "trendingScore")
        entries.sort(key=lambda entry: (str(entry.get(order, "")).zfill(30), entry["id"]), reverse=True)
        start = json.loads(base64.b64decode(single["cursor"]))["after"] if "cursor" in single else 0
        size = int(single.get("limit", 1000))
        page = entries[start : start + size]
        headers = {}
        if start + size < len(entries):
            cursor = base64.b64encode(json.dumps({"after": start + size}).encode()).decode()
            following = urlencode([*((key, value) for key, value in query if key != "cursor"), ("cursor", cursor)])
            # As through a mirror, the link names the Hub itself where `.public` says so.
            public = self.root / ".public"
            base = public.read_text().strip() if public.exists() else self.address
            headers["Link"] = f'<{base}/api/models?{following}>; rel="next"'
        names = (*ALWAYS, *(expanded or PLAIN_LIST))
        self._json([{key: entry[key] for key in names if key in entry} for entry in page], headers)

    def _entries(self) -> list[dict[str, Any]]:
        extra = self.root / ".models.json"
        made = json.loads(extra.read_text()) if extra.exists() else []
        folders = sorted(path for path in self.root.glob("*/*") if path.is_dir())
        infos = [_info(f"{path.parent.name}/{path.name}", path) for path in folders]
        for info in infos:
            info["siblings"] = [{"rfilename": file["rfilename"]} for file in info["siblings"]]
        return [*made, *infos]

    def _model(self, parts: list[str], query: list[tuple[str, str]]) -> None:
        model_id, rest = "/".join(parts[:2]), parts[2:]
        folder = self.root / model_id
        if self._fails(folder):
            return
        revision = rest[1] if len(rest) > 1 else "main"
        if revision not in {"main", REVISION}:
            self._send(404, b'{"error": "Invalid rev id"}', {"X-Error-Code": "RevisionNotFound"})
        elif rest[:1] == ["tree"]:
            self._json([_tree_entry(folder, file) for file in _files(folder)])
        else:
            expanded = [value for key, value in query if key == "expand"]
            place = "expand" if expanded else "info"
            self._behaving(folder, place, "", lambda: self._info(model_id, folder, expanded, dict(query)))

    def _info(self, model_id: str, folder: Path, expanded: list[str], options: dict[str, str]) -> None:
        if [name for name in expanded if name not in ONE_MODEL_PROPERTIES]:
            self._send(400, b'{"error": "Invalid option at expand"}')
            return
        info = _info(model_id, folder)
        if expanded:
            info = {key: info[key] for key in (*ALWAYS, *expanded) if key in info}
        else:
            status = info.get("securityRepoStatus")
            info = {key: value for key, value in info.items() if key not in NOT_IN_PLAIN_INFO}
            if options.get("securityStatus") == "true" and status is not None:
                info["securityRepoStatus"] = status
            if options.get("blobs") != "true":
                info["siblings"] = [{"rfilename": file["rfilename"]} for file in info["siblings"]]
        self._json(info)

    def _resolve(self, model_id: str, revision: str, path: str) -> None:
        folder = self.root / model_id
        if self._fails(folder):
            return
        info = _info(model_id, folder)
        if info.get("gated"):
            status = 403 if self.headers.get("authorization") else 401
            text = json.dumps({"error": f"Access to model {model_id} is restricted."}).encode()
            self._send(status, text, {"X-Error-Code": "GatedRepo"})
        elif revision not in {"main", REVISION}:
            self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif not (folder / path).is_file():
            self._send(404, b"Entry not found", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": REVISION})
        else:
            self._behaving(folder, "resolve", path, lambda: self._file(model_id, folder, path))

    def _file(self, model_id: str, folder: Path, path: str) -> None:
        headers = {"X-Repo-Commit": REVISION, "Accept-Ranges": "bytes"}
        if path.endswith(LARGE):
            headers |= {
                "X-Linked-Etag": f'"{_digests(folder / path)[0]}"',
                "X-Linked-Size": str((folder / path).stat().st_size),
                "Location": f"{self.network_address}/{model_id}/{quote(path)}?signature=0",
            }
            self._send(302, b"Found. Redirecting", headers)
        else:
            place = f"/api/resolve-cache/models/{model_id}/{REVISION}/{quote(path)}"
            self._send(307, b"Temporary Redirect", {**headers, "Location": place})

    def _cached(self, model_id: str, path: str) -> None:
        """Small files, where the Hub sends their askers to."""
        data = (self.root / model_id / path).read_bytes()
        headers = {
            "X-Repo-Commit": REVISION,
            "Accept-Ranges": "bytes",
            "ETag": f'"{_digests(self.root / model_id / path)[1]}"',
        }
        self._behaving(self.root / model_id, "cache", path, lambda: self._send_range(data, headers))

    def _fails(self, folder: Path) -> bool:
        status = (folder / ".status").read_text().strip() if (folder / ".status").exists() else ""
        if folder.is_dir() and not status:
            return False
        code = {"": "RepoNotFound", "403": "GatedRepo"}.get(status)
        self._send(int(status or 404), b"{}", {"X-Error-Code": code} if code else {})
        return True

    def _json(self, document: object, headers: dict[str, str] | None = None) -> None:
        self._send(200, json.dumps(document).encode(), headers or {})

    def _send_range(self, data: bytes, headers: dict[str, str]) -> None:
        wanted = self.headers.get("range")
        if wanted is None or self._ignores_range:
            self._send(200, data, headers)
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(data)), len(data) - 1)
        if start >= len(data):
            self._send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        self._send(206, data[start : end + 1], {**headers, "Content-Range": f"bytes {start}-{end}/{len(data)}"})

    def _send(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in {"Content-Type": "application/json; charset=utf-8", **(headers or {})}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            # Less than announced, then the connection closes.
            self.wfile.write(data if self._cut_after is None else data[: self._cut_after])


class ContentNetwork(Hub):
    """Where the bytes of weights are; knows nothing of tokens."""

    def _answer(self) -> None:
        split = urlsplit(self.path)
        self._record(split.path, split.query)
        parts = [unquote(part) for part in split.path.strip("/").split("/")]
        folder, path = self.root / parts[0] / parts[1], "/".join(parts[2:])
        data = (folder / path).read_bytes()
        changed = folder / ".served" / path
        data = changed.read_bytes() if changed.exists() else data
        headers = {"Content-Type": "binary/octet-stream"}
        self._behaving(folder, "network", path, lambda: self._send_range(data, headers))


def _info(model_id: str, folder: Path) -> dict[str, Any]:
    extra = json.loads((folder / ".info.json").read_text()) if (folder / ".info.json").exists() else {}
    return {
        "_id": hashlib.md5(model_id.encode()).hexdigest()[:24],
        "id": model_id,
        "modelId": model_id,
        "author": model_id.partition("/")[0],
        "sha": REVISION,
        "private": False,
        "gated": False,
        "disabled": False,
        "downloads": 1,
        "likes": 0,
        "tags": [],
        "createdAt": "2025-06-01T10:00:00.000Z",
        "lastModified": "2025-07-01T10:00:00.000Z",
        "cardData": {"license": "apache-2.0"},
        "siblings": [_sibling(folder, file) for file in _files(folder)],
        **extra,
    }


def _sibling(folder: Path, path: Path) -> dict[str, Any]:
    name, size = path.relative_to(folder).as_posix(), path.stat().st_size
    sha256, oid = _digests(path)
    entry: dict[str, Any] = {"rfilename": name, "blobId": oid, "size": size}
    if name.endswith(LARGE):
        entry["lfs"] = {"sha256": sha256, "size": size, "pointerSize": 135}
    return entry


def _digests(path: Path) -> tuple[str, str]:
    """Its sha256 and git's digest; hashed once, because models are large."""
    stat = path.stat()
    return _hashed(path, stat.st_size, stat.st_mtime_ns)


@cache
def _hashed(path: Path, size: int, _: int) -> tuple[str, str]:
    data = path.read_bytes()
    return hashlib.sha256(data).hexdigest(), hashlib.sha1(b"blob %d\0" % size + data).hexdigest()


def _tree_entry(folder: Path, path: Path) -> dict[str, Any]:
    file = _sibling(folder, path)
    entry = {"type": "file", "oid": file["blobId"], "size": file["size"], "path": file["rfilename"]}
    return {**entry, **({"lfs": {"oid": file["lfs"]["sha256"], "size": file["size"]}} if "lfs" in file else {})}


def _files(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _matches(entry: dict[str, Any], query: list[tuple[str, str]]) -> bool:
    """Every filter of a list; parameters that the Hub does not know, it ignores, and so does this."""
    card = entry.get("cardData") or {}
    language = card.get("language", [])
    has = {
        *entry.get("tags", ()),
        f"license:{card.get('license')}",
        *(language if isinstance(language, list) else [language]),
        entry.get("library_name"),
    }
    checks: dict[str, Callable[[str], bool]] = {
        "filter": lambda value: value in has,
        "search": lambda value: value.lower() in entry["id"].lower(),
        "author": lambda value: entry["id"].partition("/")[0] == value,
        "pipeline_tag": lambda value: entry.get("pipeline_tag") == value,
        "apps": lambda value: value in entry.get("_apps", ()),
        "gated": lambda value: bool(entry.get("gated")) == (value == "true"),
        "num_parameters": lambda value: _within((entry.get("safetensors") or {}).get("total"), value),
    }
    return all(checks[key](value) for key, value in query if key in checks)


def _within(count: int | None, text: str) -> bool:
    units = {"K": 1e3, "M": 1e6, "B": 1e9}
    if count is None:
        return False
    for part in text.split(","):
        name, _, number = part.partition(":")
        bound = float(number.rstrip("KMB")) * units.get(number[-1], 1)
        if (name == "min" and count < bound) or (name == "max" and count > bound):
            return False
    return True


if __name__ == "__main__":
    Hub.root = Path(sys.argv[1])
    hub = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    network = ThreadingHTTPServer(("127.0.0.1", 0), ContentNetwork)
    Hub.address = f"http://127.0.0.1:{hub.server_port}"
    Hub.network_address = f"http://127.0.0.1:{network.server_port}"
    threading.Thread(target=network.serve_forever, daemon=True).start()
    sys.stdout.write(f"{Hub.address}\n{Hub.network_address}\n")
    sys.stdout.flush()
    hub.serve_forever()
