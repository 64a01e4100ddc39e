"""The notebook image: a server, kernels and terminals as the right user, and Dask on both sides."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import websocket

from qhub.platform import user_server
from qhub.platform.hub.qhub_hub import group_file, identity, passwd_file
from tests.engine.images.container import PATIENCE_SECONDS, Container, Unpacked, free_port, get, post

Image = Callable[[str], Unpacked]

TOKEN = "a-token-of-this-test"
SETTINGS = {
    "users": {"alice": {"uid": 1001, "primary_group": "analyst"}},
    "groups": {"analyst": {"gid": 1100, "members": ["alice"]}, "developer": {"gid": 1101, "members": ["alice"]}},
    "managed_groups": False,
}


class Lab:
    """A running JupyterLab."""

    def __init__(self, container: Container, port: int) -> None:
        self._container, self._port = container, port
        self._headers = {"Authorization": f"token {TOKEN}"}
        container.until(lambda: self.get("/api")[0] == 200 or None)

    def get(self, path: str, *, signed_in: bool = True) -> tuple[int, str]:
        return get(f"http://127.0.0.1:{self._port}{path}", headers=self._headers if signed_in else {})

    def post(self, path: str) -> Any:
        return post(f"http://127.0.0.1:{self._port}{path}", headers=self._headers)

    def channel(self, path: str) -> websocket.WebSocket:
        return websocket.create_connection(
            f"ws://127.0.0.1:{self._port}{path}?token={quote(TOKEN)}", timeout=PATIENCE_SECONDS
        )

    def kernel(self) -> str:
        """Return the id of a new kernel."""
        return self.post("/api/kernels")["id"]

    def execute(self, channel: websocket.WebSocket, code: str) -> str:
        """Send a cell to a kernel, and return the id that its answers have."""
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "username": "",
            "session": "s",
            "version": "5",
        }
        content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        channel.send(json.dumps(message))
        return header["msg_id"]

    def state(self, kernel: str) -> str:
        """Return what the server knows of a kernel. Asked so, it is no activity."""
        return json.loads(self.get(f"/api/kernels/{kernel}?no_track_activity=1")[1])["execution_state"]

    def is_idle(self) -> bool:
        """Tell whether the last activity, as the hub is told it, is past. Asking for it is no activity."""
        first, second = (json.loads(self.get("/api/status")[1])["last_activity"] for _ in range(2))
        return first == second

    def until(self, what: Callable[[], bool]) -> None:
        """Wait until something is so."""
        self._container.until(lambda: what() or None)

    def run_cell(self, code: str) -> str:
        """Return what a cell prints in a new kernel."""
        printed = ""
        channel = self.channel(f"/api/kernels/{self.kernel()}/channels")
        try:
            sent = self.execute(channel, code)
            while True:
                answer = json.loads(channel.recv())
                if answer["parent_header"].get("msg_id") != sent:
                    continue
                if answer["msg_type"] == "stream":
                    printed += answer["content"]["text"]
                assert answer["msg_type"] != "error", answer["content"]
                # The reply comes by another way than what is printed, and may come first; this comes after all of it.
                if answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
                    return printed.strip()
        finally:
            channel.close()

    def run_in_terminal(self, command: str) -> str:
        """Return what a command says in a new terminal."""
        name = self.post("/api/terminals")["name"]
        channel = self.channel(f"/terminals/websocket/{name}")
        shown = ""
        try:
            # Both marks are cut in two, so that the echo of what was typed has neither.
            channel.send(json.dumps(["stdin", f"echo 'BEG''IN'; {command}; echo 'EN''D'\r"]))
            while not (found := re.search(r"BEGIN\r?\n(.*?)END\r?\n", shown, re.DOTALL)):
                kind, *said = json.loads(channel.recv())
                shown += said[0] if kind == "stdout" else ""
        finally:
            channel.close()
        return found[1].replace("\r", "").strip()


def start(
    image: Image, folder: Path, *, user: str, groups: tuple[int, ...], env: dict[str, str]
) -> tuple[Container, int]:
    """Return a container of the image with a home of its own, as a pod has it."""
    port = free_port()
    home = folder / "home"
    home.mkdir()
    uid, gid = (int(part) for part in user.split(":"))
    os.chown(home, uid, gid)
    flags = ["--ip=127.0.0.1", f"--port={port}", "--no-browser", "--ServerApp.port_retries=0"]
    flags += [f"--IdentityProvider.token={TOKEN}"]
    container = Container(
        image("notebook"),
        folder / "log",
        command=["jupyter", "lab", *flags],
        env={"JUPYTER_RUNTIME_DIR": "/tmp/jupyter-runtime", **env},  # noqa: S108 - in the container
        user=user,
        groups=groups,
        binds={home: "/home/jovyan"},
    )
    return container, port


@pytest.fixture(scope="module")
def alice(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The server of a user whom the hub has given names, as the platform's pods have them."""
    folder = tmp_path_factory.mktemp("alice")
    who = identity("alice", [], SETTINGS)
    container, port = start(
        image,
        folder,
        user=f"{who['uid']}:{who['gid']}",
        groups=tuple(who["supplemental_gids"]),
        env={"NB_USER": "alice", "NB_UMASK": "0002"},
    )
    (folder / "passwd").write_text(passwd_file(who, "/home/jovyan"))
    (folder / "group").write_text(group_file(who))
    (folder / user_server.PROGRAM).write_text(user_server.source())
    container.binds = {
        **container.binds,
        folder / "passwd": "/etc/passwd",
        folder / "group": "/etc/group",
        folder / user_server.PROGRAM: f"/usr/local/etc/jupyter/{user_server.PROGRAM}",
    }
    with container:
        yield Lab(container, port)


