"""The API server, through the official Python client's configuration, credentials and connection pool.

Only what needs the network loads the client (0.25 s of imports): a run without a change never does.
"""

from __future__ import annotations

import copy
import json
import socket
import threading
import time
import urllib.parse
from typing import Any

from qhub.rehearsal.plugins.errors import Interrupted, PluginError
from qhub.rehearsal.plugins.kubernetes.kubeconfig import Target
from qhub.rehearsal.plugins.private_file import PrivateFile

#: A loopback or LAN connection takes milliseconds; five seconds also cover a slow link, and end a wrong address soon.
CONNECT_SECONDS = 5.0
#: One request; the server itself gives up on one after 60 s by default (`--request-timeout`).
REQUEST_SECONDS = 65.0
#: Answers that ask to try again later, and how often and how long apart that is done.
_RETRY_STATUS = (429, 503, 504)
_RETRIES = 4
_RETRY_SECONDS = 0.5
#: Certificates inside the kubeconfig, and the key that names a file instead.
_EMBEDDED_KEYS = ("certificate-authority", "client-certificate", "client-key")


class ApiError(PluginError):
    """The API server refused a request.

    Attributes:
        status: HTTP status code.
        reason: its machine-readable word (`AlreadyExists`, `Conflict`, `Invalid`, …).
        details: the `details` of its Status object.
    """

    def __init__(self, status: int, document: dict[str, Any], text: str) -> None:
        self.status = status
        self.reason = str(document.get("reason") or "")
        self.details: dict[str, Any] = document.get("details") or {}
        self.message = str(document.get("message") or text[:500] or f"HTTP {status}")
        super().__init__(self.message)


class Unreachable(PluginError):
    """No API server answers at the address."""

    def __init__(self, target: Target, why: str) -> None:
        super().__init__(
            f"the Kubernetes API server at {target.server} (context '{target.context}') cannot be reached: {why}. "
            "Check that the cluster runs, that this is its address, and that the kubeconfig is the current one "
            "(`kubectl --context "
            f"{target.context} version` must answer; an embedded cluster is started by `qhub cluster start`)"
        )


def reach(target: Target, *, seconds: float = CONNECT_SECONDS) -> None:
    """Open a connection to the API server and close it again: the cheapest way to know that something listens.

    Raises:
        Unreachable: nothing answers within `seconds`.
    """
    url = urllib.parse.urlsplit(target.server)
    cluster = target.document["clusters"][0]["cluster"]
    if url.hostname is None:
        raise Unreachable(target, "its address is no URL")
    if cluster.get("proxy-url"):
        return  # whether the proxy reaches it shows with the first request
    try:
        with socket.create_connection((url.hostname, url.port or (443 if url.scheme == "https" else 80)), seconds):
            return
    except TimeoutError:
        raise Unreachable(target, f"no answer within {seconds:g} s") from None
    except OSError as error:
        raise Unreachable(target, (error.strerror or str(error)).lower()) from None


