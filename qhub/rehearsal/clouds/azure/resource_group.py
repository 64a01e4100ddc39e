"""Resource groups. All that is in one goes with it."""

from __future__ import annotations

from qhub.rehearsal.clouds.azure.tokens import GROUP, group_id, location, name, not_locked, tags
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.subject import Subject


def _take_everything(subject: Subject) -> None:
    for record in subject.world.records(subject.cloud):
        if record.id.startswith(f"{subject.id}/"):
            subject.world.remove(record.cloud, record.type, record.id)


GROUP_TYPE = ResourceType(
    token=GROUP,
    create_seconds=2,
    update_seconds=2,
    # A group is looked through for what is left; even an empty one takes its time.
    delete_seconds=20,
    autoname=AutoName(property="resourceGroupName", separator="", digits=8),
    replaced_by=("resourceGroupName", "location"),
    id=lambda subject: group_id(subject, subject.inputs["resourceGroupName"]),
    outputs=lambda subject: {
        "name": subject.inputs["resourceGroupName"],
        "type": "Microsoft.Resources/resourceGroups",
        "properties": {"provisioningState": "Succeeded"},
    },
    checks=(
        name("resourceGroupName", r"[\w().-]{0,89}[\w()-]", "letters, digits, _ - . ( ), no dot at the end, 1 to 90"),
        location(),
        tags(),
    ),
    before_delete=(not_locked,),
    after_delete=_take_everything,
)
