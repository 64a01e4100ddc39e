"""Resources of any type on the simulated DigitalOcean; "${name.output}" stands for an output of one further up."""

import re
from typing import Any

import pulumi
import pulumi_digitalocean as digitalocean

config = pulumi.Config()
provider = digitalocean.Provider("digitalocean", token=pulumi.Output.secret("dop_v1_the-token-of-the-account"))
made: dict[str, "Anything"] = {}


class Anything(pulumi.CustomResource):
    """A resource of whatever type."""

    ipRange: pulumi.Output[str]
    host: pulumi.Output[str]
    kubeConfigs: pulumi.Output[Any]


def filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: filled(item) for key, item in value.items()}
    if isinstance(value, str) and (found := re.fullmatch(r"\$\{([\w-]+)\.(\w+)\}", value)):
        return getattr(made[found[1]], found[2])
    return value


for name, token, inputs in config.require_object("resources"):
    options = pulumi.ResourceOptions(provider=provider)
    outputs = {"ipRange": None, "host": None, "kubeConfigs": None}
    made[name] = Anything(token, name, {**outputs, **filled(inputs)}, options)
    for key in outputs:
        pulumi.export(f"{name}-{key}", getattr(made[name], key))
