"""A simulated cloud as the engine sees it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable
from typing import Any

from qhub.rehearsal.clouds import checking, shaping
from qhub.rehearsal.clouds.clock import Clock, speed_of
from qhub.rehearsal.clouds.faults import faults_of_environment
from qhub.rehearsal.clouds.operations import Operations, problems_of
from qhub.rehearsal.clouds.resource import Call, CloudDefinition, ResourceType
from qhub.rehearsal.clouds.schema import load_schema, provider_token
from qhub.rehearsal.clouds.subject import Refused, Subject
from qhub.rehearsal.clouds.world import world_of_environment
from qhub.rehearsal.plugins._proto import Message, empty_pb2, provider_pb2
from qhub.rehearsal.plugins.errors import PluginError, listing, nearest
from qhub.rehearsal.plugins.server import Engine, ProviderServer, rpc
from qhub.rehearsal.plugins.treediff import differences, parse_path, response, with_value_of, without
from qhub.rehearsal.plugins.wire import from_struct, mark_containing, mark_like, reveal, secret_strings, to_struct

#: What the engine adds to a provider's inputs; not the package's own.
_ENGINES_OWN = ("version", "pluginDownloadURL", "__internal")


class CloudProvider(ProviderServer):
    """The stand-in for one cloud's plugin.

    Args:
        definition: the cloud.
        version: the SDK's plugin version.
        engine: the engine's log.
    """

    def __init__(self, *, definition: CloudDefinition, version: str, engine: Engine) -> None:
        super().__init__(package=definition.package, version=version, engine=engine)
        self._definition = definition
        self._types = definition.by_token
        self._configuration: dict[str, Any] = {}
        self._setting_up = threading.Lock()

    @functools.cached_property
    def _loaded(self) -> Operations:
        """The simulated cloud; made late, so that what is wrong with it is the error of an operation."""
        world = world_of_environment()
        return Operations(
            world=world,
            clock=Clock(world.folder, speed=speed_of(), cancelled=self.cancelled),
            faults=faults_of_environment(world),
            schema=load_schema(package=self.package, sdk=self._definition.sdk, tokens=self._types),
            mask=self.engine.mask,
        )

    @property
    def _cloud(self) -> Operations:
        with self._setting_up:  # once, although calls come side by side
            return self._loaded

    # -- configuration -------------------------------------------------------------------------------------------------

    @rpc
    def CheckConfig(self, request: Message, context: Any) -> Message:
        """Check the provider's own inputs: against the SDK, and for what the cloud makes of them."""
        token = provider_token(self.package)
        news = self._provider_inputs(request.news)
        found = list(checking.problems(self._cloud.schema, token, news))
        if not found:
            subject = self._subject(request.urn, inputs=reveal(news))
            found = problems_of(self._definition.configuration, subject)
        return provider_pb2.CheckResponse(inputs=request.news, failures=self._failures(found))

    @rpc
    def DiffConfig(self, request: Message, context: Any) -> Message:
        """Tell what changed; no change of configuration replaces what is there."""
        olds = self._provider_inputs(request.old_inputs if request.old_inputs.fields else request.olds)
        return response(differences(olds, self._provider_inputs(request.news)), replaced_by=(), delete_first=False)

    @rpc
    def Configure(self, request: Message, context: Any) -> Message:
        """Take the configuration."""
        self._configuration = reveal(self._provider_inputs(request.args))
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=False)

    def _provider_inputs(self, struct: Message) -> dict[str, Any]:
        """Return the provider's inputs. All but strings travel as JSON texts; they are decoded here."""
        tree = {key: value for key, value in self._tree(struct).items() if key not in _ENGINES_OWN}
        schema = self._cloud.schema
        declared = schema.objects[schema.inputs(provider_token(self.package))["type"]]
        return {key: shaping.decoded(declared.get(key, {}).get("type", {}), value) for key, value in tree.items()}

    # -- resources -----------------------------------------------------------------------------------------------------

    @rpc
    def Check(self, request: Message, context: Any) -> Message:
        """Complete the inputs; check them against the SDK, then against the rules of the cloud."""
        kind, news = self._kind(request.urn), self._tree(request.news)
        name = shaping.logical_name(request.urn)
        if kind.autoname is not None:
            news = shaping.named(kind.autoname, name, news, self._tree(request.olds), request.randomSeed)
        for key, value in kind.defaults.items():
            if news.get(key) is None:
                news[key] = value
        found = list(checking.problems(self._cloud.schema, kind.token, news))
        if not found:
            old_inputs = reveal(self._tree(request.olds)) if request.olds.fields else None
            found = problems_of(kind.checks, self._subject(request.urn, inputs=reveal(news), old_inputs=old_inputs))
        added = self._added(kind, self._subject(request.urn, inputs=reveal(news)))
        news |= mark_containing(added, secret_strings(news))
        return provider_pb2.CheckResponse(inputs=to_struct(news), failures=self._failures(found))

    @rpc
    def Diff(self, request: Message, context: Any) -> Message:
        """Compare the inputs of the last run with the new ones."""
        kind, news = self._kind(request.urn), self._tree(request.news)
        state = self._tree(request.olds)
        olds = self._tree(request.old_inputs) or {key: state[key] for key in state if key in news}
        for path in kind.compared_to_state:
            olds = with_value_of(olds, state, parse_path(path))
        found = without(differences(olds, news), request.ignoreChanges)
        replacing = [parse_path(path) for path in kind.replaced_by]
        if kind.replaces is not None and found:
            subject = self._subject(
                request.urn, inputs=reveal(news), old_inputs=reveal(olds), state=reveal(state), id=request.id
            )
            replacing += [parse_path(path) for path in kind.replaces(subject)]
        first = kind.delete_first or shaping.keeps_a_given_name(kind, shaping.logical_name(request.urn), olds, news)
        return response(found, replaced_by=replacing, delete_first=first)

    @rpc
    def Create(self, request: Message, context: Any) -> Message:
        """Make the resource, or say what is known about it before it is made."""
        kind, inputs = self._kind(request.urn), self._tree(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=to_struct(shaping.foreseen(kind, inputs, {})))
        subject = self._subject(request.urn, inputs=shaping.complete(kind, inputs))
        with shaping.partials_marked(kind, inputs):
            made = self._cloud.create(kind, subject)
        outputs = self._marked(kind, made.outputs, inputs)
        return provider_pb2.CreateResponse(id=made.id, properties=to_struct(outputs))

    @rpc
    def Update(self, request: Message, context: Any) -> Message:
        """Change the resource in place, or say what is known about it before."""
        kind, inputs, state = self._kind(request.urn), self._tree(request.news), self._tree(request.olds)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=to_struct(shaping.foreseen(kind, inputs, state)))
        old_inputs = self._tree(request.old_inputs) or state
        subject = self._subject(
            request.urn,
            inputs=shaping.complete(kind, inputs),
            old_inputs=reveal(old_inputs),
            state=reveal(state),
            id=request.id,
        )
        with shaping.partials_marked(kind, inputs):
            made = self._cloud.update(kind, subject)
        return provider_pb2.UpdateResponse(properties=to_struct(self._marked(kind, made.outputs, inputs)))

    @rpc
    def Read(self, request: Message, context: Any) -> Message:
        """Return the resource as it is now; an empty answer means that it is gone. It serves refresh and import."""
        kind, state, inputs = self._kind(request.urn), self._tree(request.properties), self._tree(request.inputs)
        found = self._cloud.read(kind, self._subject(request.urn, inputs=reveal(inputs), id=request.id))
        if found is None:
            return provider_pb2.ReadResponse()
        like = {**inputs, **state}
        return provider_pb2.ReadResponse(
            id=found.id,
            properties=to_struct(self._marked(kind, found.outputs, like)),
            inputs=to_struct(mark_like(found.inputs, like)),
        )

    @rpc
    def Delete(self, request: Message, context: Any) -> Message:
        """Delete the resource."""
        kind, state = self._kind(request.urn), self._tree(request.properties)
        subject = self._subject(request.urn, inputs=reveal(state), state=reveal(state), id=request.id)
        self._cloud.delete(kind, subject)
        return empty_pb2.Empty()

    @rpc
    def Invoke(self, request: Message, context: Any) -> Message:
        """Call a function of the cloud."""
        functions = self._definition.functions
        if request.tok not in functions:
            hint = nearest(request.tok, functions)
            raise PluginError(f"the stand-in for `{self.package}` has no function `{request.tok}`.{hint}")
        arguments = reveal(self._tree(request.args))
        subject = self._subject(f"::::{request.tok}::{request.tok}", inputs={})
        call = Call(arguments=arguments, configuration=self._configuration, subject=subject)
        try:
            answer = functions[request.tok](call)
        except Refused as error:
            found = self._failures([(error.path, error.text)])
            return provider_pb2.InvokeResponse(failures=found)
        return provider_pb2.InvokeResponse(**{"return": to_struct(answer)})

    # -- inside --------------------------------------------------------------------------------------------------------

    def _kind(self, urn: str) -> ResourceType:
        token = shaping.token_of(urn)
        if token not in self._types:
            known = self._types
            raise PluginError(
                f"the stand-in for `{self.package}` does not simulate {token}, so it cannot be rehearsed."
                f"{nearest(token, known)} It has: {listing((one.kind for one in known.values()), most=60)}"
            )
        return self._types[token]

    def _added(self, kind: ResourceType, subject: Subject) -> dict[str, Any]:
        """Return what the provider adds to the inputs from its own configuration."""
        known = self._cloud.schema.outputs(kind.token)
        return {key: value for key, value in self._definition.added(subject).items() if key in known}

    def _subject(self, urn: str, **values: Any) -> Subject:
        return Subject(
            cloud=self.package,
            token=shaping.token_of(urn),
            name=shaping.logical_name(urn),
            urn=urn,
            world=self._cloud.world,
            configuration=self._configuration,
            status=lambda text: self.engine.status(text, urn),
            cancelled=self.cancelled,
            **values,
        )

    def _tree(self, struct: Message) -> dict[str, Any]:
        """Return a property tree; what is secret in it will be masked in every message from now on."""
        tree = from_struct(struct)
        self.engine.add_secrets(secret_strings(tree))
        return tree

    def _marked(self, kind: ResourceType, outputs: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
        marked = shaping.marked(kind, outputs, like)
        self.engine.add_secrets(secret_strings(marked))
        return marked

    def _failures(self, found: Iterable[tuple[str, str]]) -> list[Message]:
        return [provider_pb2.CheckFailure(property=path, reason=self.engine.mask(text)) for path, text in found]
