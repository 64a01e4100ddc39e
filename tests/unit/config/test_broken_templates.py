"""One thing broken by hand in each cloud's template: the error names the key to change, and the line it stands in."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from qhub.cli import main
from qhub.config import Mistake, SettingsError, load_settings_file

ROOT = Path(__file__).parents[3]
CLOUDS = ("aws", "gcp", "do", "azure")


@dataclass(frozen=True, kw_only=True)
class Break:
    """One thing broken by hand.

    Attributes:
        clouds: in whose templates.
        at: the key that is changed, from the section on.
        value: what is written there.
        words: what the error says, each of them.
        line: what stands in the line that the error points at.
        key: the key that the error names; "" for the one that was changed.
        nearest: the word that was probably meant.
    """

    clouds: Sequence[str]
    at: str
    value: Any
    words: Sequence[str]
    line: str
    key: str = ""
    nearest: str | None = None


NETWORK, POOLS = "cluster.network", "cluster.node_pools"
PROFILES, WORKERS = "jupyterhub.profiles", "dask.profiles"

BREAKS = {
    # Ranges that overlap.
    "services-over-network": Break(
        clouds=("aws",),
        at=f"{NETWORK}.services_cidr",
        value="10.0.128.0/20",
        words=("10.0.128.0/20 overlaps 10.0.0.0/16 of cluster.network.cidr",),
        line="services_cidr: 10.0.128.0/20",
    ),
    "pods-over-nodes": Break(
        clouds=("gcp",),
        at=f"{NETWORK}.pods_cidr",
        value="10.0.0.0/14",
        words=("10.0.0.0/14 overlaps 10.0.0.0/20 of cluster.network.cidr",),
        line="pods_cidr: 10.0.0.0/14",
    ),
    "pods-over-network": Break(
        clouds=("do", "azure"),
        at=f"{NETWORK}.pods_cidr",
        value="10.20.0.0/16",
        words=("10.20.0.0/16 overlaps 10.20.0.0/", "of cluster.network.cidr"),
        line="pods_cidr: 10.20.0.0/16",
    ),
    "nodes-outside-network": Break(
        clouds=("azure",),
        at=f"{NETWORK}.nodes_cidr",
        value="10.21.0.0/20",
        words=("10.21.0.0/20 is not inside 10.20.0.0/16", "cluster.network.cidr"),
        line="nodes_cidr: 10.21.0.0/20",
    ),
    # Zones.
    "one-zone": Break(
        clouds=("aws",),
        at=f"{NETWORK}.zones",
        value=["eu-west-1a"],
        words=("at least two zones", "here is 1"),
        line="zones:",
    ),
    "zone-of-another-region": Break(
        clouds=("gcp",),
        at=f"{NETWORK}.zones",
        value=["europe-west4-a", "europe-west4-b", "europe-west3-c"],
        key=f"{NETWORK}.zones[2]",
        words=("europe-west3-c is not a zone of europe-west4",),
        line="europe-west3-c",
        nearest="europe-west4-c",
    ),
    # A pool whose nodes are too small for a profile: what is asked of them is named.
    "profile-too-large": Break(
        clouds=CLOUDS,
        at=f"{PROFILES}[1].cpu",
        value={"limit": 4, "guarantee": 4},
        key=f"{PROFILES}[1].cpu.guarantee",
        words=("4 cores do not fit on a node of pool user, which has 3.",),
        line="guarantee: 4",
    ),
    "worker-too-large": Break(
        clouds=CLOUDS,
        at=f"{WORKERS}[1].memory",
        value="32G",
        words=("32G do not fit on a node of pool worker, which has",),
        line="memory: 32G",
    ),
    # GPUs where there are none.
    "gpu-profile-on-cpu-pool": Break(
        clouds=CLOUDS,
        at=f"{PROFILES}[1].gpu",
        value={"count": 1},
        words=("nodes of pool user have no GPU: choose gpu",),
        line="gpu:",
    ),
    "more-gpus-than-a-node-has": Break(
        clouds=CLOUDS,
        at=f"{PROFILES}[2].gpu.count",
        value=2,
        words=("2 GPUs do not fit on a node of pool gpu: 1",),
        line="gpu: {count: 2}",
    ),
    # Numbers of nodes.
    "min-over-max": Break(
        clouds=CLOUDS,
        at=f"{POOLS}.user.min",
        value=50,
        words=("50 is more than max (",),
        line="user:",
    ),
    "general-gone": Break(
        clouds=CLOUDS,
        at=f"{POOLS}.general.min",
        value=0,
        words=("the hub and the ingress controller run in this pool: at least 1",),
        line="general:",
    ),
    "general-on-spot": Break(
        clouds=("aws", "gcp", "azure"),
        at=f"{POOLS}.general.spot",
        value=True,
        words=("the hub and its database run in this pool",),
        line="general:",
    ),
    # Names.
    "name-too-long": Break(
        clouds=CLOUDS,
        at="cluster.name",
        value="a" * 64,
        words=("at most 63 characters",),
        line="name: aaaa",
    ),
    "name-too-long-for-gke": Break(
        clouds=("gcp",),
        at="cluster.name",
        value="a" * 41,
        words=("at most 40",),
        line="name: aaaa",
    ),
    # A word that is none.
    "key-mistyped": Break(
        clouds=CLOUDS,
        at=f"{POOLS}.user.instance_typ",
        value="x",
        words=("instance_typ",),
        line="user:",
        nearest="instance_type",
    ),
}

#: Cloud -> an instance type with a slip of the pen, the one that was meant, and the catalogue's name.
MISTYPED = {
    "aws": ("m6i.xlrage", "m6i.xlarge", "aws"),
    "gcp": ("e2-standrad-4", "e2-standard-4", "gcp"),
    "do": ("g-4vcpu-16bg", "g-4vcpu-16gb", "digitalocean"),
    "azure": ("Standrad_D4s_v5", "Standard_D4s_v5", "azure"),
}
#: Cloud -> an instance type with too little memory for the second profile, and what that one asks for.
TOO_SMALL = {
    "aws": ("c6i.xlarge", "12G"),
    "gcp": ("e2-highcpu-4", "12G"),
    "do": ("s-4vcpu-8gb", "12G"),
    "azure": ("Standard_F4s_v2", "11G"),
}
#: Cloud -> a region with a slip of the pen, what is said of it, and the one that was meant.
LOST = {
    "aws": ("eu-wset-1", "is not known, and the zones are of eu-west-1", "eu-west-1"),
    "gcp": ("europe-wset4", "is not known, and the zones are of europe-west4", "europe-west4"),
    "do": ("alt1", "is not a region of digitalocean", "atl1"),
    "azure": ("westeruope", "is not a region of azure", "westeurope"),
}
for cloud in CLOUDS:
    written, meant, catalogue = MISTYPED[cloud]
    BREAKS[f"instance-type-of-{cloud}"] = Break(
        clouds=(cloud,),
        at=f"{POOLS}.user.instance_type",
        value=written,
        words=(f"{written} is not in the catalogue of {catalogue}",),
        line=f"user: {{instance_type: {written}",
        nearest=meant,
    )
    BREAKS[f"gpu-on-a-machine-without-of-{cloud}"] = Break(
        clouds=(cloud,),
        at=f"{POOLS}.user.gpu",
        value={"count": 1},
        key=f"{POOLS}.user.gpu.count",
        words=(f"{meant} has no GPU",),
        line="user:",
    )
    written, asked = TOO_SMALL[cloud]
    BREAKS[f"pool-too-small-of-{cloud}"] = Break(
        clouds=(cloud,),
        at=f"{POOLS}.user.instance_type",
        value=written,
        key=f"{PROFILES}[1].memory.guarantee",
        words=(f"{asked} do not fit on a node of pool user, which has",),
        line=f"guarantee: {asked}",
    )
    written, said, meant = LOST[cloud]
    BREAKS[f"region-of-{cloud}"] = Break(
        clouds=(cloud,),
        at="cluster.region",
        value=written,
        words=(f"{written} {said}",),
        line=f"region: {written}",
        nearest=meant,
    )
CASES = [(cloud, name) for name, broken in BREAKS.items() for cloud in broken.clouds]


def broken_copy(cloud: str, broken: Break, folder: Path) -> Path:
    """Write the template with one thing changed, comments and order kept, beside a project file."""
    shutil.copy(ROOT / "Pulumi.yaml", folder / "Pulumi.yaml")
    yaml = YAML()
    yaml.width = 200
    document = yaml.load(ROOT / "tests" / "assets" / f"config_{cloud}.yaml")
    *parents, last = broken.at.replace("]", "").replace("[", ".").split(".")
    inside = document["config"]
    for place, part in enumerate(parents):
        inside = inside[f"qhub:{part}" if place == 0 else int(part) if part.isdigit() else part]
    inside[last] = broken.value
    file = folder / "Pulumi.prod.yaml"
    yaml.dump(document, file)
    return file


def mistakes_in(file: Path) -> tuple[Mistake, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings_file(file)
    return caught.value.mistakes


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_template_itself_is_right(cloud: str) -> None:
    load_settings_file(ROOT / "tests" / "assets" / f"config_{cloud}.yaml")


@pytest.mark.parametrize(("cloud", "name"), CASES)
def test_one_thing_broken_names_its_key_and_line(cloud: str, name: str, tmp_path: Path) -> None:
    broken = BREAKS[name]
    file = broken_copy(cloud, broken, tmp_path)
    found = mistakes_in(file)

    assert [mistake.key for mistake in found] == [broken.key or broken.at], [str(mistake) for mistake in found]
    (mistake,) = found
    for word in broken.words:
        assert word in str(mistake)
    assert mistake.nearest == broken.nearest
    assert mistake.file == file.name
    assert mistake.line is not None
    assert broken.line in file.read_text(encoding="utf-8").splitlines()[mistake.line - 1]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_validate_tells_it_without_a_traceback(cloud: str, tmp_path: Path) -> None:
    file = broken_copy(cloud, BREAKS["min-over-max"], tmp_path)
    (mistake,) = mistakes_in(file)
    done = CliRunner().invoke(main, ["validate", str(file)])

    assert done.exit_code == 1
    assert f"Pulumi.prod.yaml:{mistake.line}:" in done.output
    assert "cluster.node_pools.user.min: 50 is more than max" in done.output
    assert "Traceback" not in done.output
