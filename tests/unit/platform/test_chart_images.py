"""Where images come from: every one of every chart under the registry with the copies, and the list of all of them."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from qhub.cli import main
from qhub.config import Settings
from qhub.config.images import full_name
from qhub.platform.cert_manager import issuer_spec, with_solver_secret
from qhub.platform.chart_images import CHART_IMAGES, with_pull_secret, with_registry
from qhub.platform.needed_images import needed_images
from qhub.platform.pull_secret import docker_config
from tests.unit.charts.rendering import Objects, pods, render
from tests.unit.config.files import Folder
from tests.unit.platform.building import all_values, make_settings

ROOT = Path(__file__).parents[3]
MIRROR = "registry.example.org:5000/copies"
#: What an image looks like in a rendered chart or in a program's configuration: a registry, a path and a tag.
REFERENCE = re.compile(r"[\w.-]+\.(?:io|org|com)(?::\d+)?(?:/[\w.-]+)+:[\w][\w.-]*(?:@sha256:[0-9a-f]{64})?")
#: Key of the `charts` section -> chart.
CHARTS: dict[str, str] = {key: key.replace("_", "-") for key in CHART_IMAGES}
#: What hub and gateway are told of by name and tag apart, so that no text shows the two together.
GIVEN_IN_PARTS = [
    "quay.io/jupyter/scipy-notebook:2026-05-26",
    "quay.io/jupyterhub/k8s-network-tools:4.4.0",
    "ghcr.io/dask/dask-gateway:2026.3.0",
]
#: A stack in which everything that has an image is on.
EVERYTHING: dict[str, Any] = {
    "monitoring": {"enabled": True},
    "cluster": {"node_pools": {"gpu": {"gpu": {"count": 1}}}},
    "jupyterhub": {
        "profiles": [
            {"name": "small", "default": True},
            {"name": "other", "image": {"name": "ghcr.io/team/lab", "tag": "1"}},
        ]
    },
}


def settings_with(images: dict[str, Any], **sections: Any) -> Settings:
    return make_settings(images=images, **{**EVERYTHING, **sections})


def texts(objects: Any) -> str:
    """Return rendered objects as text, Secrets decoded: the hub's values are in one."""
    return "\n".join(json.dumps(decoded(item)) for item in objects.values())


def decoded(item: dict[str, Any]) -> dict[str, Any]:
    """Return an object with the data of a Secret in clear."""
    if item["kind"] != "Secret":
        return item
    return {**item, "data": {key: base64.b64decode(text).decode() for key, text in (item.get("data") or {}).items()}}


def images_of(key: str, settings: Settings) -> set[str]:
    """Return every image that a contract chart names when it is rendered with what its release gets."""
    values = with_registry(key, all_values(settings)[CHARTS[key]], settings.images)  # ty: ignore[invalid-argument-type]
    rendered = render(CHARTS[key], values)
    in_pods = {
        container["image"]
        for pod in pods(rendered).values()
        for container in pod["spec"].get("initContainers", []) + pod["spec"]["containers"]
    }
    return in_pods | set(REFERENCE.findall(texts(rendered)))


def pull_secrets(objects: Objects) -> dict[tuple[str, str], list[str]]:
    """Return the Secrets that each workload's pods pull with: their own, else those of their account."""
    made = {}
    for key, pod in pods(objects).items():
        account = objects.get(("ServiceAccount", pod["spec"].get("serviceAccountName", "")), {})
        secrets = pod["spec"].get("imagePullSecrets") or account.get("imagePullSecrets", [])
        made[key] = [secret["name"] for secret in secrets]
    return made


@pytest.mark.parametrize("key", CHARTS)
def test_nothing_of_a_chart_is_pulled_from_elsewhere(key: str) -> None:
    before = images_of(key, settings_with({}))
    after = images_of(key, settings_with({"registry": MIRROR}))

    assert before
    assert {image for image in after if not image.startswith(f"{MIRROR}/")} == set()
    # The same images, each under its full name: none was lost on the way.
    assert after == {f"{MIRROR}/{full_name(image)}" for image in before}


