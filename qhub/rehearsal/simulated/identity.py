"""Which simulated cluster is which: where its folder is in the world, and what the cloud calls it."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qhub.rehearsal.cluster.controllers.pools import plain
from qhub.rehearsal.cluster.errors import ClusterError
from qhub.rehearsal.cluster.layout import write_private

if TYPE_CHECKING:
    from qhub.rehearsal.simulated.kubernetes import SimulatedKubernetes

#: Folder of the world that holds one folder for each cluster.
CLUSTERS = "kubernetes"
_FILE = "simulated.json"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What a simulated cluster was made as.

    Attributes:
        name: its name in the cloud.
        version: Kubernetes version that was asked for.
        cloud: aws, gcp, digitalocean, azure; empty for none of them.
        region: region (GCP: location).
        id: id in the cloud, where that is not the name (DigitalOcean).
        speed: simulated seconds per real second.
        idle_seconds: simulated seconds after which the autoscaler takes an empty node away.
    """

    name: str
    version: str
    cloud: str = ""
    region: str = ""
    id: str = ""
    speed: float = 1.0
    idle_seconds: float = 600.0

    def __str__(self) -> str:
        where = f" in {self.region}" if self.region else ""
        return f"{self.name}{where}" + (f" ({self.id})" if self.id else "")


def kubernetes_of(
    world: Path, *, cloud: str, name: str, region: str = "", cancelled: threading.Event | None = None
) -> SimulatedKubernetes:
    """Return the simulated cluster of that name, there or not; its folder is in the world's, its speed the world's.

    Args:
        world: folder of the simulated clouds (`QHUB_REHEARSAL_WORLD`).
        cloud: aws, gcp, digitalocean, azure.
        name: the cluster's name in the cloud.
        region: its region, where two of one name may be in two regions.
        cancelled: ends every wait when set.

    Raises:
        PluginError: `QHUB_REHEARSAL_SPEED` is no positive number.
    """
    from qhub.rehearsal.clouds.clock import Clock, speed_of
    from qhub.rehearsal.simulated.kubernetes import SimulatedKubernetes

    digest = hashlib.sha256(f"{cloud}/{region}/{name}".encode()).hexdigest()[:8]
    world.mkdir(parents=True, exist_ok=True, mode=0o700)
    speed = Clock(world, speed=speed_of()).speed
    return SimulatedKubernetes(world / CLUSTERS / f"{plain(name)[:24]}-{digest}", speed=speed, cancelled=cancelled)


def all_kubernetes(world: Path) -> list[tuple[Identity, Path]]:
    """Return every simulated cluster of the world: what it was made as, and its folder."""
    found = []
    for file in sorted((world / CLUSTERS).glob(f"*/{_FILE}")):
        identity = load_identity(file.parent)
        # A folder of another name is on its way out: it is moved there just before it is removed.
        if identity is not None and not file.parent.name.startswith("deleted-"):
            found.append((identity, file.parent))
    return found


def load_identity(folder: Path) -> Identity | None:
    """Return what the cluster in a folder was made as; None where there is none.

    Raises:
        ClusterError: the file is damaged or from another version.
    """
    try:
        return Identity(**json.loads((folder / _FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise ClusterError(
            f"{folder / _FILE} was written by another version of qhub or was damaged: delete the rehearsal's folder"
        ) from error


def save_identity(folder: Path, identity: Identity) -> None:
    """Write down what the cluster in a folder is; made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(folder / _FILE, json.dumps(asdict(identity), indent=2, sort_keys=True) + "\n")
