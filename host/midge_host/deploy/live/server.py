"""The page of `midge monitor --web`: its files for this machine's browser, and what a board prints, as
server-sent events."""

from __future__ import annotations

import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from queue import Empty, Queue
from typing import Any

from ...errors import MidgeError
from .monitor import KEPT, Entry

ALIVE = 10  # seconds between signs of life where nothing comes
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".mjs": "text/javascript"}


class Feed:
    """Sends entries to all pages that are open; one that opens gets the last ones first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: list[Queue[str]] = []
        self._last: deque[str] = deque(maxlen=KEPT)

    def send(self, entry: Entry) -> None:
        text = json.dumps(entry.facts())
        with self._lock:
            self._last.append(text)
            for page in self._pages:
                page.put(text)

    def open(self) -> Queue[str]:
        page: Queue[str] = Queue()
        with self._lock:
            for text in self._last:
                page.put(text)
            self._pages.append(page)
        return page

    def close(self, page: Queue[str]) -> None:
        with self._lock:
            self._pages.remove(page)


def _page() -> dict[str, bytes]:
    """The files by their paths."""
    own, web = files(__package__) / "page", files("midge_host.web")
    return {
        "/": (own / "monitor.html").read_bytes(),
        "/monitor.mjs": (own / "monitor.mjs").read_bytes(),
        "/page.css": (web / "page.css").read_bytes(),
        "/elements.mjs": (web / "elements.mjs").read_bytes(),
    }


def serve(feed: Feed, port: int) -> ThreadingHTTPServer:
    """A server for this machine alone, which runs until it is shut down; port 0 takes a free one."""
    page = _page()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/events":
                self._events()
            elif self.path in page:
                suffix = self.path[self.path.rfind(".") :] if "." in self.path else ".html"
                self._begin(200, TYPES[suffix], len(page[self.path]))
                self.wfile.write(page[self.path])
            else:
                self._begin(404, "text/plain", 0)

        def _begin(self, status: int, kind: str, size: int | None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Cache-Control", "no-cache")
            if size is not None:
                self.send_header("Content-Length", str(size))
            self.end_headers()

        def _events(self) -> None:
            self._begin(200, "text/event-stream", None)
            queue = feed.open()
            try:
                while True:
                    try:
                        text = f"data: {queue.get(timeout=ALIVE)}\n\n"
                    except Empty:
                        text = ":\n\n"
                    self.wfile.write(text.encode())
                    self.wfile.flush()
            except OSError:  # the page was closed
                pass
            finally:
                feed.close(queue)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except (OSError, OverflowError) as error:
        raise MidgeError(f"--web-port {port}: {error}; choose another one") from None
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