def test_what_the_hub_and_the_gateway_start_later_comes_from_the_copies_too() -> None:
    settings = settings_with({"registry": MIRROR})
    values = all_values(settings)
    hub = with_registry("jupyterhub", values["jupyterhub"], settings.images)["singleuser"]
    gateway = with_registry("dask_gateway", values["dask-gateway"], settings.images)["gateway"]
    images = [hub["image"], hub["networkTools"]["image"], gateway["backend"]["image"]]

    assert [image["name"] for image in images] == [f"{MIRROR}/{one.rpartition(':')[0]}" for one in GIVEN_IN_PARTS]


@pytest.mark.parametrize("key", CHARTS)
def test_every_pod_pulls_with_the_secret(key: str) -> None:
    values = with_pull_secret(key, all_values(settings_with({}))[CHARTS[key]], "my-secret")  # ty: ignore[invalid-argument-type]
    made = pull_secrets(render(CHARTS[key], values))

    assert made
    assert {name: secrets for name, secrets in made.items() if secrets != ["my-secret"]} == {}


def test_dask_clusters_and_servers_pull_with_the_secret() -> None:
    values = all_values(settings_with({}))

    gateway = with_pull_secret("dask_gateway", values["dask-gateway"], "s")
    assert gateway["gateway"]["backend"]["imagePullSecrets"] == [{"name": "s"}]
    # KubeSpawner takes the chart's own list (tests of the hub's configuration).
    assert with_pull_secret("jupyterhub", values["jupyterhub"], "s")["imagePullSecrets"] == [{"name": "s"}]


def test_what_answers_lets_encrypt_pulls_with_the_secret_too() -> None:
    settings = make_settings(
        domain="hub.team.org",
        certificates={"issuer": "letsencrypt", "email": "ops@team.org"},
        authentication={"type": "dummy", "password": "a-long-password"},
    )
    spec = with_solver_secret(issuer_spec(settings.certificates, name="a", ingress_class="qhub", dns01={}), "s")
    (solver,) = spec["acme"]["solvers"]

    assert solver["http01"]["ingress"]["ingressClassName"] == "qhub"
    assert solver["http01"]["ingress"]["podTemplate"] == {"spec": {"imagePullSecrets": [{"name": "s"}]}}


@pytest.mark.parametrize(
    ("name", "pulled"),
    [
        ("traefik", f"{MIRROR}/docker.io/library/traefik"),
        ("docker.io/traefik", f"{MIRROR}/docker.io/library/traefik"),
        ("grafana/grafana", f"{MIRROR}/docker.io/grafana/grafana"),
        ("quay.io/a/b:1", f"{MIRROR}/quay.io/a/b:1"),
        ("localhost/a:1", f"{MIRROR}/localhost/a:1"),
        # On the host of the copies already, or said to be reachable.
        ("registry.example.org:5000/team/lab", "registry.example.org:5000/team/lab"),
        ("ghcr.io/team/lab", "ghcr.io/team/lab"),
    ],
)
def test_a_copy_is_under_the_full_name(name: str, pulled: str) -> None:
    assert make_settings(images={"registry": MIRROR, "direct": ["ghcr.io"]}).images.located(name) == pulled


def test_credentials_are_for_the_host_of_the_registry() -> None:
    images = make_settings(
        images={"registry": MIRROR, "credentials": {"username": "robot", "password": "no-secret"}}
    ).images
    entry = json.loads(docker_config(images))["auths"]["registry.example.org:5000"]

    assert base64.b64decode(entry["auth"]).decode() == "robot:no-secret"


