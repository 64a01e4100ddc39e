"""The hub's configuration: from the values to where users' servers run and what they see."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.charts.hub_program import ENVIRONMENT, LEAST, Model, with_least
from tests.unit.charts.rendering import every_key, render


class TestAddresses:
    def test_are_those_of_the_charts_own_services(self, configure_hub: Any) -> None:
        c = configure_hub(LEAST)

        assert c.JupyterHub.hub_bind_url == "http://:8081"
        assert c.JupyterHub.hub_connect_url == "http://hub:8081"
        assert c.ConfigurableHTTPProxy.api_url == "http://proxy-api:8001"

    def test_leave_proxy_and_servers_running_when_the_hub_stops(self, configure_hub: Any) -> None:
        c = configure_hub(LEAST)

        assert c.ConfigurableHTTPProxy.should_start is False
        assert c.JupyterHub.cleanup_servers is False


class TestDatabase:
    def test_is_a_file_in_the_folder_that_the_claim_is_mounted_at(self, configure_hub: Any) -> None:
        pod = render("jupyterhub", LEAST)["Deployment", "hub"]["spec"]["template"]["spec"]
        (mount,) = [mount for mount in pod["containers"][0]["volumeMounts"] if mount["name"] == "pvc"]

        assert configure_hub(LEAST).JupyterHub.db_url == "sqlite:///jupyterhub.sqlite"
        assert mount["mountPath"] == "/srv/jupyterhub"

    def test_password_goes_by_the_environment_only(self, configure_hub: Any) -> None:
        environment = dict(ENVIRONMENT)
        c = configure_hub(every_key("jupyterhub"), environment)

        assert c.JupyterHub.db_url == "postgresql+psycopg2://hub@db:5432/hub"
        assert environment["PGPASSWORD"] == "secret-of-the-database"
        assert "secret-of-the-database" not in repr(c)

    @pytest.mark.parametrize(
        ("kind", "upgrade", "upgrades"),
        [("sqlite-pvc", None, True), ("postgres", None, False), ("postgres", True, True), ("sqlite-pvc", False, False)],
    )
    def test_is_upgraded_unless_someone_else_may_use_it(self, kind: str, upgrade: bool | None, upgrades: bool) -> None:
        values = with_least("hub.db", {"type": kind, "upgrade": upgrade})
        pod = render("jupyterhub", values)["Deployment", "hub"]["spec"]["template"]["spec"]

        assert ("--upgrade-db" in pod["containers"][0]["args"]) is upgrades


class TestHome:
    def test_static_is_the_claim_with_a_folder_for_each_user(self, configure_hub: Any) -> None:
        storage = {"type": "static", "static": {"pvcName": "home", "subPath": "home/{username}"}}
        spawner = configure_hub(with_least("singleuser.storage", storage)).KubeSpawner

        assert spawner.volumes == {"home": {"name": "home", "persistentVolumeClaim": {"claimName": "home"}}}
        assert spawner.volume_mounts == {
            "home": {"name": "home", "mountPath": "/home/jovyan", "subPath": "home/{username}"}
        }
        assert "storage_pvc_ensure" not in spawner

    def test_dynamic_is_a_claim_that_kubespawner_makes(self, configure_hub: Any) -> None:
        spawner = configure_hub(every_key("jupyterhub")).KubeSpawner

        assert spawner.storage_pvc_ensure is True
        assert spawner.storage_class == "fast"
        assert spawner.storage_capacity == "5Gi"
        assert spawner.storage_access_modes == ["ReadWriteMany"]
        assert spawner.pvc_name_template == "claim-{user_server}"
        assert spawner.volumes["volume-{user_server}"]["persistentVolumeClaim"] == {"claimName": "{pvc_name}"}

    def test_none_mounts_nothing(self, configure_hub: Any) -> None:
        spawner = configure_hub(with_least("singleuser.storage", {"type": "none"})).KubeSpawner

        assert (spawner.volumes, spawner.volume_mounts) == ({}, {})


class TestExtraVolumesAndFiles:
    def test_a_list_may_mount_one_volume_twice(self, configure_hub: Any) -> None:
        mounts = configure_hub(every_key("jupyterhub")).KubeSpawner.volume_mounts

        assert {mount["mountPath"] for mount in mounts.values() if mount["name"] == "shm"} == {"/dev/shm", "/shm"}  # noqa: S108

    def test_maps_merge_under_their_own_keys(self, configure_hub: Any) -> None:
        storage = {
            "type": "none",
            "extraVolumes": {"shm": {"name": "shm", "emptyDir": {}}},
            "extraVolumeMounts": {"shm": {"name": "shm", "mountPath": "/dev/shm"}},  # noqa: S108
        }
        spawner = configure_hub(with_least("singleuser.storage", storage)).KubeSpawner

        assert spawner.volumes == storage["extraVolumes"]
        assert spawner.volume_mounts == storage["extraVolumeMounts"]

    def test_every_extra_file_is_mounted_from_the_secret_that_holds_it(self, configure_hub: Any) -> None:
        values = every_key("jupyterhub")
        held = render("jupyterhub", values)["Secret", "singleuser"]["data"]
        spawner = configure_hub(values).KubeSpawner
        secret = spawner.volumes["files"]["secret"]

        assert secret["secretName"] == "singleuser"
        assert {item["key"] for item in secret["items"]} == set(held) == {"server.json", "motd", "logo"}
        assert {"key": "motd", "path": "motd", "mode": 420} in secret["items"]
        assert {
            (mount["subPath"], mount["mountPath"])
            for mount in spawner.volume_mounts.values()
            if mount["name"] == "files"
        } == {(name, file["mountPath"]) for name, file in values["singleuser"]["extraFiles"].items()}


class TestPlacement:
    def test_extra_tolerations_come_after_the_charts_own(self, configure_hub: Any) -> None:
        values = with_least("singleuser.extraTolerations", [{"key": "user", "operator": "Exists"}])
        keys = [item["key"] for item in configure_hub(values).KubeSpawner.tolerations]

        assert keys == ["hub.jupyter.org/dedicated", "hub.jupyter.org_dedicated", "user"]

    @pytest.mark.parametrize(
        ("purpose", "preferred", "required"), [("ignore", 0, 0), ("prefer", 1, 0), ("require", 0, 1)]
    )
    def test_node_purpose_is_added_to_terms_of_the_values(
        self, configure_hub: Any, purpose: str, preferred: int, required: int
    ) -> None:
        values = with_least("scheduling.userPods", {"nodeAffinity": {"matchNodePurpose": purpose}})
        spawner = configure_hub(values).KubeSpawner

        assert len(spawner.node_affinity_preferred) == preferred
        assert len(spawner.node_affinity_required) == required

    def test_priority_is_the_class_that_the_chart_makes(self, configure_hub: Any) -> None:
        values = with_least("scheduling.podPriority", {"enabled": True})
        name = configure_hub(values).KubeSpawner.priority_class_name

        assert ("PriorityClass", name) in render("jupyterhub", values)


class TestMetadataService:
    def test_is_blocked_after_the_init_containers_of_the_values(self, configure_hub: Any) -> None:
        first, block = configure_hub(every_key("jupyterhub")).KubeSpawner.init_containers

        assert first["name"] == "first"
        assert block.name == "block-cloud-metadata"
        assert block.image == "registry.example.org/network-tools:1"
        assert block.command[0] == "iptables"
        assert "169.254.169.253" in block.command
        assert block.security_context.privileged is True

    def test_block_is_an_object_of_the_client_as_in_the_real_chart(self, configure_hub: Any) -> None:
        """Code of ours that takes it for a dict would fail with the real chart too."""
        *_, block = configure_hub(every_key("jupyterhub")).KubeSpawner.init_containers

        assert isinstance(block, Model)
        with pytest.raises(TypeError):
            block["name"]