class Api:
    """Requests to one API server; safe to use from many threads.

    Args:
        target: where it is and how to sign in.
        timeout: seconds that one request may take.
        qps: requests per second allowed on average, `None`: no limit.
        burst: requests allowed at once before `qps` holds them back.
        cancelled: ends waits between retries.
    """

    def __init__(
        self,
        target: Target,
        *,
        cancelled: threading.Event,
        timeout: float | None = None,
        qps: float | None = None,
        burst: int | None = None,
    ) -> None:
        self.target = target
        self.timeout = timeout or REQUEST_SECONDS
        self._cancelled = cancelled
        self._lock = threading.Lock()
        self._connection: Any = None
        self._files: list[PrivateFile] = []
        self._throttle = Throttle(qps, burst) if qps else None

    def _connect(self) -> Any:
        """Return the official client's configuration and pool, made on first use."""
        with self._lock:
            if self._connection is None:
                from kubernetes import client, config  # 0.25 s, needed only when something changes

                configuration = client.Configuration()
                document = copy.deepcopy(self.target.document)
                self._embedded_to_files(document)
                try:
                    config.load_kube_config_from_dict(document, client_configuration=configuration)
                except config.ConfigException as error:
                    raise PluginError(f"context '{self.target.context}' is not usable: {error}") from None
                if "exec" in document["users"][0]["user"] and not (configuration.api_key or configuration.cert_file):
                    raise PluginError(f"context '{self.target.context}' has no credentials: {_refusal(document)}")
                self._issued_to_memory(configuration)
                configuration.connection_pool_maxsize = 32
                configuration.retries = False
                self._connection = (configuration, client.ApiClient(configuration).rest_client.pool_manager)
            return self._connection

    def _embedded_to_files(self, document: dict[str, Any]) -> None:
        """Put embedded certificates and keys where the client finds them, but not on a disk."""
        import base64

        for body in (document["clusters"][0]["cluster"], document["users"][0]["user"]):
            for key in _EMBEDDED_KEYS:
                if body.get(f"{key}-data"):
                    content = base64.b64decode(body.pop(f"{key}-data")).decode()
                    self._files.append(PrivateFile(content, suffix=".pem"))
                    body[key] = self._files[-1].path

    def _issued_to_memory(self, configuration: Any) -> None:
        """Take a certificate that a kubeconfig's command has issued off the disk, where the client has put it."""
        from kubernetes.config import kube_config

        own = {file.path for file in self._files}
        for name in ("cert_file", "key_file"):
            path = getattr(configuration, name)
            if path and path not in own:
                with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a path as the client has it
                    self._files.append(PrivateFile(file.read(), suffix=".pem"))
                setattr(configuration, name, self._files[-1].path)
        # Its own clean-up, which it leaves to the end of the process; a plugin's is abrupt.
        kube_config._cleanup_temp_files()

    def close(self) -> None:
        """Give back what the credentials were kept in."""
        for file in self._files:
            file.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Any:
        """Send one request and return the parsed answer (or its text where `accept` asks for text).

        Every request made here may be repeated without harm, so it is when the connection breaks or the server is
        busy.

        Raises:
            ApiError: the server refused.
            Unreachable: no server, or its certificate or ours is not accepted.
            Interrupted: cancelled between two tries.
        """
        configuration, pool = self._connect()
        url = configuration.host.rstrip("/") + path + (f"?{urllib.parse.urlencode(query)}" if query else "")
        headers = {"Accept": accept, "Content-Type": content_type, "User-Agent": "qhub-rehearsal"}
        for setting in configuration.auth_settings().values():
            if setting.get("in") == "header" and setting.get("value"):
                headers[setting["key"]] = setting["value"]
        data = None if body is None else json.dumps(body).encode()
        status, text = self._send(pool, method, url, headers, data)
        if status >= 400:
            raise self._refusal(status, text)
        return json.loads(text) if "json" in accept else text

    def _send(self, pool: Any, method: str, url: str, headers: dict[str, str], data: bytes | None) -> tuple[int, str]:
        import urllib3

        limits = urllib3.Timeout(connect=CONNECT_SECONDS, read=self.timeout)
        for left in range(_RETRIES, -1, -1):
            if self._throttle:
                self._throttle.wait()
            try:
                answer = pool.request(method, url, body=data, headers=headers, timeout=limits, retries=False)
            except urllib3.exceptions.SSLError as error:
                raise Unreachable(self.target, f"TLS failed ({_innermost(error)})") from None
            except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
                raise Unreachable(self.target, _innermost(error)) from None
            except urllib3.exceptions.HTTPError as error:
                if not left:
                    raise Unreachable(self.target, _innermost(error)) from None
            else:
                if answer.status not in _RETRY_STATUS or not left:
                    return answer.status, answer.data.decode("utf-8", "replace")
            if self._cancelled.wait(_RETRY_SECONDS):
                raise Interrupted("cancelled")
        raise AssertionError("unreachable")  # the last round returns or raises

    def _refusal(self, status: int, text: str) -> ApiError:
        try:
            document = json.loads(text)
        except ValueError:
            document = {}
        error = ApiError(status, document if isinstance(document, dict) else {}, text)
        if status == 401:
            server, context = self.target.server, self.target.context
            error.message = f"the API server at {server} does not accept the credentials of context '{context}'"
            error.args = (error.message,)
        return error

    def get(self, path: str, **query: str) -> Any:
        """Return what is at the path."""
        return self.request("GET", path, query=query)

    def find(self, path: str) -> dict[str, Any] | None:
        """Return the object at the path, or `None` where there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise


def _innermost(error: BaseException) -> str:
    """Return the cause at the bottom of a chain of network errors, in few words."""
    reason: Any = getattr(error, "reason", None)
    while isinstance(nested := getattr(reason, "reason", None), BaseException):
        reason = nested
    text = str(reason if isinstance(reason, BaseException) else error)
    return text.rsplit("] ", 1)[-1].rsplit(": ", 1)[-1].strip(" ()'").lower() or type(error).__name__


def _refusal(document: dict[str, Any]) -> str:
    """Run the kubeconfig's command again for what it says is wrong: the client only logs that, and goes on nameless."""
    from kubernetes.config import ConfigException
    from kubernetes.config.exec_provider import ExecProvider
    from kubernetes.config.kube_config import ConfigNode

    command, cluster = document["users"][0]["user"]["exec"], document["clusters"][0]["cluster"]
    try:
        ExecProvider(ConfigNode("exec", command), None, ConfigNode("cluster", cluster)).run()
    except (ConfigException, OSError) as error:
        return str(error)
    return f"{command['command']} gave neither a token nor a certificate"


class Throttle:
    """A token bucket: `burst` requests at once, `qps` a second on average."""

    def __init__(self, qps: float, burst: int | None) -> None:
        self._rate = qps
        self._size = float(burst or max(1, round(qps * 2)))
        self._tokens = self._size
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next request may be sent."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self._size, self._tokens + (now - self._last) * self._rate)
            self._last = now
            self._tokens -= 1
            delay = -self._tokens / self._rate if self._tokens < 0 else 0.0
        if delay:
            time.sleep(delay)