class TestServer:
    def test_it_answers_who_has_the_token(self, alice: Lab) -> None:
        assert "version" in json.loads(alice.get("/api")[1])
        assert alice.get("/api/status")[0] == 200
        assert alice.get("/api/status", signed_in=False)[0] == 403
        assert "JupyterLab" in alice.get("/lab")[1]

    def test_its_extensions_are_there(self, alice: Lab) -> None:
        found = json.loads(alice.get("/lab/api/extensions")[1])

        assert "dask-labextension" in {extension["name"] for extension in found}
        assert alice.get("/dask/clusters?1")[0] == 200

    def test_the_hubs_own_start_is_there(self, image: Image, tmp_path: Path) -> None:
        with Container(image("notebook"), tmp_path / "log", command=["jupyterhub-singleuser", "--version"]) as done:
            assert done.wait().strip()


class TestKernel:
    def test_a_cell_computes(self, alice: Lab) -> None:
        code = "import pandas, dask.array as da; print(pandas.__name__, da.ones((1000, 1000)).sum().compute())"

        assert alice.run_cell(code) == "pandas 1000000.0"

    def test_while_one_computes_and_prints_nothing_its_server_is_active(self, alice: Lab) -> None:
        kernel = alice.kernel()
        channel = alice.channel(f"/api/kernels/{kernel}/channels")
        alice.execute(channel, "print('begun', flush=True); import time; time.sleep(3600)")
        while json.loads(channel.recv())["msg_type"] != "stream":
            pass
        channel.close()
        alice.until(lambda: alice.state(kernel) == "busy")

        assert not alice.is_idle()

        alice.post(f"/api/kernels/{kernel}/interrupt")
        alice.until(alice.is_idle)

    def test_it_is_the_user(self, alice: Lab) -> None:
        code = "import getpass, os, grp\nprint(getpass.getuser(), os.getuid(), grp.getgrgid(os.getgid()).gr_name)"

        assert alice.run_cell(code) == "alice 1001 analyst"

    def test_the_group_may_change_what_it_writes(self, alice: Lab) -> None:
        code = "import os\nopen('cell', 'w').close()\nprint(oct(os.stat('cell').st_mode), os.getcwd())"

        assert alice.run_cell(code) == "0o100664 /home/jovyan"


class TestTerminal:
    def test_it_shows_the_right_name_and_groups(self, alice: Lab) -> None:
        said = alice.run_in_terminal("id")

        assert said.startswith("uid=1001(alice) gid=1100(analyst) groups=1100(analyst),")
        assert "1101(developer)" in said

    def test_the_group_may_change_what_it_writes(self, alice: Lab) -> None:
        assert alice.run_in_terminal("umask; touch term; stat -c %a term") == "0002\n664"

    def test_it_is_in_the_environment_of_the_notebook(self, alice: Lab) -> None:
        assert alice.run_in_terminal("which python dask-worker") == "/opt/qhub/bin/python\n/opt/qhub/bin/dask-worker"


class TestUserWithoutAName:
    def test_a_number_that_nobody_named_gets_one(self, image: Image, tmp_path: Path) -> None:
        container, port = start(
            image, tmp_path, user="123456:100", groups=(), env={"NB_USER": "bob", "NB_UMASK": "0027"}
        )
        with container:
            lab = Lab(container, port)
            assert lab.run_in_terminal("id -un; umask") == "bob\n0027"
            assert lab.run_cell("import getpass; print(getpass.getuser())") == "bob"


class TestDask:
    def test_scheduler_and_worker_compute(self, image: Image, tmp_path: Path) -> None:
        """By the commands that Dask Gateway starts."""
        port = free_port()
        address = f"tcp://127.0.0.1:{port}"
        quiet = ["--no-dashboard"]
        client = (
            f"from distributed import Client\nclient = Client('{address}', timeout='60s')\n"
            "import dask.array as da\nx = da.arange(1000, chunks=100)\nprint('sum', client.compute(x.sum()).result())"
        )
        scheduler = Container(
            image("notebook"),
            tmp_path / "scheduler",
            command=["dask-scheduler", "--host", "127.0.0.1", "--port", str(port), *quiet],
        )
        worker = Container(
            image("notebook"),
            tmp_path / "worker",
            command=["dask-worker", address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", *quiet],
        )
        asking = Container(image("notebook"), tmp_path / "client", command=["python", "-c", client])
        with scheduler, worker, asking:
            assert "sum 499500" in asking.wait()

    def test_the_gateways_client_is_there(self, image: Image, tmp_path: Path) -> None:
        script = "import dask_gateway, dask, distributed; print(dask_gateway.__version__, dask.__version__)"
        with Container(image("notebook"), tmp_path / "log", command=["python", "-c", script]) as done:
            assert done.wait().split() == ["2026.3.0", "2026.3.0"]

    def test_a_user_may_install_a_package(self, image: Image, tmp_path: Path) -> None:
        """`pip install --user` is taken, and what lies there is found by the environment."""
        home = tmp_path / "home"
        package = home / ".local" / "lib" / "python3.11" / "site-packages" / "mine.py"
        package.parent.mkdir(parents=True)
        package.write_text("word = 'found'")
        for path in (home, *home.rglob("*")):
            os.chown(path, 1000, 100)
        script = "import mine; print(mine.word)"
        binds = {home: "/home/jovyan"}
        with Container(image("notebook"), tmp_path / "log", command=["python", "-c", script], binds=binds) as done:
            assert done.wait().strip() == "found"