class TestNeededImages:
    def test_are_those_that_the_charts_name_when_they_are_rendered(self) -> None:
        """On AWS, where QHub installs the most; ingress-nginx and Traefik in turn."""
        settings = settings_with(
            {"registry": MIRROR},
            cluster={
                "provider": "aws",
                "region": "eu-west-1",
                "node_pools": {"gpu": {"instance_type": "g4dn.xlarge", "gpu": {"count": 1}}},
            },
        )
        rendered = set().union(*(images_of(key, settings) for key in CHARTS if key != "traefik"))
        # Only named to an operator, whom nobody asks for it.
        never_pulled = {image for image in rendered if "/thanos/" in image}
        own = f"{MIRROR}/ghcr.io/2i2c-org/nfs-ganesha:1.2.0"

        apart = {f"{MIRROR}/{name}" for name in GIVEN_IN_PARTS}

        assert len(never_pulled) == 1
        assert {image.pulled_as for image in needed_images(settings)} == (rendered - never_pulled) | apart | {own}

    def test_follow_what_is_on(self) -> None:
        small = make_settings(
            dask={"enabled": False}, certificates={"issuer": "none"}, ingress={"controller": "traefik"}
        )
        sources = {image.source.rpartition(":")[0] for image in needed_images(small)}

        assert sources == {
            "docker.io/library/traefik",
            "ghcr.io/2i2c-org/nfs-ganesha",
            "quay.io/jupyter/scipy-notebook",
            "quay.io/jupyterhub/configurable-http-proxy",
            "quay.io/jupyterhub/k8s-hub",
            "quay.io/jupyterhub/k8s-network-tools",
        }

    def test_an_image_of_the_overrides_is_pulled_as_it_is_written_there(self) -> None:
        overrides = {"hub": {"image": {"name": "quay.io/team/hub", "tag": "7"}}}
        settings = settings_with({"registry": MIRROR}, charts={"jupyterhub": {"overrides": overrides}})

        assert ("quay.io/team/hub:7", "quay.io/team/hub:7") in {
            (image.source, image.pulled_as) for image in needed_images(settings)
        }

    def test_of_a_chart_in_another_version_are_told_apart(self) -> None:
        settings = make_settings(charts={"ingress_nginx": {"version": "4.15.2"}, "jupyterhub": {"version": "4.4.1"}})
        unsure = {
            image.source.rpartition("/")[2].partition(":")[0] for image in needed_images(settings) if not image.sure
        }

        assert unsure == {"configurable-http-proxy", "controller", "kube-webhook-certgen"}
        assert "quay.io/jupyterhub/k8s-hub:4.4.1" in {image.source for image in needed_images(settings)}

    def test_are_listed_by_a_command(self, tmp_path: Path) -> None:
        file = Folder(tmp_path).write(f"config:\n  qhub:domain: hub.localhost\n  qhub:images: {{registry: {MIRROR}}}\n")
        lines = CliRunner().invoke(main, ["images", "needed", str(file)]).stdout.splitlines()
        document = json.loads(CliRunner().invoke(main, ["images", "needed", str(file), "--json"]).stdout)

        assert f"quay.io/jupyterhub/k8s-hub:4.4.0 {MIRROR}/quay.io/jupyterhub/k8s-hub:4.4.0" in lines
        assert [f"{one['source']} {one['pulled_as']}" for one in document["images"]] == lines

    @pytest.mark.parametrize("images", [{"registry": MIRROR, "direct": ["ghcr.io"]}, {}])
    def test_are_copied_by_the_documented_command_each_to_its_own_name(
        self, tmp_path: Path, images: dict[str, Any]
    ) -> None:
        text = f"config:\n  qhub:domain: hub.localhost\n  qhub:images: {json.dumps(images)}\n"
        listed = CliRunner().invoke(main, ["images", "needed", str(Folder(tmp_path).write(text))]).stdout
        (line,) = [line for line in (ROOT / "docs" / "air-gapped.md").read_text().splitlines() if "xargs" in line]
        pipe = line.removeprefix("$ qhub images needed prod | ").replace("crane copy", "echo")
        copied = subprocess.run(["sh", "-c", pipe], input=listed, capture_output=True, text=True, check=True).stdout

        pairs = [tuple(one.split()) for one in copied.splitlines()]
        sources = [one.split()[0] for one in listed.splitlines()]
        direct = [source for source in sources if source.startswith("ghcr.io/") or not images]
        assert pairs == [(source, f"{MIRROR}/{source}") for source in sources if source not in direct]
        assert direct
