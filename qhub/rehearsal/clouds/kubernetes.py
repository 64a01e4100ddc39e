"""What a cloud's managed Kubernetes does in the rehearsal's real one: for `during_create` and the other hooks.

| hook of                  | calls                                                                                    |
|--------------------------|------------------------------------------------------------------------------------------|
| cluster, `during_create` | `start(subject, cloud="aws", name=..., version=..., region=...)`, then `endpoint`        |
| cluster, `after_delete`  | `stop(subject)`                                                                          |
| pool, `during_create`    | `set_pool(subject, cluster, cloud="aws", name=..., instance_type=..., min=..., max=...)` |
| pool, `after_update`     | the same                                                                                 |
| pool, `after_delete`     | `remove_pool(subject, cluster, name)`                                                    |

Nodes take their own simulated time to come (`qhub.rehearsal.simulated.catalogue`), so a pool is set while the cloud
makes it, not after. `cluster` is the cluster's record in the world.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from qhub.rehearsal.clouds.clock import Clock
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import Record

if TYPE_CHECKING:
    from qhub.rehearsal.simulated import SimulatedKubernetes

#: Key of `notes` under which a cluster's record says which simulated Kubernetes is its.
_NOTE = "kubernetes"


def start(subject: Subject, *, cloud: str, name: str, version: str, region: str = "", id: str = "") -> None:
    """Start the control plane of a cluster, without nodes.

    Args:
        subject: the cluster's resource.
        cloud: aws, gcp, digitalocean, azure.
        name: the cluster's name in the cloud.
        version: Kubernetes version.
        region: its region, or location.
        id: its id in the cloud where the credentials command wants that and not the name (DigitalOcean).

    Raises:
        Refused: it could not be started.
    """
    note = {"cloud": cloud, "name": name, "region": region}
    subject.notes[_NOTE] = note
    subject.save()  # so that a kill from here on leaves a trace of what has to be stopped
    with _told(subject):
        made = _kubernetes(subject, note).create(name=name, version=version, cloud=cloud, region=region, id=id)
    subject.notes[_NOTE] = {**note, "server": made.server, "certificate": made.ca_data}


def endpoint(subject: Subject) -> tuple[str, str]:
    """Return URL and certificate authority (PEM, base64) of the API server; for a cluster's `outputs`."""
    note = subject.notes[_NOTE]
    return note["server"], note["certificate"]


def stop(subject: Subject) -> None:
    """Stop the control plane and its nodes. One that was never started is fine.

    Raises:
        Refused: it could not be stopped.
    """
    if note := subject.notes.get(_NOTE):
        with _told(subject):
            _kubernetes(subject, note).delete()


def set_pool(
    subject: Subject,
    cluster: Record,
    *,
    cloud: str,
    name: str,
    instance_type: str,
    desired: int | None = None,
    **pool: Any,
) -> None:
    """Make a pool of nodes, or change it; returns once its nodes are ready.

    Args:
        subject: the pool's resource.
        cluster: record of its cluster.
        cloud, name, instance_type, pool: see `qhub.rehearsal.simulated.pool_spec`.
        desired: see `qhub.rehearsal.simulated.SimulatedKubernetes.set_pool`.

    Raises:
        Refused: no such instance type, the cluster does not run, or the nodes did not come.
    """
    from qhub.rehearsal.simulated import pool_spec

    with _told(subject):
        spec = pool_spec(cloud, name, instance_type=instance_type, **pool)
        _kubernetes(subject, _note_of(subject, cluster)).set_pool(spec, desired=desired)


def remove_pool(subject: Subject, cluster: Record | None, name: str) -> None:
    """Drain and remove a pool's nodes. With its cluster gone there is nothing to do.

    Raises:
        Refused: the nodes did not go.
    """
    if cluster is not None and _NOTE in cluster.notes:
        with _told(subject):
            _kubernetes(subject, cluster.notes[_NOTE]).remove_pool(name)


def _kubernetes(subject: Subject, note: dict[str, Any]) -> SimulatedKubernetes:
    from qhub.rehearsal.simulated import SimulatedKubernetes, kubernetes_of

    world = subject.world.folder
    named = kubernetes_of(world, cloud=note["cloud"], name=note["name"], region=note["region"])
    return SimulatedKubernetes(named.folder, speed=Clock(world).speed, cancelled=subject.cancelled)


def _note_of(subject: Subject, cluster: Record) -> dict[str, Any]:
    if _NOTE not in cluster.notes:
        raise subject.refuse("", f'cluster "{cluster.name}" has no control plane yet')
    return cluster.notes[_NOTE]


@contextmanager
def _told(subject: Subject) -> Generator[None]:
    """Tell what the simulated Kubernetes could not do as a refusal of the cloud."""
    from qhub.rehearsal.cluster import ClusterError
    from qhub.rehearsal.toolchain.errors import ToolchainError

    try:
        yield
    except (ClusterError, ToolchainError, ValueError) as error:
        raise subject.refuse("", f"the simulated Kubernetes: {error}") from error
