"""The Kubernetes provider as the engine sees it: configuration, and each call handed to objects or releases."""

from __future__ import annotations

import threading
from typing import Any

from qhub.rehearsal.plugins._proto import Message, empty_pb2, provider_pb2
from qhub.rehearsal.plugins.errors import PluginError
from qhub.rehearsal.plugins.kubernetes import inputs as object_inputs
from qhub.rehearsal.plugins.kubernetes import kinds, kubeconfig, objects, reading
from qhub.rehearsal.plugins.kubernetes import settings as provider_settings
from qhub.rehearsal.plugins.kubernetes.checkpoint import INPUTS
from qhub.rehearsal.plugins.kubernetes.client import Api, Unreachable, reach
from qhub.rehearsal.plugins.kubernetes.discovery import Discovery
from qhub.rehearsal.plugins.kubernetes.helm import release
from qhub.rehearsal.plugins.kubernetes.helm.command import Helm
from qhub.rehearsal.plugins.kubernetes.subject import Cluster, Subject
from qhub.rehearsal.plugins.server import Engine, ProviderServer, rpc
from qhub.rehearsal.plugins.treediff import differences
from qhub.rehearsal.plugins.wire import UNKNOWN, from_struct, has_unknown, reveal, secret_strings, to_struct

PACKAGE = "kubernetes"
_CONNECTION_INPUTS = ("kubeconfig", "context", "cluster")


