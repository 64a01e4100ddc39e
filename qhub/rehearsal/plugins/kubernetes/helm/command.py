"""Running `helm`: a home of its own, the kubeconfig and the values without a trace on disk, an end when told so."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from qhub.rehearsal.paths import cache_dir
from qhub.rehearsal.plugins.errors import Interrupted, PluginError
from qhub.rehearsal.plugins.kubernetes.client import Api
from qhub.rehearsal.plugins.kubernetes.settings import Settings
from qhub.rehearsal.plugins.private_file import PrivateFile

_TICK_SECONDS = 0.2
#: After the first signal helm writes "cancelled" into the release's record, which takes it a moment.
_GRACE_SECONDS = 15.0
#: How far past its own `--timeout` helm may run (hooks, atomic steps) before it is taken for stuck.
_SLACK_SECONDS = 60.0
_LONGEST_MESSAGE = 4000


class HelmError(PluginError):
    """Helm ended with an error; the message is helm's own, shortened."""


class Helm:
    """The `helm` command for one cluster.

    Args:
        api: the API server; helm gets the same context.
        settings: the provider's: paths of helm's own configuration.
        cancelled: ends a run of helm.
    """

    def __init__(self, *, api: Api, settings: Settings, cancelled: threading.Event) -> None:
        self._api = api
        self._settings = settings
        self._cancelled = cancelled
        self._lock = threading.Lock()
        self._home: Path | None = None
        self._running: set[int] = set()

    def run(
        self,
        *args: str,
        stdin: str = "",
        files: Sequence[PrivateFile] = (),
        held: Sequence[int] = (),
        seconds: float = 120.0,
        tick: Callable[[], None] | None = None,
    ) -> str:
        """Run `helm ARGS` and return what it prints.

        Args:
            args: the arguments.
            stdin: what it reads from `-`.
            files: files that it may open by their `child_path`.
            held: descriptors that stay open as long as it lives.
            seconds: when it is taken for stuck; its own `--timeout` plus some.
            tick: called several times a second while it runs.

        Raises:
            HelmError: it failed; the message is its own.
            Interrupted: the run was cancelled; helm was told, and has recorded it.
        """
        with PrivateFile(json.dumps(self._api.target.document), suffix=".yaml") as kubeconfig:
            descriptors = [kubeconfig.descriptor, *(file.descriptor for file in files), *held]
            process = subprocess.Popen(
                [str(_tool()), *args, *self._configuration()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment(kubeconfig),
                pass_fds=descriptors,
                start_new_session=True,  # a Ctrl-C in the terminal is the engine's to answer
                text=True,
            )
            self._running.add(process.pid)
            try:
                output = _Collected(process, stdin)
                cancelled = self._attend(process, time.monotonic() + seconds + _SLACK_SECONDS, tick)
                out, err = output.result()
            except BaseException:
                _end(process)  # nobody would attend to it any more
                raise
            finally:
                self._running.discard(process.pid)
        if cancelled:
            raise Interrupted("cancelled")
        if process.returncode:
            raise HelmError(_shortened(err or out))
        return out

    def _attend(self, process: subprocess.Popen[str], deadline: float, tick: Callable[[], None] | None) -> bool:
        """Wait for helm; return whether it had to be ended because the run was cancelled."""
        while True:
            try:
                process.wait(_TICK_SECONDS)
            except subprocess.TimeoutExpired:
                if self._cancelled.is_set() or time.monotonic() > deadline:
                    _end(process)
                    return self._cancelled.is_set()
                if tick:
                    tick()
            else:
                return False

    @property
    def has_repositories(self) -> bool:
        """Whether the provider names a list of repositories, so that a chart `alias/name` can mean something."""
        return bool(self._settings.repository_config_path)

    def home(self) -> Path:
        """Return helm's home of this process, made on first use; those of dead processes are removed."""
        with self._lock:
            if self._home is None:
                root = cache_dir() / "helm" / "home"
                root.mkdir(parents=True, exist_ok=True)
                for old in root.iterdir():
                    if not _alive(old.name.partition("-")[0]):
                        shutil.rmtree(old, ignore_errors=True)
                self._home = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=root))
            return self._home

    def close(self) -> None:
        """Wait for the runs that a cancellation is ending, then remove helm's home."""
        deadline = time.monotonic() + _GRACE_SECONDS + 2.0  # a stubborn helm is killed after the grace
        while self._running and time.monotonic() < deadline:
            time.sleep(_TICK_SECONDS)
        with self._lock:
            if self._home is not None:
                shutil.rmtree(self._home, ignore_errors=True)
                self._home = None

    def _environment(self, kubeconfig: PrivateFile) -> dict[str, str]:
        own = {key: value for key, value in os.environ.items() if not key.startswith("HELM_")}
        home = self.home()
        return {
            **own,
            "KUBECONFIG": kubeconfig.child_path,
            "HELM_CACHE_HOME": str(home / "cache"),
            "HELM_CONFIG_HOME": str(home / "config"),
            "HELM_DATA_HOME": str(home / "data"),
            "HELM_PLUGINS": str(home / "plugins"),
            "HELM_DRIVER": "secret",
        }

    def _configuration(self) -> list[str]:
        pairs = (
            ("--registry-config", self._settings.registry_config_path),
            ("--repository-config", self._settings.repository_config_path),
            ("--repository-cache", self._settings.repository_cache),
        )
        return [f"{flag}={value}" for flag, value in pairs if value]


