"""What the platform's pods run: each image's program does its work."""

from __future__ import annotations

import http.server
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from qhub.platform.hub.qhub_hub import identity, init_container
from tests.engine.images.container import Container, Unpacked, free_port, get
from tests.unit.charts.rendering import pods, render

Image = Callable[[str], Unpacked]

HUB_CONFIG = """
c = get_config()
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.JupyterHub.bind_url = "http://127.0.0.1:{proxy}"
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.auth_token = "{token}"
c.JupyterHub.authenticator_class = "github"
c.GitHubOAuthenticator.client_id = "an-id"
c.GitHubOAuthenticator.client_secret = "a-secret"
c.GitHubOAuthenticator.oauth_callback_url = "http://127.0.0.1:{proxy}/hub/oauth_callback"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.JupyterHub.cookie_secret_file = "/tmp/cookie"
c.JupyterHub.db_url = "sqlite:///jupyterhub.sqlite"
"""

GATEWAY_CONFIG = """
c.DaskGateway.address = "127.0.0.1:{api}"
c.DaskGateway.backend_class = "dask_gateway_server.backends.kubernetes.KubeBackend"
c.KubeBackend.gateway_instance = "an-instance"
c.DaskGateway.authenticator_class = "dask_gateway_server.auth.SimpleAuthenticator"
c.SimpleAuthenticator.password = "a-password"
"""


