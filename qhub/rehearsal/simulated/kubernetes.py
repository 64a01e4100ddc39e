"""`SimulatedKubernetes`: what a cloud's stand-in calls for its cluster resource and its node pools."""

from __future__ import annotations

import base64
import http
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qhub.rehearsal.cluster import ClusterError, EmbeddedCluster
from qhub.rehearsal.cluster import control_plane as plane
from qhub.rehearsal.cluster.api import UNREACHABLE, Api, ApiError
from qhub.rehearsal.cluster.controllers.pools import (
    CONFIG_MAPS,
    DEFINITION_LABEL,
    DESIRED,
    MARKS,
    POOL,
    TEMPLATE,
    UNWANTED,
    PoolSpec,
    annotation,
    config_map,
    config_map_name,
    desired_of,
    plain,
    pools_of,
)
from qhub.rehearsal.cluster.controllers.scaling_log import Scaling, read_scalings, scaling_log
from qhub.rehearsal.cluster.manifests import STORAGE_CLASS
from qhub.rehearsal.cluster.nodes import MAX_NODES, NODES, is_ready
from qhub.rehearsal.cluster.pki import Pki
from qhub.rehearsal.cluster.processes import find
from qhub.rehearsal.cluster.state import load_state
from qhub.rehearsal.simulated.identity import Identity, load_identity, save_identity
from qhub.rehearsal.simulated.node_report import NodeReport, node_report
from qhub.rehearsal.simulated.provider import PooledNodes

#: Real seconds to wait for nodes over their own time: a machine that is busy with builds is slow, not broken.
PATIENCE = 90.0
#: Real seconds between two looks at the nodes.
LOOK = 0.1


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """How a cluster is reached.

    Attributes:
        server: URL of the API server, on 127.0.0.1.
        ca_data: certificate of its authority: PEM, base64.
        version: what the API server says it is ("v1.34.4"), whatever version was asked for.
    """

    server: str
    ca_data: str
    version: str


