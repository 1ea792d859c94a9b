"""A real HTTP server that speaks the part of the Hub's API that a download needs: `python -m tests.hub_server ROOT`.

`ROOT/owner/name/` holds the files of a repository; a file `.status` in it makes every request fail with that status.
Prints its address, then serves until it is ended.
"""

import hashlib
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REVISION = "0123456789abcdef0123456789abcdef01234567"


class Handler(BaseHTTPRequestHandler):
    """Model info and file downloads."""

    root = Path()

    def do_GET(self) -> None:
        """Answer with a body."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer with headers only."""
        self._answer(body=False)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def _answer(self, *, body: bool) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        info = parts[:2] == ["api", "models"]
        owner, name = parts[2:4] if info else parts[:2]
        folder = self.root / owner / name
        status = (folder / ".status").read_text().strip() if (folder / ".status").exists() else ""
        if not folder.exists() or status:
            self._send(int(status or 404), b"{}", _error_headers(folder, status), body=body)
        elif info:
            self._send(200, json.dumps(_info(f"{owner}/{name}", folder)).encode(), {}, body=body)
        else:
            data = (folder / "/".join(parts[4:])).read_bytes()
            etag = f'"{hashlib.sha256(data).hexdigest()}"'
            self._send(200, data, {"ETag": etag, "X-Repo-Commit": REVISION}, body=body)

    def _send(self, status: int, data: bytes, headers: dict[str, str], *, body: bool) -> None:
        self.send_response(status)
        for key, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)


def _error_headers(folder: Path, status: str) -> dict[str, str]:
    if not folder.exists():
        return {"X-Error-Code": "RepoNotFound"}
    return {"X-Error-Code": "GatedRepo"} if status == "403" else {}


def _info(model_id: str, folder: Path) -> dict[str, object]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    return {
        "id": model_id,
        "modelId": model_id,
        "sha": REVISION,
        "private": False,
        "downloads": 1,
        "tags": [],
        "cardData": {"license": "apache-2.0"},
        "siblings": [
            {
                "rfilename": str(path.relative_to(folder)),
                "size": path.stat().st_size,
                "lfs": {
                    "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                    "size": path.stat().st_size,
                    "pointerSize": 100,
                },
            }
            for path in files
        ],
    }


if __name__ == "__main__":
    Handler.root = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
