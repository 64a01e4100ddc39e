"""`qhub migrate` of files that leave out what holds all the same, as `nebari init` writes them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.migrate.texts import LOCAL, of_text, told

AWS = LOCAL.replace("provider: local", "provider: aws") + "amazon_web_services: {region: eu-west-1}\n"
QHUB = "qhub_version: 0.4.5\nproject_name: lab\nprovider: do\ndomain: a.localhost\ndigital_ocean: {region: nyc3}\n"


def sizes(values: dict[str, Any]) -> Any:
    """Return (limits of memory of servers, memory of workers)."""
    servers, workers = (values.get(section, {}).get("profiles", []) for section in ("jupyterhub", "dask"))
    return [one["memory"]["limit"] for one in servers], [one["memory"] for one in workers]


@pytest.mark.parametrize(
    ("text", "storage", "expected"),
    [
        (LOCAL, {"size": "200Gi"}, (["8G", "16G"], ["5G", "10G"])),
        # A node of 16 GiB has less for pods.
        (AWS, {"kind": "managed", "size": "200Gi"}, (["8G", "14.2G"], ["5G", "10G"])),
        (
            f"{LOCAL}storage: {{conda_store: 50Gi}}\nprofiles: {{jupyterlab: [{{display_name: A, kubespawner_override: "
            "{mem_limit: 3G}}]}\n",
            {"size": "200Gi"},
            (["3G"], ["5G", "10G"]),
        ),
        (
            f"{LOCAL}storage: {{shared_filesystem: 50Gi}}\nprofiles: {{dask_worker: {{A: {{worker_memory: 3G}}}}}}\n",
            {"size": "50Gi"},
            (["8G", "16G"], ["3G"]),
        ),
        # It wrote all of this into the file.
        (QHUB, None, ([], [])),
    ],
    ids=["local", "aws", "no size, no workers", "no servers", "QHub 0.4"],
)
def test_homes_servers_and_workers_are_as_large_as_nebari_had_them(text: str, storage: Any, expected: Any) -> None:
    moving = of_text(text)
    values = moving.values()

    assert values.get("storage") == storage
    assert sizes(values) == expected
    assert ("200Gi" in told(moving, "storage")) == ((storage or {}).get("size") == "200Gi")
    for key, here in (("jupyterlab", expected[0]), ("dask_worker", expected[1])):
        assert ("Nebari's own" in told(moving, "profiles", key)) == (len(here) == 2)


@pytest.mark.parametrize(
    ("text", "monitored"),
    [
        (AWS, True),
        (f"{AWS}monitoring: {{overrides: {{}}}}\n", True),
        (f"{AWS}monitoring: {{enabled: false}}\n", False),
        # Theirs is there, and takes the same port of every node.
        (LOCAL, None),
        (f"{LOCAL}monitoring: {{enabled: true}}\n", None),
        (QHUB, None),
    ],
)
def test_monitoring_is_on_as_in_nebari_but_not_beside_theirs(text: str, monitored: bool | None) -> None:
    moving = of_text(text)

    assert moving.values().get("monitoring", {}).get("enabled") is monitored
    on = any("Prometheus" in note.text for note in moving.notes)
    assert on == (text != QHUB and monitored is not False), "whatever is not as written is told"


def test_node_groups_are_those_of_nebari() -> None:
    moving = of_text(AWS)

    assert {name: pool["instance_type"] for name, pool in moving.values()["cluster"]["node_pools"].items()} == {
        "general": "m5.2xlarge",
        "user": "m5.xlarge",
        "worker": "m5.xlarge",
    }
    assert told(moving, "amazon_web_services").startswith("changed: names no node_groups")


@pytest.mark.parametrize(
    ("text", "provider"),
    [
        ("", "existing"),
        ("nebari_version: 2025.10.1\n", "existing"),
        ("nebari_version: 2025.10.1\nprovider:\ngoogle_cloud_platform: {region: europe-west4}\n", "gcp"),
        ("amazon_web_services: {region: eu-west-1}\n", "aws"),
        ("existing: {kube_context: lab}\n", "existing"),
        # What is named holds over what is there.
        ("provider: azure\namazon_web_services: {region: eu-west-1}\n", "azure"),
    ],
)
def test_without_a_provider_it_is_the_one_whose_section_is_there(text: str, provider: str) -> None:
    assert of_text(f"project_name: lab\n{text}").values()["cluster"]["provider"] == provider


def test_a_file_that_names_no_provider_is_nebaris() -> None:
    assert of_text("project_name: lab\n").values()["storage"]["size"] == "200Gi"
