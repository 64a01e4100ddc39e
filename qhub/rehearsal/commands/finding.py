"""Which simulated cluster a command is asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from qhub.rehearsal.cluster import control_plane as plane
from qhub.rehearsal.cluster.layout import Layout
from qhub.rehearsal.cluster.state import load_state
from qhub.rehearsal.commands.arguments import CommandError
from qhub.rehearsal.simulated.identity import Identity, all_kubernetes

WORLD_VARIABLE = "QHUB_REHEARSAL_WORLD"

Found = Sequence[tuple[Identity, Path]]


def clusters_of(cloud: str, environment: Mapping[str, str]) -> Found:
    """Return the simulated clusters of a cloud.

    Raises:
        CommandError: no rehearsal is on.
    """
    world = environment.get(WORLD_VARIABLE)
    if not world:
        raise CommandError(
            f"this is a stand-in for rehearsals only, and {WORLD_VARIABLE} is not set: use the real command"
        )
    return [(identity, folder) for identity, folder in all_kubernetes(Path(world)) if identity.cloud == cloud]


def chosen(found: Found, *, server: str, what: str, **wanted: str) -> Path:
    """Return the folder of the one cluster that is meant.

    Args:
        found: the clusters of the cloud.
        server: URL that the client told; empty when it told none.
        what: what was asked for, for the message.
        wanted: values of `Identity` that it must have, as the command was told.

    Raises:
        CommandError: there is none such, more than one, or the named one is not behind that URL.
    """
    named = [one for one in found if all(getattr(one[0], key) == value for key, value in wanted.items())]
    there = "; ".join(str(identity) for identity, _ in found) or "none"
    if not named:
        raise CommandError(f"there is no cluster {what} in the simulated cloud. Clusters: {there}")
    behind = [folder for _, folder in named if not server or _server(folder) == server]
    if not behind:
        raise CommandError(f"the kubeconfig's server {server} is not that of the cluster {what}. Clusters: {there}")
    if len(behind) > 1:
        raise CommandError(
            f"more than one cluster may be meant ({there}): add `provideClusterInfo: true` to the kubeconfig's exec"
            " section, so that this command is told the server"
        )
    return behind[0]


def _server(folder: Path) -> str:
    return f"https://127.0.0.1:{load_state(Layout(folder).state).ports.get(plane.API_SERVER)}"
