"""The Secret with which pods pull from the registry that has the copies of images."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pulumi
from pulumi_kubernetes.core.v1 import Secret

if TYPE_CHECKING:
    from pulumi_kubernetes.core.v1 import LocalObjectReferenceArgsDict

    from qhub.config.images import Images


def pull_secret(
    name: str,
    images: Images,
    secret_name: str,
    *,
    namespace: str,
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource],
) -> Secret:
    """Make a Secret of type kubernetes.io/dockerconfigjson.

    There is one for each release, in its namespace: pods can only use Secrets of their own.

    Args:
        name: logical name.
        images: the `images` section, with registry and credentials.
        secret_name: name of the Secret.
        namespace: an existing namespace.
        parent: component that owns it.
        depends_on: what has to be there before, such as the namespace.
    """
    document = pulumi.Output.secret(docker_config(images))
    return Secret(
        name,
        metadata={"name": secret_name, "namespace": namespace},
        type="kubernetes.io/dockerconfigjson",
        string_data={".dockerconfigjson": document},
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(depends_on)),
    )


def pull_secrets(
    name: str,
    images: Images | None,
    secret_name: str,
    *,
    namespace: str,
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource],
) -> list[pulumi.Resource]:
    """Make the Secret for pods of our own where `images` has credentials; return it, or nothing. See `pull_secret`."""
    if images is None or images.credentials is None:
        return []
    return [pull_secret(name, images, secret_name, namespace=namespace, parent=parent, depends_on=depends_on)]


def pulls_with(images: Images | None, secret_name: str) -> dict[str, list[LocalObjectReferenceArgsDict]]:
    """Return what `spec` of a pod says of that Secret; nothing where there is none."""
    if images is None or images.credentials is None:
        return {}
    return {"image_pull_secrets": [{"name": secret_name}]}


def docker_config(images: Images) -> str:
    """Return the credentials as container runtimes read them: a JSON document, which is a secret as a whole.

    Raises:
        ValueError: there are none.
    """
    if images.credentials is None or images.host is None:
        raise ValueError("images.registry or images.credentials is not set")
    username, password = images.credentials.username, images.credentials.password.get_secret_value()
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    return json.dumps({"auths": {images.host: {"username": username, "password": password, "auth": auth}}})
