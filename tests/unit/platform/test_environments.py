"""Environments: what installs them, with the real pip, and what notebooks and Dask clusters see of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import pytest

from qhub.automation.rehearse.dask_pods import gateway_settings
from qhub.clouds.node_pools import node_pools
from qhub.platform.environment_builder import build
from qhub.platform.environments import job_name, job_spec
from qhub.platform.environments_values import version
from tests.unit.platform.building import dask_values, hub_values, make_settings

GEO = {"packages": ["geo==1.0"]}


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip takes everything from, with two versions of `geo` and an `ipykernel`."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, number in (("geo", "1.0"), ("geo", "2.0"), ("ipykernel", "9.0")):
        make_wheel(folder, name, number)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def make_wheel(folder: Path, name: str, number: str) -> Path:
    """Write the smallest package there is: a module that knows its version."""
    info = f"{name}-{number}.dist-info"
    file = folder / f"{name}-{number}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr(f"{name}.py", f"version = {number!r}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return file


def wanted(tmp_path: Path, number: str, **changes: Any) -> dict[str, Any]:
    folder = tmp_path / "environments"
    folder.mkdir(exist_ok=True)
    packages = ["ipykernel==9.0", f"geo=={number}"]
    return {
        "folder": str(folder), "name": "geo", "version": number.replace(".", "0").ljust(10, "0"), "packages": packages,
        "on_top_of_image": False, "keep": 1, **changes,
    }  # fmt: skip


def said_by(place: Path, code: str) -> str:
    done = subprocess.run([place / "bin" / "python", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


class TestBuilding:
    def test_a_version_is_made_once_and_left_alone(self, tmp_path: Path, wheels: Path) -> None:
        first = build.build(wanted(tmp_path, "1.0"))
        assert said_by(first, "import geo; print(geo.version)") == "1.0"
        made = (first / "bin" / "python").lstat().st_mtime_ns

        for wheel in wheels.iterdir():
            wheel.unlink()  # an index that is gone harms nobody
        again = build.build(wanted(tmp_path, "1.0"))

        assert (again, (again / "bin" / "python").lstat().st_mtime_ns) == (first, made)

    def test_what_was_interrupted_is_made_anew(self, tmp_path: Path, wheels: Path) -> None:
        half = tmp_path / "environments" / "geo-1000000000"
        half.mkdir(parents=True)
        (half / "bin").write_text("not a folder")

        assert said_by(build.build(wanted(tmp_path, "1.0", version="1000000000")), "import geo") == ""

    def test_on_top_of_the_image_its_packages_are_there(self, tmp_path: Path, wheels: Path) -> None:
        (wheels / "ipykernel-9.0-py3-none-any.whl").unlink()
        image = tmp_path / "image"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", image], check=True)
        [packages] = image.glob("lib/python3*/site-packages")
        (packages / "pip-of-the-tests.pth").write_text(sysconfig.get_path("purelib"))
        for module in ("ipykernel", "geo"):
            (packages / f"{module}.py").write_text("version = 'of the image'\n")
        asked = wanted(tmp_path, "2.0", packages=["geo==2.0"], on_top_of_image=True)

        done = subprocess.run(
            [image / "bin" / "python", build.__file__],
            env={**os.environ, "QHUB_ENVIRONMENT": json.dumps(asked)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

        assert done.returncode == 0, done.stdout + done.stderr
        place = tmp_path / "environments" / "geo-2000000000"
        told = said_by(place, "import geo, ipykernel; print(geo.version, ipykernel.version)")
        assert told == "2.0 of the image"

    def test_what_cannot_be_a_kernel_is_refused_and_never_complete(self, tmp_path: Path, wheels: Path) -> None:
        asked = wanted(tmp_path, "1.0", packages=["geo==1.0"])

        for _ in range(2):
            with pytest.raises(build.BuildError, match="ipykernel is missing"):
                build.build(asked)

    def test_old_versions_go_and_the_latest_wanted_stays(self, tmp_path: Path, wheels: Path) -> None:
        one, two = wanted(tmp_path, "1.0"), wanted(tmp_path, "2.0")
        for number, asked in enumerate((one, two, one)):
            complete = build.build(asked) / build.COMPLETE
            os.utime(complete, (number, number))  # instead of waiting for the clock
        other = tmp_path / "environments" / "geo-more-1000000000"
        other.mkdir()

        assert build.remove_old(one) == ["geo-2000000000"]
        assert sorted(path.name for path in (tmp_path / "environments").iterdir()) == ["geo-1000000000", other.name]


class TestWhatPeopleSee:
    def test_a_kernel_of_the_very_version_and_the_folder_for_reading_alone(self) -> None:
        settings = make_settings(environments={"named": {"geo": GEO}})
        singleuser = hub_values(settings)["singleuser"]
        place = f"/environments/geo-{version(settings, 'geo')}"

        kernel = singleuser["extraFiles"]["qhub-kernel-geo"]
        assert kernel["mountPath"] == "/usr/local/share/jupyter/kernels/qhub-geo/kernel.json"
        assert kernel["data"]["argv"][0] == f"{place}/bin/python"
        assert singleuser["storage"]["extraVolumeMounts"]["environments"]["readOnly"] is True
        assert singleuser["storage"]["extraVolumeMounts"]["environments"]["mountPath"] == "/environments"

    @pytest.mark.parametrize(
        "other",
        [
            {"environments": {"named": {"geo": {"packages": ["geo==2.0"]}}}},
            {"environments": {"named": {"geo": {**GEO, "on_top_of_image": False}}}},
            {"environments": {"named": {"geo": GEO}}, "jupyterhub": {"image": {"name": "team/image", "tag": "1"}}},
        ],
    )
    def test_what_makes_another_environment_makes_another_version(self, other: dict[str, Any]) -> None:
        settings, changed = make_settings(environments={"named": {"geo": GEO}}), make_settings(**other)

        assert job_name(settings, "geo") != job_name(changed, "geo")

    def test_what_does_not_leaves_it(self) -> None:
        settings = make_settings(environments={"named": {"geo": GEO}})
        more = make_settings(environments={"named": {"geo": GEO, "maps": GEO}, "keep": 9, "index_url": "https://a.b/c"})

        assert job_name(settings, "geo") == job_name(more, "geo")

    def test_dasks_pods_have_the_same_folder_and_may_not_write(self) -> None:
        values = dask_values(make_settings(environments={"named": {"geo": GEO}}, dask={"profiles": [{"name": "one"}]}))
        backend = values["gateway"]["backend"]
        [profile] = gateway_settings(values)["profiles"]
        pods = [
            (backend["scheduler"]["extraPodConfig"], backend["scheduler"]["extraContainerConfig"]),
            (profile["config"]["worker_extra_pod_config"], profile["config"]["worker_extra_container_config"]),
        ]

        for pod, container in pods:
            [volume], [mounted] = pod["volumes"], container["volumeMounts"]
            assert volume["persistentVolumeClaim"]["claimName"] == "home"
            assert (mounted["name"], mounted["mountPath"], mounted["readOnly"]) == (
                volume["name"],
                "/environments",
                True,
            )

    def test_without_any_nothing_is_there(self) -> None:
        settings = make_settings()

        assert "packages" not in gateway_settings(dask_values(settings))
        assert list(hub_values(settings)["singleuser"]["extraFiles"]) == ["qhub-server-config", "qhub-busy-kernels"]
        assert "/environments" not in json.dumps(hub_values(settings)["singleuser"])

    def test_the_job_may_write_no_more_than_the_environments(self) -> None:
        settings = make_settings(environments={"named": {"geo": GEO}, "index_url": "https://pypi.team.org/simple"})
        pool = node_pools(settings.cluster.pools)["user"]
        spec: Any = job_spec(settings, "geo", claim_name="home", pool=pool)
        [container] = spec["template"]["spec"]["containers"]

        assert [mount.get("sub_path") for mount in container["volume_mounts"] if not mount.get("read_only")] == [
            "environments"
        ]
        assert container["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
        assert {"name": "PIP_INDEX_URL", "value": "https://pypi.team.org/simple"} in container["env"]
