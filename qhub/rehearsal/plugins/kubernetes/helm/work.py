"""One run of helm on one release: install or upgrade, and what is done and told when it fails."""

from __future__ import annotations

import dataclasses
from typing import Any

from qhub.rehearsal.plugins.errors import Interrupted, PartialFailure, PluginError
from qhub.rehearsal.plugins.kubernetes.helm import chart, recover
from qhub.rehearsal.plugins.kubernetes.helm.command import HelmError
from qhub.rehearsal.plugins.kubernetes.helm.options import Options, is_known
from qhub.rehearsal.plugins.kubernetes.helm.outputs import outputs
from qhub.rehearsal.plugins.kubernetes.helm.record import OWNER_LABEL, Record, history, last_good, latest
from qhub.rehearsal.plugins.kubernetes.helm.watch import Watch
from qhub.rehearsal.plugins.kubernetes.naming import object_id
from qhub.rehearsal.plugins.kubernetes.subject import Cluster
from qhub.rehearsal.plugins.private_file import PrivateFile


@dataclasses.dataclass(frozen=True)
class Work:
    """A release that is to be as its inputs say.

    Attributes:
        cluster: the cluster.
        urn: the resource.
        inputs: its inputs, secrets marked.
        timeout: the program's custom timeout in seconds, 0 for none.
    """

    cluster: Cluster
    urn: str
    inputs: dict[str, Any]
    timeout: float = 0.0

    @property
    def options(self) -> Options:
        """The inputs as helm takes them."""
        return Options.of(self.inputs)

    @property
    def place(self) -> str:
        """`release hub/jupyterhub`, as messages call it."""
        return f"release {self.options.namespace}/{self.options.name}"

    def run(self, before: Record | None, *, held: tuple[int, ...]) -> Record:
        """Install (`before` is `None`) or upgrade, and return the new revision.

        Args:
            before: the revision to upgrade.
            held: descriptors that helm keeps open as long as it lives.

        Raises:
            PartialFailure: the release is there, but failed.
            PluginError: helm refused, or what failed was undone (`atomic`).
        """
        options = self.options
        seconds = options.seconds(self.timeout)
        source = chart.locate(options, self.cluster.helm)
        after = before.revision if before else 0
        waiter = self.cluster.waiter(self.urn)
        watch = Watch(self.cluster, waiter=waiter, namespace=options.namespace, name=options.name, after=after)
        value_flags, files = _value_arguments(options)
        try:
            self._lint(source)
            self.cluster.helm.run(
                "upgrade" if before else "install",
                options.name,
                source.reference,
                *source.flags,
                f"--namespace={options.namespace}",
                f"--labels={OWNER_LABEL}={recover.owner_of(self.urn)}",
                *options.flags(upgrade=before is not None, seconds=seconds),
                *value_flags,
                stdin=options.values_text(),
                files=files,
                held=held,
                seconds=seconds,
                tick=watch.tick,
            )
        except (HelmError, Interrupted) as error:
            raise self._failed(before, watch, error) from None
        finally:
            waiter.say("")
            for file in files:
                file.close()
        record = latest(self.cluster.api, options.namespace, options.name)
        if record is None:
            raise PluginError(f"{self.place} was deleted by somebody else right after it was made")
        return record

    def _failed(self, before: Record | None, watch: Watch, error: PluginError) -> PluginError:
        """Return what to tell about a failed run of helm, after undoing it where the release is `atomic`."""
        options = self.options
        account = watch.account()
        doing = "upgrade" if before else "installation"
        told = f"{self.place}: the {doing} failed: {error}" + (f"\n{account}" if account else "")
        record = latest(self.cluster.api, options.namespace, options.name)
        if record is None or (before is not None and record.revision <= before.revision):
            return PluginError(told)  # helm refused before it changed anything
        if options.is_set("atomic") and not isinstance(error, Interrupted):
            try:
                return PluginError(f"{told}\n{self._undo(before)}")
            except PluginError as second:
                told = f"{told}\nundoing it failed too: {second}"
                record = latest(self.cluster.api, options.namespace, options.name) or record
        resource_id = object_id(options.namespace, options.name)
        return PartialFailure(told, resource_id=resource_id, properties=outputs(self.inputs, record))

    def _undo(self, before: Record | None) -> str:
        """Do what `atomic` promises, after the failure was looked at: helm's own leaves nothing to look at."""
        options = self.options
        seconds = options.seconds(self.timeout)
        good = last_good(history(self.cluster.api, options.namespace, options.name)) if before else None
        if good is None:
            recover.uninstall(self.cluster.helm, options, seconds=seconds, wait=True)
            return "it was uninstalled again (atomic)"
        switches = {"cleanupOnFail": "--cleanup-on-fail", "forceUpdate": "--force", "disableWebhooks": "--no-hooks"}
        self.cluster.helm.run(
            "rollback",
            options.name,
            str(good.revision),
            f"--namespace={options.namespace}",
            f"--timeout={max(1, round(seconds))}s",
            "--wait",
            *(flag for key, flag in switches.items() if options.is_set(key)),
            seconds=seconds,
        )
        return f"it was rolled back to revision {good.revision} (atomic)"

    def rehearse(self) -> None:
        """Render the chart with the values, so that a preview already tells what the chart refuses.

        Raises:
            PluginError: the chart's schema or its templates refuse the values.
        """
        if not is_known(self.inputs):
            return
        options = self.options
        source = chart.locate(options, self.cluster.helm)
        value_flags, files = _value_arguments(options)
        version = self.cluster.api.get("/version").get("gitVersion", "")
        try:
            self._lint(source)
            self.cluster.helm.run(
                "template",
                options.name,
                source.reference,
                *source.flags,
                f"--namespace={options.namespace}",
                *([f"--kube-version={version}"] if version else []),
                *value_flags,
                stdin=options.values_text(),
                files=files,
            )
        except HelmError as error:
            raise PluginError(f"{self.place}: {error}") from None
        except Interrupted:
            raise PluginError(f"{self.place}: cancelled") from None
        finally:
            for file in files:
                file.close()

    def _lint(self, source: chart.Source) -> None:
        if self.options.is_set("lint"):
            self.cluster.helm.run("lint", source.reference, "--values=-", stdin=self.options.values_text())


def _value_arguments(options: Options) -> tuple[list[str], list[PrivateFile]]:
    """Return the `--values` flags, later ones winning, and the files made for them; the values come by stdin."""
    flags, files = [], []
    for asset in options.value_files():
        if asset.path is not None:
            flags.append(f"--values={asset.path}")
        else:
            files.append(PrivateFile(asset.text or "", suffix=".yaml"))
            flags.append(f"--values={files[-1].child_path}")
    return [*flags, "--values=-"], files
