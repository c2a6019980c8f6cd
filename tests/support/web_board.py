"""A server that answers as the web workflow of a board with CircuitPython does, by its documentation of the File REST
API, over a folder."""

from __future__ import annotations

import json
import shutil
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

BLOCK = 512


class WebBoard:
    """password: that of settings.toml, None where it has none. free: bytes. mounted: a PC has the drive. old: lists
    folders as CircuitPython 8 does. `puts` left is the number of files that it takes before it fails as `failure` says:
    a status, 0 for a connection that breaks, 1 for a byte that changes."""

    def __init__(self, folder: Path, password: str | None = "secret", free: int = 1 << 20) -> None:
        self.folder, self.password, self.free = folder, password, free
        self.mounted = self.old = False
        self.puts, self.failure = 1000, 500
        self.redirect = ""
        board = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None: ...

            def do_GET(self) -> None:
                board.answer(self)

            do_PUT = do_DELETE = do_MOVE = do_GET

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> WebBoard:
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        if self.redirect:
            location, self.redirect = self.redirect, ""
            return self._reply(request, 307, headers={"Location": f"http://{location}{request.path}"})
        if self.password is None:
            return self._reply(request, 403)
        if request.headers.get("Authorization") != "Basic " + b64encode(f":{self.password}".encode()).decode():
            return self._reply(request, 401)
        if request.command != "GET" and self.mounted:
            return self._reply(request, 409)
        path = self.folder / unquote(request.path).removeprefix("/fs/")
        if request.command == "GET":
            if request.path.endswith("/"):
                return self._reply(request, 200, json.dumps(self._listing(path)).encode())
            return self._reply(request, 200, path.read_bytes()) if path.is_file() else self._reply(request, 404)
        if request.command == "DELETE":
            if not path.exists():
                return self._reply(request, 404)
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            return self._reply(request, 204)
        if request.command == "MOVE":
            to = self.folder / unquote(request.headers["X-Destination"]).removeprefix("/fs/")
            if to.exists():
                return self._reply(request, 412)
            if not path.exists() or not to.parent.exists():
                return self._reply(request, 404)
            path.rename(to)
            return self._reply(request, 201)
        return self._put(request, path, body)

    def _put(self, request: BaseHTTPRequestHandler, path: Path, body: bytes) -> None:
        status = 204 if path.exists() else 201
        if not path.parent.exists():
            return self._reply(request, 404)
        if request.path.endswith("/"):
            path.mkdir(exist_ok=True)
            return self._reply(request, status)
        self.puts -= 1
        if self.puts < 0 and self.failure == 0:
            path.write_bytes(body[: len(body) // 2])
            request.close_connection = True
            return None
        if self.puts < 0 and self.failure == 1:
            body = body[:-1] + bytes([body[-1] ^ 1])
        elif self.puts < 0:
            return self._reply(request, self.failure)
        path.write_bytes(body)
        return self._reply(request, status)

    def _listing(self, folder: Path) -> object:
        files = [{"name": p.name, "directory": p.is_dir(), "modified_ns": 0, "file_size": 0} for p in folder.iterdir()]
        if self.old:
            return files
        sizes = {"free": self.free // BLOCK, "total": 4096, "block_size": BLOCK}
        return {**sizes, "writable": not self.mounted, "files": files}

    def _reply(
        self, request: BaseHTTPRequestHandler, status: int, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        request.send_response(status)
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        if status != 204:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
