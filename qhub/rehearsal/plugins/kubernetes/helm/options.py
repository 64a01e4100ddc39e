"""The inputs of a Release, and the `helm` flags they stand for.

Source of the inputs: `pulumi_kubernetes.helm.v3.Release` 4.34; of the flags: `helm install|upgrade --help`, 3.22.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

from qhub.rehearsal.plugins.errors import PluginError, listing, nearest
from qhub.rehearsal.plugins.wire import UNKNOWN, FileAsset, has_unknown, reveal

#: Helm's and the official plugin's own default.
TIMEOUT_SECONDS = 300

_TEXTS = ("chart", "version", "name", "namespace", "description", "keyring", "postrender")
_SWITCHES = (
    "atomic",
    "allowNullValues",
    "cleanupOnFail",
    "createNamespace",
    "dependencyUpdate",
    "devel",
    "disableOpenapiValidation",
    "disableWebhooks",
    "forceUpdate",
    "lint",
    "renderSubchartNotes",
    "replace",
    "resetValues",
    "reuseValues",
    "skipAwait",
    "skipCrds",
    "takeOwnership",
    "verify",
    "waitForJobs",
)
_NUMBERS = ("timeout", "maxHistory")
_OBJECTS = ("values", "repositoryOpts")
_LISTS = ("valueYamlFiles",)
#: What the SDK sends or gets back, and nobody asks for. Until 4.5 the official plugin saw by `checksum` that a chart on
#: disk had changed; since then it goes by the version of the chart, as `release.check` does.
_IGNORED = ("compat", "resourceNames", "manifest", "status", "checksum")
_REFUSED = {
    "disableCRDHooks": "helm 3 has no crd-install hooks; use `skip_crds` or `disable_webhooks`",
    "recreatePods": "helm 3 can no longer restart pods; change a pod annotation in the values instead",
}
_REPOSITORY = ("repo", "username", "password", "caFile", "certFile", "keyFile")
KNOWN = (*_TEXTS, *_SWITCHES, *_NUMBERS, *_OBJECTS, *_LISTS, *_REFUSED)

#: `helm install` and `helm upgrade` take these under the same name.
_COMMON_FLAGS = {
    "createNamespace": "--create-namespace",
    "dependencyUpdate": "--dependency-update",
    "devel": "--devel",
    "disableOpenapiValidation": "--disable-openapi-validation",
    "disableWebhooks": "--no-hooks",
    "forceUpdate": "--force",
    "renderSubchartNotes": "--render-subchart-notes",
    "skipCrds": "--skip-crds",
    "takeOwnership": "--take-ownership",
    "verify": "--verify",
}
_UPGRADE_FLAGS = {
    "cleanupOnFail": "--cleanup-on-fail",
    "resetValues": "--reset-values",
    "reuseValues": "--reuse-values",
}


def meant(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs that a person gave: without nulls at the top and without what the SDK adds."""
    return {key: value for key, value in inputs.items() if value is not None and key not in _IGNORED}


def validate(inputs: dict[str, Any]) -> None:
    """Check names and types of a Release's inputs; unknown values pass.

    Raises:
        PluginError: an input that a Release does not have, of the wrong type, or that the stand-in cannot honour.
    """
    for name, value in meant(inputs).items():
        if name not in KNOWN:
            raise PluginError(
                f"a Release has no input '{name}'.{nearest(name, KNOWN)} It has: {listing(KNOWN, most=40)}"
            )
        plain = reveal(value)
        if plain is UNKNOWN:
            continue
        if name in _REFUSED and plain is not False:
            raise PluginError(f"the stand-in plugin does not support '{name}': {_REFUSED[name]}")
        if problem := _type_problem(name, plain):
            raise PluginError(f"Release: {name} {problem}")
    chart = inputs.get("chart")
    if not chart:
        raise PluginError(
            "Release: 'chart' is missing: the name of a chart, its folder or archive, or its oci:// address"
        )
    repository = reveal(inputs.get("repositoryOpts"))
    for key in repository if isinstance(repository, dict) else {}:
        if key not in _REPOSITORY:
            raise PluginError(f"Release: repositoryOpts has no '{key}'.{nearest(key, _REPOSITORY)}")


def _type_problem(name: str, value: Any) -> str | None:
    expected: tuple[tuple[str, ...], Callable[[Any], bool], str]
    for expected in (
        (_TEXTS, lambda given: isinstance(given, str), "a string"),
        (_SWITCHES, lambda given: isinstance(given, bool), "true or false"),
        (_OBJECTS, lambda given: isinstance(given, dict), "an object"),
        (_LISTS, lambda given: isinstance(given, list), "a list of file assets"),
    ):
        names, right, words = expected
        if name in names and not right(value):
            return f"must be {words}, got a {type(value).__name__}"
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if name in _NUMBERS and not whole:
        return f"must be a whole number, 0 or more, got {value!r}"
    return None


@dataclasses.dataclass(frozen=True)
class Options:
    """The inputs of a Release, known and without secret wrappers."""

    inputs: dict[str, Any]

    @classmethod
    def of(cls, inputs: dict[str, Any]) -> Options:
        """Return the options of known inputs."""
        return cls(meant(reveal(inputs)))

    @property
    def name(self) -> str:
        """Name of the release."""
        return str(self.inputs["name"])

    @property
    def namespace(self) -> str:
        """Namespace of the release."""
        return str(self.inputs["namespace"])

    def is_set(self, key: str) -> bool:
        """Say whether a switch is on."""
        return self.inputs.get(key) is True

    @property
    def waits(self) -> bool:
        """Whether helm waits for readiness; `atomic` cannot do without."""
        return self.is_set("atomic") or not self.is_set("skipAwait")

    def seconds(self, given: float) -> float:
        """Return how long helm may wait: the program's custom timeout, the input, or the default."""
        return given or float(self.inputs.get("timeout") or 0) or TIMEOUT_SECONDS

    def flags(self, *, upgrade: bool, seconds: float) -> list[str]:
        """Return the flags of `helm install` or `helm upgrade` that these inputs ask for, but for the chart's."""
        switches = {**_COMMON_FLAGS, **(_UPGRADE_FLAGS if upgrade else {"replace": "--replace"})}
        found = [flag for key, flag in switches.items() if self.is_set(key)]
        if upgrade and not self.is_set("reuseValues"):
            found.append("--reset-values")  # else helm takes the old values when the new ones are empty
        found.append(f"--timeout={max(1, round(seconds))}s")
        if self.waits:
            found.append("--wait")
        if self.is_set("waitForJobs"):
            found.append("--wait-for-jobs")
        if upgrade and "maxHistory" in self.inputs:
            found.append(f"--history-max={self.inputs['maxHistory']}")
        for key, flag in (
            ("description", "--description"),
            ("keyring", "--keyring"),
            ("postrender", "--post-renderer"),
        ):
            if self.inputs.get(key):
                found.append(f"{flag}={self.inputs[key]}")
        return found

    def values_text(self) -> str:
        """Return the values as helm reads them: JSON, which is YAML; nulls stay, they delete a chart's default."""
        return json.dumps(self.inputs.get("values") or {})

    def value_files(self) -> list[FileAsset]:
        """Return the YAML files that come before the values, in order.

        Raises:
            PluginError: an entry is no file.
        """
        files = self.inputs.get("valueYamlFiles") or []
        for one in files:
            if not isinstance(one, FileAsset):
                raise PluginError("Release: valueYamlFiles takes local file or string assets only")
        return files


def is_known(inputs: dict[str, Any]) -> bool:
    """Say whether nothing in the inputs is waiting for the update."""
    return not has_unknown(inputs)
