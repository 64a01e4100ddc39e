"""What to do with a release that is there before anybody says so: an interrupted run has left it."""

from __future__ import annotations

import time
from collections.abc import Callable

from qhub.rehearsal.plugins.errors import PluginError
from qhub.rehearsal.plugins.kubernetes.helm.command import Helm, HelmError
from qhub.rehearsal.plugins.kubernetes.helm.options import Options
from qhub.rehearsal.plugins.kubernetes.helm.record import PENDING, Record, history, last_good
from qhub.rehearsal.plugins.kubernetes.naming import field_manager
from qhub.rehearsal.plugins.kubernetes.subject import Cluster


def owner_of(urn: str) -> str:
    """Return the value of the label by which this resource's releases are known."""
    return field_manager(urn)


def settle(cluster: Cluster, options: Options, urn: str, *, known: bool) -> Record | None:
    """Bring a release into a state that `helm upgrade` accepts, and return its newest revision.

    `None` means that there is nothing to upgrade: it is to be installed. A pending revision is rolled back to the last
    that was deployed, or uninstalled when none ever was.

    Args:
        cluster: the cluster.
        options: name and namespace of the release.
        urn: the resource.
        known: the state knows the release, so it is ours.

    Raises:
        PluginError: there is a release of that name, and it is somebody else's.
    """
    records = history(cluster.api, options.namespace, options.name)
    if not records:
        return None
    newest, place = records[0], f"release {options.namespace}/{options.name}"
    if not known and newest.owner != owner_of(urn):
        raise PluginError(
            f"{place} already exists ({newest.status}, revision {newest.revision}) and this stack did not install it. "
            f"Import it (`pulumi import` with --parent and --provider; its id is {options.namespace}/{options.name}), "
            "give the new one another name, or remove it "
            f"(`helm uninstall {options.name} -n {options.namespace}`)"
        )
    good = last_good(records)
    left = f"{place} was left {newest.status} by an interrupted run"
    if newest.status in PENDING and good is not None:
        cluster.engine.info(f"{left}: rolling back to revision {good.revision}, then on", urn)
        cluster.helm.run("rollback", options.name, str(good.revision), f"--namespace={options.namespace}")
        return history(cluster.api, options.namespace, options.name)[0]
    if newest.status in (*PENDING, "uninstalling"):
        cluster.engine.info(f"{left}: removing what there is of it, then on", urn)
        uninstall(cluster.helm, options, seconds=options.seconds(0), wait=True)
        return None
    if newest.status == "uninstalled":
        return None
    if not known:
        cluster.engine.info(f"{place} was installed by an interrupted run of this stack: going on with it", urn)
    return newest


def uninstall(helm: Helm, options: Options, *, seconds: float, wait: bool) -> None:
    """Remove a release; that there is none is no error."""
    flags = ["--wait"] if wait else []
    flags += ["--no-hooks"] if options.is_set("disableWebhooks") else []
    try:
        helm.run(
            "uninstall",
            options.name,
            f"--namespace={options.namespace}",
            f"--timeout={max(1, round(seconds))}s",
            *flags,
            seconds=seconds,
        )
    except HelmError as error:
        if "release: not found" not in str(error):
            raise


def patience(cluster: Cluster, urn: str, options: Options, *, seconds: float) -> Callable[[], None]:
    """Return what is called while another helm still works on the release: it waits, and gives up after `seconds`."""
    waiter, deadline = cluster.waiter(urn), time.monotonic() + seconds
    place = f"release {options.namespace}/{options.name}"

    def wait() -> None:
        if time.monotonic() > deadline:
            raise PluginError(
                f"another helm has been working on {place} for {seconds:.0f} s: wait for it, or end it, then run again"
            )
        waiter.say(f"an earlier run's helm is still at work on {place}: waiting for it")
        waiter.sleep(0.5)

    return wait