class SimulatedKubernetes:
    """The Kubernetes of one simulated cluster. Making the object does nothing.

    Attributes:
        folder: everything of it lies here.
    """

    def __init__(self, folder: Path, *, speed: float | None = None, cancelled: threading.Event | None = None) -> None:
        """Name a cluster by its folder; `kubernetes_of` chooses one in the world of a rehearsal.

        Args:
            folder: its folder; made by `create`. Credentials commands find it below `WORLD/kubernetes/` only.
            speed: simulated seconds per real second; None: as `QHUB_REHEARSAL_SPEED` says.
            cancelled: ends every wait when set.

        Raises:
            PluginError: `QHUB_REHEARSAL_SPEED` is no positive number.
        """
        from qhub.rehearsal.clouds.clock import speed_of

        self.folder = Path(folder).absolute()
        self._speed = speed_of() if speed is None else speed
        self._cancelled = cancelled or threading.Event()

    def __repr__(self) -> str:
        return f"SimulatedKubernetes({str(self.folder)!r})"

    @property
    def identity(self) -> Identity | None:
        """What the cluster was made as; None where there is none."""
        return load_identity(self.folder)

    def create(
        self, *, name: str, version: str, cloud: str = "", region: str = "", id: str = "", idle_seconds: float = 600.0
    ) -> Endpoint:
        """Start the control plane, without nodes; what runs already is left alone, what was killed comes back.

        Args:
            name: the cluster's name in the cloud, any text.
            version: Kubernetes version that was asked for; written down, the control plane has one version.
            cloud: aws, gcp, digitalocean, azure: whose storage classes it gets; empty: the embedded cluster's own.
            region: region (GCP: location), for the credentials commands.
            id: id in the cloud, for the credentials commands.
            idle_seconds: simulated seconds until the autoscaler takes an empty node away (cluster-autoscaler's
                default, `--scale-down-unneeded-time`, is 10 minutes).

        Returns:
            how to reach it.

        Raises:
            ClusterError: it could not be started.
            ToolchainError: a tool is missing.
        """
        identity = Identity(
            name=name, version=version, cloud=cloud, region=region, id=id, speed=self._speed, idle_seconds=idle_seconds
        )
        save_identity(self.folder, identity)
        status = self._cluster(cloud).start()
        api = self._api()
        if not any(path.endswith(f"/{STORAGE_CLASS}") for path in PooledNodes(cloud=cloud).manifests) and cloud:
            # The embedded cluster brings a class that this cloud does not have: a program must not find it here.
            api.delete(f"/apis/storage.k8s.io/v1/storageclasses/{STORAGE_CLASS}")
        return self._endpoint(status.version)

    def endpoint(self) -> Endpoint:
        """Return how to reach the running cluster.

        Raises:
            ClusterError: it does not run.
        """
        return self._endpoint(self._ask(lambda api: api.get("/version")["gitVersion"]))

    def delete(self) -> None:
        """Stop every process and remove the folder. A cluster that is not there is fine."""
        self._cluster().delete()

    def set_pool(self, pool: PoolSpec, *, desired: int | None = None) -> None:
        """Make a pool, or change it; return once its nodes are Ready and none is left of what the pool was before.

        Nodes whose machine, labels or taints changed are replaced one by one; their pods are deleted, so that their
        controllers make others. `min`, `max`, zones and prices change without that, and where the cloud does so
        (`NodeSpec.in_place`) labels and taints.

        Args:
            pool: the pool.
            desired: of a pool with a `group`, the number of nodes to have from now on; None: as many as it has. An
                autoscaler in the cluster changes it.

        Raises:
            ClusterError: the cluster does not run, or the nodes did not come.
            Interrupted: the run was cancelled meanwhile.
        """
        least = pool.min if desired is None else desired
        wanted = sum(other.min for name, other in self.pools().items() if name != pool.name) + least
        if wanted > MAX_NODES:
            raise ClusterError(
                f"pool {pool.name}: its {least} nodes make {wanted} at least, and a simulated cluster holds"
                f" {MAX_NODES} at most"
            )
        path = f"{CONFIG_MAPS}/{config_map_name(pool.name)}"
        self._ask(lambda api: api.apply(path, config_map(pool)))
        if desired is not None:
            self._ask(lambda api: api.merge(path, {"metadata": {"annotations": {DESIRED: str(desired)}}}))
        boot = pool.seconds / self._speed
        most = min(pool.max, MAX_NODES)
        self._wait(
            f"pool {pool.name}: {least} nodes", lambda: self._is_there(pool), seconds=(1 + most) * boot, first=boot
        )

    def remove_pool(self, name: str) -> None:
        """Drain the nodes of a pool and take them away; return when they are gone. No such pool is fine.

        Raises:
            ClusterError: the cluster does not run, or the nodes did not go.
            Interrupted: the run was cancelled meanwhile.
        """
        path = f"{CONFIG_MAPS}/{config_map_name(name)}"

        def is_gone(api: Api) -> bool:
            try:
                api.merge(path, {"metadata": {"labels": {DEFINITION_LABEL: UNWANTED}}})
            except ApiError as error:
                if error.status != http.HTTPStatus.NOT_FOUND:
                    raise
                return True
            return False

        # Not deleted here: the controller might just be adding a node, and does not once it has read this.
        self._wait(f"pool {name}: the end of its nodes", lambda: self._ask(is_gone), seconds=0)

    def pools(self) -> Mapping[str, PoolSpec]:
        """Return the pools by name."""
        return pools_of(self._ask(lambda api: api.items(CONFIG_MAPS)))

    def nodes(self) -> list[NodeReport]:
        """Return the nodes, sorted by pool and name."""
        found = [node_report(node) for node in self._ask(lambda api: api.items(NODES)) if annotation(node, POOL)]
        return sorted(found, key=lambda node: (node.pool, node.name))

    def scalings(self) -> list[Scaling]:
        """Return what was done to the pools' nodes, and why, in its order: by the autoscaler and by `set_pool`."""
        return read_scalings(scaling_log(self.folder))

    # -- inside --------------------------------------------------------------------------------------------------------

    def _cluster(self, cloud: str = "") -> EmbeddedCluster:
        return EmbeddedCluster(plain(self.folder.name), self.folder, nodes=[PooledNodes(cloud=cloud)])

    def _api(self) -> Api:
        port = load_state(self.folder / "state.json").ports.get(plane.API_SERVER)
        if port is None:
            raise ClusterError(f"there is no simulated cluster in {self.folder}: create it first")
        return Api(port, pki=Pki(self.folder / "pki"), identity="admin")

    def _ask(self, question: Callable[[Api], Any]) -> Any:
        """Ask the API server; tell its errors in words."""
        try:
            return question(self._api())
        except ApiError as error:
            raise ClusterError(f"simulated cluster {self._name}: {error}") from error
        except UNREACHABLE as error:
            raise ClusterError(f"simulated cluster {self._name} does not run; its logs: {self.folder}/logs") from error

    @property
    def _name(self) -> str:
        identity = self.identity
        return identity.name if identity else self.folder.name

    def _endpoint(self, version: str) -> Endpoint:
        port = load_state(self.folder / "state.json").ports[plane.API_SERVER]
        authority = Pki(self.folder / "pki").certificate("ca").read_bytes()
        return Endpoint(
            server=f"https://127.0.0.1:{port}", ca_data=base64.b64encode(authority).decode(), version=version
        )

    def _nodes_of(self, pool: str) -> list[dict[str, Any]]:
        return [node for node in self._ask(lambda api: api.items(NODES)) if annotation(node, POOL) == pool]

    def _is_there(self, pool: PoolSpec) -> bool:
        nodes = self._nodes_of(pool.name)
        wanted = (pool.node.digest, pool.node.marks)
        fresh = all((annotation(node, TEMPLATE), annotation(node, MARKS)) == wanted for node in nodes)
        least = pool.min
        if pool.group:
            least = desired_of(self._ask(lambda api: api.items(CONFIG_MAPS))).get(pool.name, least)
        return fresh and sum(map(is_ready, nodes)) >= least and len(nodes) <= pool.max

    def _wait(self, what: str, holds: Callable[[], bool], *, seconds: float, first: float = LOOK) -> None:
        """Wait until something holds, for `seconds` and our patience; not for a controller that is gone.

        `first`: seconds between the first two looks, where it cannot be so before.
        """
        from qhub.rehearsal.plugins.errors import Interrupted

        deadline = time.monotonic() + seconds + PATIENCE
        pause = first
        while not holds():
            if self._cancelled.wait(pause):
                raise Interrupted(f"the run was cancelled while waiting for {what}")
            pause = LOOK
            pid = load_state(self.folder / "state.json").pids.get(plane.CONTROLLERS)
            if not pid or not find(pid, folder=self.folder, name=plane.CONTROLLERS):
                raise ClusterError(
                    f"simulated cluster {self._name}: {what}: its controllers do not run any more;"
                    f" see {self.folder}/logs/{plane.CONTROLLERS}.log, then create the cluster again: it goes on"
                )
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"simulated cluster {self._name}: {what}: not so after {seconds + PATIENCE:.0f} s;"
                    f" see {self.folder}/logs/{plane.CONTROLLERS}.log"
                )
