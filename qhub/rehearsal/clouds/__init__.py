"""Stand-in plugins for clouds: a simulated cloud on disk behind the provider protocol, for rehearsals only.

A cloud is a folder here (`aws/`, `gcp/`, `digitalocean/`, `azure/`) whose `__init__.py` has one public name, `CLOUD`, a
`CloudDefinition`. The framework does the rest: every input is checked against the provider's own Python package
(unknown, missing and ill-typed ones are errors, nested ones too), operations take their time on a scaled clock, fail on
request, are logged, and survive a kill. A cloud's author writes only what the cloud *means*.

## A worked example

    # clouds/example/__init__.py
    from qhub.rehearsal.clouds.resource import AutoName, CloudDefinition, ResourceType
    from qhub.rehearsal.clouds.rules import address_range, inside_range, matches, no_overlap, not_used_by, refers_to
    from qhub.rehearsal.clouds.subject import Subject

    VPC = "aws:ec2/vpc:Vpc"
    SUBNET = "aws:ec2/subnet:Subnet"

    def _zone_is_of_the_region(subject: Subject):
        region, zone = subject.configuration.get("region"), subject.get("availabilityZone")
        if region and zone and not zone.startswith(region):          # `get` is None for what is not known yet
            yield "availabilityZone", f"{zone} is not in {region}, the provider's region"

    def _vpc_outputs(subject: Subject) -> dict:
        return {"arn": f"arn:aws:ec2:{subject.configuration['region']}:123456789012:vpc/{subject.id}"}

    CLOUD = CloudDefinition(
        package="aws",                                               # as in tokens
        sdk="pulumi_aws",
        resources=(
            ResourceType(
                token=VPC,
                create_seconds=4,
                id=lambda subject: f"vpc-{subject.hex(17)}",         # stable for the life of the resource
                outputs=_vpc_outputs,                                # inputs are outputs already
                replaced_by=("cidrBlock",),
                checks=(address_range("cidrBlock", largest=16, smallest=28),),
                before_delete=(not_used_by(SUBNET, "vpcId"),),
            ),
            ResourceType(
                token=SUBNET,
                id=lambda subject: f"subnet-{subject.hex(17)}",
                replaced_by=("vpcId", "cidrBlock", "availabilityZone"),
                checks=(address_range("cidrBlock"), _zone_is_of_the_region),
                conditions=(                                         # in the cloud, when it is made or changed
                    refers_to("vpcId", VPC),
                    inside_range("cidrBlock", VPC, reference="vpcId", of=("cidrBlock",)),
                    no_overlap("cidrBlock", SUBNET, same=("vpcId",)),
                ),
            ),
        ),
        functions={"aws:index/getCallerIdentity:getCallerIdentity": lambda call: {"accountId": "123456789012"}},
        configuration=(matches("region", "[a-z]{2}-[a-z]+-[0-9]", "a region, for example eu-central-1"),),
    )

## What a rule sees

| phase           | runs                            | inputs                  | the cloud (`find`, `all`, `require`) |
|-----------------|---------------------------------|-------------------------|--------------------------------------|
| `checks`        | preview and update, first       | unknown reads as absent | not yet made things are absent       |
| `conditions`    | just before create and update   | all known               | as it is                             |
| `id`            | create                          | all known               | as it is                             |
| `during_create` | while being made                | all known               | the resource is there, not ready     |
| `after_*`       | when made, changed or gone      | all known               | as it is                             |
| `outputs`       | after each of them, and on read | all known               | as it is; no changes                 |
| `before_delete` | before a delete                 | as last applied         | as it is                             |

A rule yields `(property path, text)`; hooks and `outputs` raise `subject.refuse(path, text)`. The message that a person
reads adds the type and the logical name. Outputs must exist in the SDK: a wrong name is an error at the first create.

A cloud's `given` says what the settings name as there already (a network, a registry), and `zone` where the hub's name
is managed; `definitions.give` puts both into the world before the first run, and `World.left` does not count them.

Modules: `resource` (what is declared), `subject` (what a rule sees), `rules` (ready-made checks), `kubernetes` (for
clusters and node pools), `names` (DNS), `schema` and `checking` (the SDK's types), `world`, `clock`, `faults`,
`operations` and `provider` (the protocol), `mutation` (how much of what is wrong the types tell).
"""

from __future__ import annotations
