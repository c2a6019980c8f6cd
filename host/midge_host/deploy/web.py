"""`midge deploy --with web`: over the network, to a board whose CircuitPython runs the web workflow.

The calls are those of CircuitPython's File REST API, docs.circuitpython.org, "Workflows". A board answers with them
while its settings.toml names a Wi-Fi network and a password; it is the way to boards without a drive. A board whose
drive a PC has mounted refuses to be written to.
"""

from __future__ import annotations

import http.client
import json
from base64 import b64encode
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

from ..device import model_file
from .drive import Report, copy, describe
from .links import Progress

SECONDS = 20  # for an answer
OK = (200, 201, 204)
MISSING = 404
REASONS = {
    401: "the board refuses the password",
    403: "the board has no CIRCUITPY_WEB_API_PASSWORD in its settings.toml",
    409: "the board's drive is mounted on a PC, which alone may write then; eject it, or deploy --with drive",
    413: "a file is too large for the board",
    417: "a file is too large for the board",
}


def deploy_to_web(
    model: Path, host: str, password: str, library: bool = True, progress: Progress | None = None
) -> Report:
    """Copies what the board lacks; host: its name or address, with :PORT if that is not 80. Raises as deploy_to_drive
    does, MidgeError for a board that does not answer or refuses."""
    modules = model_file.read(model).modules
    return copy(model, describe(Web(host, password)), modules, library, progress)


class Web:
    """The files of a board, see drive.Files."""

    def __init__(self, host: str, password: str):
        self.name = host
        self._host = host
        self._login = "Basic " + b64encode(f":{password}".encode()).decode()
        self._folders: set[str] = {"."}  # that are there

    def read(self, path: str) -> bytes | None:
        status, data = self._ask("GET", path)
        return None if status == MISSING else data

    def write(self, path: str, data: bytes) -> None:
        self._make_folder(PurePosixPath(path).parent)
        self._ask("PUT", path, data)

    def replace(self, path: str, other: str) -> None:
        self.remove(other)  # MOVE does not replace
        self._ask("MOVE", path, headers={"X-Destination": _url(other)})

    def remove(self, path: str) -> None:
        self._ask("DELETE", path)

    def free_bytes(self) -> int:
        """As the board says, from CircuitPython 9 on; for older ones as if there were no limit."""
        try:
            listing = json.loads(self._ask("GET", "", headers={"Accept": "application/json"})[1])
            if not isinstance(listing, dict):
                return 1 << 62
            writable, free = listing["writable"], int(listing["free"]) * int(listing["block_size"])
        except (ValueError, TypeError, KeyError) as error:
            raise OSError(f"it lists its files in another way than CircuitPython ({error!r})") from None
        if not writable:
            raise OSError(REASONS[409])
        return free

    def _make_folder(self, folder: PurePosixPath) -> None:
        if str(folder) not in self._folders:
            self._make_folder(folder.parent)
            self._ask("PUT", f"{folder}/")
            self._folders.add(str(folder))

    def _ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """The status and what came; that a file is missing is an answer where it is read or removed."""
        status, data = self._request(method, _url(path), body, headers or {})
        if status in OK or (status == MISSING and method in ("GET", "DELETE")):
            return status, data
        raise OSError(REASONS.get(status, f"the board answers {method} of {path} with status {status}"))

    def _request(
        self, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        for _ in range(2):
            connection = None
            try:
                connection = http.client.HTTPConnection(self._host, timeout=SECONDS)
                connection.request(method, url, body or None, {"Authorization": self._login, **(headers or {})})
                reply = connection.getresponse()
                data = reply.read()
            except (OSError, UnicodeError, http.client.HTTPException) as error:
                raise OSError(f"no answer ({error}); check the address and that the board is on the network") from None
            finally:
                if connection:
                    connection.close()
            if reply.status != 307:
                break
            self._host = urlsplit(reply.headers["Location"]).netloc  # circuitpython.local is any board's name
        return reply.status, data


def _url(path: str) -> str:
    return "/fs/" + quote(path)
