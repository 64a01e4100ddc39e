"""A small client of the embedded API server: JSON in, JSON out, on the standard library alone.

Starting a cluster that already runs must take a blink, and the official client alone takes longer to import. The same
few calls are all that our controllers need.

| call | does |
|---|---|
| `api.get(path)`, `create`, `merge`, `apply`, `delete` | one request; the object as a dict |
| `api.items(path)` | the objects of a list |
| `api.watch(path, version)` | the events since that version, until the server ends the watch |
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from qhub.rehearsal.cluster.pki import Pki

Json = dict[str, Any]

#: Name under which our server-side applies own fields.
FIELD_MANAGER = "qhub-cluster"

#: What a request can end in when the server is not there, not yet, or not any more.
UNREACHABLE = (OSError, http.client.HTTPException)


class ApiError(Exception):
    """The API server refused a request. `status` is the HTTP status, the message is the server's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Requests to one server on 127.0.0.1, as one identity.

    Every request has its own connection: with elliptic-curve certificates that costs about 2 ms, and nothing is left
    over to go stale when the server restarts.
    """

    def __init__(self, port: int, *, pki: Pki, identity: str, authority: str = "ca", timeout: float = 30.0) -> None:
        """Remember port (TCP on 127.0.0.1), whose certificate to show, which authority to trust, seconds to wait."""
        self._port = port
        self._timeout = timeout
        self._tls = ssl.create_default_context(cafile=str(pki.certificate(authority)))
        self._tls.load_cert_chain(pki.certificate(identity), pki.key(identity))

    def get(self, path: str) -> Json:
        """Read one object, or one list."""
        return json.loads(self._call("GET", path))

    def text(self, path: str, *, timeout: float | None = None) -> str:
        """Read something that is not JSON, such as `/readyz`."""
        return self._call("GET", path, timeout=timeout).decode()

    def items(self, path: str) -> list[Json]:
        """Read the objects of a list."""
        return self.get(path)["items"]

    def create(self, path: str, body: Json) -> Json:
        """Create an object in the collection at `path`."""
        return json.loads(self._call("POST", path, body, "application/json"))

    def merge(self, path: str, body: Json) -> Json:
        """Change the object at `path` by a JSON merge patch."""
        return json.loads(self._call("PATCH", path, body, "application/merge-patch+json"))

    def apply(self, path: str, body: Json) -> Json:
        """Create or change the object at `path` by server-side apply, taking fields over where others own them."""
        query = f"?fieldManager={FIELD_MANAGER}&force=true"
        return json.loads(self._call("PATCH", path + query, body, "application/apply-patch+yaml"))

    def delete(self, path: str, *, options: Json | None = None) -> None:
        """Delete the object at `path`; one that is not there is fine."""
        try:
            self._call("DELETE", path, options or {}, "application/json")
        except ApiError as error:
            if error.status != http.HTTPStatus.NOT_FOUND:
                raise

    def watch(self, path: str, version: str, *, seconds: int = 300) -> Iterator[Json]:
        """Yield watch events (`type`, `object`) after resource version `version`, for at most `seconds`.

        Raises:
            ApiError: the server refused or ended the watch with an error; 410 means that `version` is too old.
        """
        query = urlencode({
            "watch": "1", "resourceVersion": version, "allowWatchBookmarks": "true", "timeoutSeconds": seconds,
        })  # fmt: skip
        # The server ends the watch after `seconds`; silence for longer than that means a broken connection.
        connection = self._connect(seconds + 10)
        try:
            connection.request("GET", f"{path}?{query}", headers={"Accept": "application/json"})
            response = connection.getresponse()
            _check(response.status, b"" if response.status == http.HTTPStatus.OK else response.read())
            for line in response:
                if not line.endswith(b"\n"):  # the server went in the middle of an event
                    raise http.client.IncompleteRead(line)
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise ApiError(event["object"].get("code", 500), event["object"].get("message", "watch failed"))
                yield event
        finally:
            connection.close()

    def _connect(self, timeout: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self._port, timeout=timeout, context=self._tls)

    def _call(
        self, method: str, path: str, body: Json | None = None, kind: str = "", *, timeout: float | None = None
    ) -> bytes:
        connection = self._connect(timeout or self._timeout)
        headers = {"Accept": "application/json"} | ({"Content-Type": kind} if kind else {})
        try:
            connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
            response = connection.getresponse()
            content = response.read()
            _check(response.status, content)
            return content
        finally:
            connection.close()


def _check(status: int, content: bytes) -> None:
    if status < http.HTTPStatus.BAD_REQUEST:
        return
    try:
        message = json.loads(content)["message"]
    except (ValueError, KeyError, TypeError):
        message = content.decode(errors="replace").strip() or f"HTTP status {status}"
    raise ApiError(status, message)