def _tool() -> Path:
    from qhub.rehearsal.toolchain import ToolchainError, tool_path  # 40 ms that a run without a change does not need

    try:
        return tool_path("helm")
    except ToolchainError as error:
        raise PluginError(f"helm is needed for a Release: {error}") from None


class _Collected:
    """Feeds a process and collects what it says, beside the thread that watches it."""

    def __init__(self, process: subprocess.Popen[str], stdin: str) -> None:
        self._process = process
        self._result = ("", "")
        self._thread = threading.Thread(target=self._communicate, args=(stdin,), daemon=True)
        self._thread.start()

    def _communicate(self, stdin: str) -> None:
        self._result = self._process.communicate(stdin)

    def result(self) -> tuple[str, str]:
        """Return stdout and stderr once the process has ended."""
        self._thread.join()
        return self._result


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)  # helm ends its wait and records the release as failed
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


_NOISE = re.compile(r"^(WARNING: |walk\.go|time=|[IWE]\d{4} \d|level=|coalesce\.go|\d{4}/\d\d/\d\d )")


def _shortened(text: str) -> str:
    """Return helm's error without its warnings, log lines and capitals."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and not _NOISE.match(line)]
    message = "\n".join(lines) or text.strip() or "it ended without a word"
    message = re.sub(r"^Error: ", "", message)
    message = re.sub(r"^(INSTALLATION|UPGRADE|UNINSTALLATION) FAILED: ?", "", message)
    message = message.replace("context deadline exceeded", "timed out")
    return message if len(message) <= _LONGEST_MESSAGE else message[:_LONGEST_MESSAGE] + " …"


class ReleaseLock:
    """Held while helm works on a release, by helm itself too: it outlives a plugin that was killed.

    Args:
        api: the API server.
        namespace: namespace of the release.
        name: its name.
    """

    def __init__(self, api: Api, namespace: str, name: str) -> None:
        digest = hashlib.sha256(f"{api.target.server}\n{namespace}\n{name}".encode()).hexdigest()[:16]
        folder = cache_dir() / "helm" / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        self.descriptor = os.open(folder / f"{digest}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self, *, wait: Callable[[], None]) -> None:
        """Take the lock; `wait` is called between tries and raises when it has had enough."""
        while True:
            try:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                wait()
            else:
                return

    def release(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)


def remove_helm_folder() -> None:
    """Remove the locks and homes that runs of helm have left in the cache; what a running helm holds stays."""
    folder = cache_dir() / "helm"
    for lock in folder.glob("locks/*.lock"):
        with lock.open("r+") as file, contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.unlink()
    for home in folder.glob("home/*"):
        if not _alive(home.name.partition("-")[0]):
            shutil.rmtree(home, ignore_errors=True)
    for empty in (folder / "locks", folder / "home", folder):
        with contextlib.suppress(OSError):  # not there, or not empty
            empty.rmdir()