def serving(answer: Callable[[http.server.BaseHTTPRequestHandler], bytes]) -> Iterator[int]:
    """Yield the port of a small server of this process while it runs."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = answer(self)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def kubeconfig(port: int) -> dict:
    """Return a kubeconfig for an API server on 127.0.0.1."""
    return {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "it", "user": {}}],
    }


class TestHubAndProxy:
    def test_a_sign_in_page_through_the_proxy(self, image: Image, tmp_path: Path) -> None:
        hub, proxy, api = free_port(), free_port(), free_port()
        token = "0123456789abcdef" * 4
        config = tmp_path / "jupyterhub_config.py"
        config.write_text(HUB_CONFIG.format(hub=hub, proxy=proxy, api=api, token=token))
        database = tmp_path / "database"
        database.mkdir()
        os.chown(database, 1000, 1000)
        flags = ["--ip=127.0.0.1", f"--port={proxy}", "--api-ip=127.0.0.1", f"--api-port={api}"]
        flags.append(f"--default-target=http://127.0.0.1:{hub}")
        in_front = Container(
            image("proxy"),
            tmp_path / "proxy.log",
            entrypoint=["configurable-http-proxy"],  # as the chart says it
            command=flags,
            env={"CONFIGPROXY_AUTH_TOKEN": token},
        )
        binds = {config: "/usr/local/etc/jupyterhub/jupyterhub_config.py", database: "/srv/jupyterhub"}
        with in_front, Container(image("hub"), tmp_path / "hub.log", binds=binds) as hubs:
            in_front.until(lambda: get(f"http://127.0.0.1:{proxy}/_chp_healthz")[0] == 200 or None)
            status, page = hubs.until(
                lambda: answer if (answer := get(f"http://127.0.0.1:{proxy}/hub/login"))[0] == 200 else None
            )

        assert status == 200
        assert "Sign in with GitHub" in page
        # The path of the database is relative to the working folder, which is where the chart mounts its disk.
        assert (database / "jupyterhub.sqlite").stat().st_uid == 1000

    def test_what_the_chart_starts_beside_the_hub(self, image: Image, tmp_path: Path) -> None:
        script = (
            "import pycurl, yaml, oauthenticator.generic, kubernetes_asyncio, jupyterhub_idle_culler as c; print(c)"
        )
        with Container(image("hub"), tmp_path / "log", command=["python3", "-c", script]) as done:
            assert "jupyterhub_idle_culler" in done.wait()


@pytest.fixture
def kubernetes() -> Iterator[int]:
    """The port of an API server that knows no cluster of Dask, and of which nothing changes."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> bytes:
        empty = {"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}
        return b"" if "watch" in handler.path else json.dumps(empty).encode()

    yield from serving(answer)


class TestGateway:
    def test_the_api_answers(self, image: Image, tmp_path: Path, kubernetes: int) -> None:
        api = free_port()
        config, access = tmp_path / "dask_gateway_config.py", tmp_path / "kubeconfig"
        config.write_text(GATEWAY_CONFIG.format(api=api))
        access.write_text(json.dumps(kubeconfig(kubernetes)))
        access.chmod(0o644)
        place = {config: "/etc/dask-gateway/dask_gateway_config.py", access: "/etc/kubeconfig"}
        env = {"KUBECONFIG": "/etc/kubeconfig"}
        with Container(image("gateway"), tmp_path / "log", binds=place, env=env) as server:
            server.until(lambda: get(f"http://127.0.0.1:{api}/api/health")[0] == 200 or None)
            refused, _ = get(f"http://127.0.0.1:{api}/api/v1/clusters/")

        assert refused == 401

    def test_the_controller_is_there(self, image: Image, tmp_path: Path) -> None:
        command = ["dask-gateway-server", "kube-controller", "--help-all"]
        with Container(image("gateway"), tmp_path / "log", command=command) as done:
            assert "--KubeController.gateway_instance" in done.wait()


@pytest.fixture
def behind() -> Iterator[int]:
    """The port of a server that answers by which name it was asked."""
    yield from serving(lambda handler: f"for {handler.headers['Host']}".encode())


class TestTraefik:
    def test_it_routes(self, image: Image, tmp_path: Path, behind: int) -> None:
        web, ping = free_port(), free_port()
        routes = tmp_path / "routes.yaml"
        routes.write_text(
            "http:\n  routers: {all: {rule: 'Host(`qhub.localhost`)', service: behind, entryPoints: [web]}}\n"
            f"  services: {{behind: {{loadBalancer: {{servers: [{{url: 'http://127.0.0.1:{behind}'}}]}}}}}}\n"
        )
        flags = [f"--entrypoints.web.address=127.0.0.1:{web}", f"--entrypoints.traefik.address=127.0.0.1:{ping}"]
        flags += ["--ping=true", "--providers.file.filename=/routes.yaml", "--global.checknewversion=false"]
        binds = {routes: "/routes.yaml"}
        with Container(image("traefik"), tmp_path / "log", command=flags, binds=binds) as ingress:
            ingress.until(lambda: get(f"http://127.0.0.1:{ping}/ping")[0] == 200 or None)
            _, said = ingress.until(
                lambda: (
                    answer
                    if (answer := get(f"http://127.0.0.1:{web}/", headers={"Host": "qhub.localhost"}))[0] == 200
                    else None
                )
            )
            strange, _ = get(f"http://127.0.0.1:{web}/", headers={"Host": "other.localhost"})

        assert (said, strange) == ("for qhub.localhost", 404)

    @pytest.mark.parametrize(
        ("chart", "values"),
        [
            ("dask-gateway", {"gateway": {"auth": {"type": "jupyterhub", "jupyterhub": {"apiToken": "a-token"}}}}),
            (
                "traefik",
                {
                    "providers": {
                        "kubernetesCRD": {"enabled": False},
                        "kubernetesIngress": {"enabled": False},
                        # As the local stack says it: 3.5 has none of these two flags, and does not call the provider
                        # finished yet.
                        "kubernetesIngressNGINX": {"enabled": True, "httpEntryPoint": None, "httpsEntryPoint": None},
                    },
                    "additionalArguments": ["--experimental.kubernetesIngressNGINX=true"],
                },
            ),
        ],
    )
    def test_it_knows_the_flags_of_the_charts(self, image: Image, tmp_path: Path, chart: str, values: dict) -> None:
        """Flags are read before anything else; there is no cluster here, which it then complains of."""
        found = [pod for (_, name), pod in pods(render(chart, values)).items() if "traefik" in name]
        (container,) = found[0]["spec"]["containers"]
        # The charts' ports are fixed, and may be taken on this machine.
        flags = [flag for flag in container["args"] if ".address=" not in flag]
        ping = free_port()
        flags += [
            f"--entrypoints.traefik.address=127.0.0.1:{ping}",
            f"--entrypoints.web.address=127.0.0.1:{free_port()}",
        ]
        flags += [f"--entrypoints.{name}.address=127.0.0.1:{free_port()}" for name in ("websecure", "metrics")]
        with Container(image("traefik"), tmp_path / "log", command=flags) as ingress:
            ingress.until(lambda: get(f"http://127.0.0.1:{ping}/ping")[0] == 200 or None)


class TestInitContainers:
    def test_a_users_folders_and_names(self, image: Image, tmp_path: Path) -> None:
        """The init container of a user's pod, as the hub makes it, with the rights that it gives it."""
        settings = {
            "users": {"alice": {"uid": 1001, "primary_group": "analyst"}},
            "groups": {"analyst": {"gid": 1100, "members": ["alice"]}},
            "managed_groups": False,
        }
        made = init_container(identity("alice", [], settings), "/home/jovyan", "any")
        folders = {"/identity": "identity", "/mnt/home": "home", "/mnt/shared/analyst": "shared"}
        binds = {tmp_path / name: target for target, name in folders.items()}
        for folder in binds:
            folder.mkdir()
        with Container(
            image("network-tools"),
            tmp_path / "log",
            entrypoint=made["command"],
            command=[],
            env={each["name"]: each["value"] for each in made["env"]},
            binds=binds,
        ) as done:
            done.wait()
        seen = {name: (tmp_path / name).stat() for name in folders.values()}

        assert (seen["home"].st_uid, seen["home"].st_gid, oct(seen["home"].st_mode)) == (1001, 1100, "0o40700")
        assert (seen["shared"].st_uid, seen["shared"].st_gid, oct(seen["shared"].st_mode)) == (0, 1100, "0o42770")
        assert "alice:x:1001:1100" in (tmp_path / "identity" / "passwd").read_text()

    def test_iptables(self, image: Image, tmp_path: Path) -> None:
        with Container(image("network-tools"), tmp_path / "log", command=["iptables", "--version"]) as done:
            assert "iptables v1." in done.wait()


class TestPause:
    def test_it_waits_until_it_is_told(self, image: Image, tmp_path: Path) -> None:
        with Container(image("pause"), tmp_path / "log") as pod:
            inside = pod.until(lambda: _program(pod))
            os.kill(inside.pid, signal.SIGTERM)
            assert pod.wait() == ""


def _program(pod: Container) -> SimpleNamespace | None:
    """Return the process that runs the image's program, once it does."""
    assert pod.process is not None
    for child in psutil.Process(pod.process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if child.cmdline()[:1] == ["/pause"]:
                return SimpleNamespace(pid=child.pid)
    return None
