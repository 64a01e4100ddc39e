"""The random provider as the engine sees it."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.plugins._proto import Message, empty_pb2, provider_pb2
from qhub.rehearsal.plugins.errors import PluginError, listing
from qhub.rehearsal.plugins.random.draw import SPECS, Spec, check
from qhub.rehearsal.plugins.server import Engine, ProviderServer, rpc
from qhub.rehearsal.plugins.treediff import differences, parse_path, response, without
from qhub.rehearsal.plugins.wire import UNKNOWN, Secret, from_struct, has_unknown, reveal, secret_strings, to_struct

PACKAGE = "random"


class RandomProvider(ProviderServer):
    """Random bytes, ids, strings and passwords. Any change of an input draws a new value, that is: replaces.

    Args:
        version: the SDK's plugin version.
        engine: the engine's log.
    """

    def __init__(self, *, version: str, engine: Engine) -> None:
        super().__init__(package=PACKAGE, version=version, engine=engine)

    @rpc
    def CheckConfig(self, request: Message, context: Any) -> Message:
        """The provider has no configuration."""
        return provider_pb2.CheckResponse(inputs=request.news)

    @rpc
    def DiffConfig(self, request: Message, context: Any) -> Message:
        """The provider has no configuration."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    @rpc
    def Configure(self, request: Message, context: Any) -> Message:
        """The provider has no configuration."""
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def _tree(self, struct: Message) -> dict[str, Any]:
        tree = from_struct(struct)
        self.engine.add_secrets(secret_strings(tree))
        return tree

    @rpc
    def Check(self, request: Message, context: Any) -> Message:
        """Validate the inputs and fill in their defaults."""
        spec, news = _spec(request.urn), self._tree(request.news)
        if "number" in news:  # the deprecated name of `numeric`
            number = news.pop("number")
            news.setdefault("numeric", number)
        return provider_pb2.CheckResponse(inputs=to_struct(check(spec, news)))

    @rpc
    def Diff(self, request: Message, context: Any) -> Message:
        """Compare the inputs; every difference replaces."""
        spec, news = _spec(request.urn), self._tree(request.news)
        kept = self._tree(request.old_inputs) or self._tree(request.olds)
        olds = {key: value for key, value in kept.items() if key in spec.known}
        found = without(differences(olds, news), request.ignoreChanges)
        return response(found, replaced_by=[parse_path(key) for key in spec.known], delete_first=False)

    @rpc
    def Create(self, request: Message, context: Any) -> Message:
        """Draw the value."""
        spec, inputs = _spec(request.urn), self._tree(request.properties)
        if request.preview or has_unknown(inputs):
            return provider_pb2.CreateResponse(properties=to_struct({**inputs, **_unknown_outputs(spec)}))
        resource_id, outputs = spec.draw(reveal(inputs))
        self.engine.add_secrets(secret_strings(outputs))
        return provider_pb2.CreateResponse(id=resource_id, properties=to_struct({**inputs, **outputs}))

    @rpc
    def Read(self, request: Message, context: Any) -> Message:
        """The state is the only place where the value is: it is always as it was."""
        if not request.properties.fields:
            raise PluginError("the stand-in plugin for `random` cannot import: a random value exists only in the state")
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    @rpc
    def Update(self, request: Message, context: Any) -> Message:
        """No change can be made in place."""
        raise PluginError("a random value cannot be changed, only drawn again")

    @rpc
    def Delete(self, request: Message, context: Any) -> Message:
        """Forget the value."""
        return empty_pb2.Empty()


def _spec(urn: str) -> Spec:
    token = urn.split("::")[2].rsplit("$", 1)[-1]
    if token not in SPECS:
        known = (name.rsplit(":", 1)[-1] for name in SPECS)
        raise PluginError(f"the stand-in plugin for `random` has no `{token}`. It has: {listing(known)}")
    return SPECS[token]


def _unknown_outputs(spec: Spec) -> dict[str, Any]:
    """Return the outputs of a draw that has not happened, secret where the real ones are."""
    sample = {"length": 4, "byteLength": 4, **spec.switches, **spec.numbers, **spec.texts}
    drawn = spec.draw(sample)[1]
    return {key: Secret(UNKNOWN) if isinstance(value, Secret) else UNKNOWN for key, value in drawn.items()}