class KubernetesProvider(ProviderServer):
    """Objects and Helm releases of one cluster.

    Args:
        version: the SDK's plugin version.
        engine: the engine's log.
    """

    def __init__(self, *, version: str, engine: Engine) -> None:
        super().__init__(package=PACKAGE, version=version, engine=engine)
        self._settings = provider_settings.Settings()
        self._cluster: Cluster | None = None
        self._unusable: PluginError | None = None
        self._told = threading.Lock()

    # -- configuration -------------------------------------------------------------------------------------------------

    @rpc
    def CheckConfig(self, request: Message, context: Any) -> Message:
        """Refuse what cannot be honoured, and a context that does not exist."""
        news = self._configuration(request.news)
        found = provider_settings.failures(news)
        if not found and not any(has_unknown(news.get(key)) for key in _CONNECTION_INPUTS):
            try:
                kubeconfig.resolve(provider_settings.parse(news))
            except PluginError as error:
                found = [("context" if "context" in news else "kubeconfig", str(error))]
        failures = [provider_pb2.CheckFailure(property=key, reason=self.engine.mask(text)) for key, text in found]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    @rpc
    def DiffConfig(self, request: Message, context: Any) -> Message:
        """Say whether another cluster is meant, in which case everything on it is replaced.

        With `clusterIdentifier` set before and after, it alone decides; else the cluster entry of the kubeconfig
        does, and an unknown one counts as another. Source: the official plugin's `DiffConfig`.
        """
        olds = self._configuration(request.old_inputs if request.old_inputs.fields else request.olds)
        news = self._configuration(request.news)
        found = differences({key: olds[key] for key in olds if key in provider_settings.KNOWN}, _own(news))
        answer = provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_SOME if found else _NONE)
        changed = {str(one.path[0]) for one in found}
        answer.diffs.extend(sorted(changed))
        before, after = reveal(olds.get("clusterIdentifier")), reveal(news.get("clusterIdentifier"))
        if before and after:
            answer.replaces.extend(["clusterIdentifier"] if before != after else [])
            return answer
        unknown = [key for key in _CONNECTION_INPUTS if has_unknown(news.get(key))]
        if unknown:
            answer.replaces.extend(unknown)
        elif changed & set(_CONNECTION_INPUTS):
            old, new = (kubeconfig.active_cluster(provider_settings.parse(_own(tree))) for tree in (olds, news))
            if old is not None and new is not None and old != new:
                answer.replaces.extend(sorted(changed & set(_CONNECTION_INPUTS)))
        return answer

    @rpc
    def Configure(self, request: Message, context: Any) -> Message:
        """Take the configuration; find out at once whether anything listens at the address."""
        given = self._configuration(request.args)
        if not any(has_unknown(given.get(key)) for key in _CONNECTION_INPUTS):
            self._settings = provider_settings.parse(given)
            try:
                target = kubeconfig.resolve(self._settings)
                self._cluster = self._connect(target)
                reach(target)
            except PluginError as error:
                self._unusable = error
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False, supports_autonaming_configuration=True
        )

    def _connect(self, target: kubeconfig.Target) -> Cluster:
        settings = self._settings
        api = Api(
            target,
            cancelled=self.cancelled,
            timeout=settings.request_timeout,
            qps=settings.qps,
            burst=settings.burst,
        )
        helm = Helm(api=api, settings=settings, cancelled=self.cancelled)
        return Cluster(api, Discovery(api), settings, self.engine, self.cancelled, helm)

    def _configuration(self, struct: Message) -> dict[str, Any]:
        """Return the provider's inputs; their credentials will be masked in every message from now on."""
        tree = from_struct(struct)
        self.engine.add_secrets(kubeconfig.secrets_of(tree))
        return tree

    def _tree(self, struct: Message) -> dict[str, Any]:
        """Return a property tree; what is secret in it will be masked in every message from now on."""
        tree = from_struct(struct)
        # The official plugin wraps all of `__inputs` as one secret; its secret leaves are in the outputs as well.
        self.engine.add_secrets(secret_strings({key: value for key, value in tree.items() if key != INPUTS}))
        return tree

    def _reachable(self) -> Cluster:
        """Return the cluster.

        Raises:
            PluginError: it cannot be reached, or is not known yet.
        """
        if self._unusable is not None:
            raise self._unusable
        if self._cluster is None:
            raise PluginError("the provider's kubeconfig is not known yet: nothing can be made before it is")
        return self._cluster

    def close(self) -> None:
        """Let helm record that it was ended, and remove credentials from memory and disk."""
        if self._cluster is not None:
            self._cluster.helm.close()
            self._cluster.api.close()

    # -- resources -----------------------------------------------------------------------------------------------------

    @rpc
    def Check(self, request: Message, context: Any) -> Message:
        """Validate and complete the inputs of a resource."""
        olds, news = self._tree(request.olds), self._tree(request.news)
        if self._unusable is not None:
            if self._settings.skip_update_unreachable:
                self.engine.warning(f"left as it is: {self._unusable}", request.urn)
                return provider_pb2.CheckResponse(inputs=request.olds)
            if not self._settings.delete_unreachable:
                raise self._unusable
        token = kinds.type_token(request.urn)
        if token == kinds.RELEASE_TOKEN:
            checked = release.check(self._cluster, request, news, olds)
        else:
            kind = kinds.of_token(token)
            checked = object_inputs.check(kind, news, olds, request=request, settings=self._settings)
        self.engine.add_secrets(secret_strings(checked))
        return provider_pb2.CheckResponse(inputs=to_struct(checked))

    @rpc
    def Diff(self, request: Message, context: Any) -> Message:
        """Compare the inputs of the last run with the new ones."""
        olds, old_inputs, news = (self._tree(tree) for tree in (request.olds, request.old_inputs, request.news))
        token = kinds.type_token(request.urn)
        if token == kinds.RELEASE_TOKEN:
            return release.diff(request, olds, old_inputs, news)
        return object_inputs.diff(
            kinds.of_token(token), request, olds=olds, old_inputs=old_inputs, news=news, settings=self._settings
        )

    @rpc
    def Create(self, request: Message, context: Any) -> Message:
        """Make the resource, or say what making it would bring."""
        inputs = self._tree(request.properties)
        token = kinds.type_token(request.urn)
        if request.preview and self._cluster is None and self._unusable is None:
            return provider_pb2.CreateResponse(
                id="", properties=request.properties
            )  # its cluster comes with this update
        cluster = self._reachable()
        if token == kinds.RELEASE_TOKEN:
            made = release.create(cluster, request.urn, inputs, timeout=request.timeout, preview=request.preview)
        else:
            subject = Subject(cluster, request.urn, kinds.of_token(token), inputs)
            if request.preview:
                made = "", objects.preview(subject, None)
            else:
                made = objects.create(subject, timeout=request.timeout)
        return provider_pb2.CreateResponse(id=made[0], properties=to_struct(made[1]))

    @rpc
    def Update(self, request: Message, context: Any) -> Message:
        """Change the resource in place, or say what that would bring."""
        state, inputs = self._tree(request.olds), self._tree(request.news)
        token = kinds.type_token(request.urn)
        if request.preview and self._cluster is None and self._unusable is None:
            return provider_pb2.UpdateResponse(properties=request.news)
        cluster = self._reachable()
        if token == kinds.RELEASE_TOKEN:
            outputs = release.update(
                cluster, request.urn, inputs, state, timeout=request.timeout, preview=request.preview
            )
        else:
            subject = Subject(cluster, request.urn, kinds.of_token(token), inputs)
            if request.preview:
                outputs = objects.preview(subject, state)
            else:
                outputs = objects.update(subject, state, timeout=request.timeout, ignored=request.ignoreChanges)
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    @rpc
    def Read(self, request: Message, context: Any) -> Message:
        """Return the resource as it is now; an empty answer means that it is gone."""
        state, inputs = self._tree(request.properties), self._tree(request.inputs)
        if self._unusable is not None and self._settings.delete_unreachable:
            self.engine.warning(f"taken for deleted (deleteUnreachable): {self._unusable}", request.urn)
            return provider_pb2.ReadResponse()
        if self._unusable is not None and self._settings.skip_update_unreachable:
            self.engine.warning(f"left as it is: {self._unusable}", request.urn)
            return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
        cluster = self._reachable()
        if kinds.type_token(request.urn) == kinds.RELEASE_TOKEN:
            found = release.read(cluster, request.urn, request.id, state, inputs)
        else:
            found = reading.read(cluster, request.urn, request.id, state, inputs)
        if found is None:
            return provider_pb2.ReadResponse()
        self.engine.add_secrets(secret_strings(found[0]))
        return provider_pb2.ReadResponse(id=request.id, properties=to_struct(found[0]), inputs=to_struct(found[1]))

    @rpc
    def Delete(self, request: Message, context: Any) -> Message:
        """Delete the resource and wait until it is gone."""
        state = self._tree(request.properties)
        if isinstance(self._unusable, Unreachable) and self._settings.delete_unreachable:
            self.engine.warning(f"taken for deleted (deleteUnreachable): {self._unusable}", request.urn)
            return empty_pb2.Empty()
        cluster = self._reachable()
        if kinds.type_token(request.urn) == kinds.RELEASE_TOKEN:
            release.delete(cluster, request.urn, request.id, state, timeout=request.timeout)
        else:
            objects.delete(cluster, request.urn, request.id, state, timeout=request.timeout)
        return empty_pb2.Empty()


_NONE = provider_pb2.DiffResponse.DIFF_NONE


def _own(tree: dict[str, Any]) -> dict[str, Any]:
    """Return the provider's own inputs, without what the engine adds (`version`)."""
    return {key: value for key, value in tree.items() if key in provider_settings.KNOWN and value is not UNKNOWN}
