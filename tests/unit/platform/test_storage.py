"""Where the files lie."""

from __future__ import annotations

import re

import pytest

from qhub.clouds.cluster import SharedFileSystem
from qhub.config.storage import ManagedStorage
from qhub.platform.nfs_server import GANESHA_CONF, GRACE_PERIOD, LEASE_LIFETIME
from qhub.platform.storage import StorageError, managed_export

CLOUDS = SharedFileSystem(server="files.cloud.example.org", path="/x", mount_options=("nfsvers=4.1", "noresvport"))


class TestManaged:
    def test_the_settings_come_first(self) -> None:
        stated = ManagedStorage(kind="managed", server="mine.example.org", path="/homes")
        export = managed_export(stated, CLOUDS)

        assert (export.server, export.path) == ("mine.example.org", "/homes")
        assert export.mount_options == ("nfsvers=4.1", "noatime")

    def test_the_clouds_file_system_is_mounted_as_its_vendor_says(self) -> None:
        export = managed_export(ManagedStorage(kind="managed"), CLOUDS)

        assert (export.server, export.path) == ("files.cloud.example.org", "/x")
        assert export.mount_options == ("nfsvers=4.1", "noresvport")

    def test_unless_the_settings_say_otherwise(self) -> None:
        stated = ManagedStorage(kind="managed", mount_options=("nfsvers=4.2",))

        assert managed_export(stated, CLOUDS).mount_options == ("nfsvers=4.2",)

    def test_nothing_to_mount_is_a_clear_error(self) -> None:
        with pytest.raises(StorageError, match=r"storage\.server is not set.*Set storage\.server.*or storage\.kind"):
            managed_export(ManagedStorage(kind="managed"), None)


class TestOurNfsServer:
    def option(self, name: str) -> str:
        found = re.findall(rf"^\s*{name} = (.*);$", GANESHA_CONF, flags=re.MULTILINE)
        assert len(set(found)) == 1, f"{name}: {found}"
        return found[0]

    def test_root_stays_root_so_that_homes_can_be_given_to_their_owners(self) -> None:
        assert self.option("Squash") == "No_Root_Squash"

    def test_only_version_4_which_needs_one_port(self) -> None:
        assert self.option("Protocols") == "4"
        assert self.option("Pseudo") == "/"

    def test_clients_are_remembered_on_the_disk_over_a_restart(self) -> None:
        assert self.option("RecoveryRoot").startswith(f"{self.option('Path')}/")

    def test_a_client_can_claim_its_locks_before_the_grace_period_ends(self) -> None:
        assert LEASE_LIFETIME < GRACE_PERIOD

    def test_its_braces_match(self) -> None:
        assert GANESHA_CONF.count("{") == GANESHA_CONF.count("}") == 4
