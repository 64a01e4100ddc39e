"""Names as the systems behind the settings accept them: DNS, Kubernetes, Unix, images, charts."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from qhub.config.model import Expected

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")
_USER = re.compile(r"[a-z0-9_][a-z0-9_.@+:-]{0,254}")
_GROUP = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?")
_IMAGE = re.compile(r"[a-z0-9]+([._:/-]+[a-z0-9]+)*")
_SEMVER = re.compile(r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")

#: Top-level names that never reach the public DNS: RFC 6761, RFC 6762, RFC 8375, RFC 9476 and ICANN's `internal`.
_PRIVATE_TOP_LEVELS = frozenset({"localhost", "local", "internal", "test", "invalid", "example", "arpa", "alt", "lan"})
#: A Kubernetes name ends at 63 characters, and `-storage` is the longest ending of the namespaces beside the hub's.
LONGEST_NAMESPACE = 63 - len("-storage")

#: RFC 2606: reserved for documentation, so a certificate authority refuses them.
_DOCUMENTATION = ("example.com", "example.net", "example.org")


def is_ip_address(text: str) -> bool:
    """Return whether the text is an IPv4 or IPv6 address."""
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_public_domain(domain: str) -> bool:
    """Return whether the name can be found in the public DNS, going by the name alone: nothing is looked up."""
    labels = domain.split(".")
    return len(labels) > 1 and not is_ip_address(domain) and labels[-1] not in _PRIVATE_TOP_LEVELS


def is_documentation_domain(domain: str) -> bool:
    """Return whether the name is one of those reserved for examples (RFC 2606)."""
    return any(domain == name or domain.endswith(f".{name}") for name in _DOCUMENTATION)


def _domain(text: str) -> str:
    if "://" in text or "/" in text:
        bare = text.rsplit("://", maxsplit=1)[-1].split("/", maxsplit=1)[0]
        raise ValueError(f'"{text}" is an address; write the host name alone: {bare}')
    address = text.removeprefix("[").removesuffix("]")
    if is_ip_address(address):
        # Kubernetes refuses an Ingress for one: "must be a DNS name, not an IP address".
        wildcard = "" if ":" in address else f" such as {address}.nip.io"
        raise ValueError(
            f'"{text}" is an IP address, and a DNS name is needed: one of your own zone, one that everybody has in '
            f"/etc/hosts, or one of a wildcard DNS service{wildcard}"
        )
    if ":" in text:
        raise ValueError(f'"{text}" has a port; write the host name alone: {text.split(":", maxsplit=1)[0]}')
    if text != text.lower():
        raise ValueError(f'"{text}" has capital letters; write {text.lower()}')
    bad = [label for label in text.split(".") if not _LABEL.fullmatch(label)]
    if bad or len(text) > 253:
        part = f'its part "{bad[0]}" ' if bad and bad[0] else "a part of it " if bad else "it "
        raise ValueError(
            f'"{text}" is not a DNS name: {part}is empty, too long, or has something other than a-z, 0-9 and inner "-"'
        )
    return text


def _kubernetes_name(text: str) -> str:
    if not _LABEL.fullmatch(text):
        plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        hint = f"; write {plain}" if _LABEL.fullmatch(plain) else ""
        raise ValueError(f'"{text}" is not a Kubernetes name: a-z, 0-9 and inner "-", at most 63 characters{hint}')
    return text


def _namespace_name(text: str) -> str:
    if len(_kubernetes_name(text)) > LONGEST_NAMESPACE:
        raise ValueError(
            f'"{text}" is too long: "{text}-storage" and others are made beside it, so at most {LONGEST_NAMESPACE}'
        )
    return text


def _object_name(text: str) -> str:
    if len(text) > 253 or not all(_LABEL.fullmatch(part) for part in text.split(".")):
        raise ValueError(f'"{text}" is not a Kubernetes object name: a-z, 0-9, inner "-" and "."')
    return text


def _label_key(text: str) -> str:
    prefix, _, name = text.rpartition("/")
    if (prefix and not all(_LABEL.fullmatch(part) for part in prefix.split("."))) or not _QUALIFIED.fullmatch(name):
        raise ValueError(f'"{text}" is not a Kubernetes label or annotation key, for example "example.org/purpose"')
    return text


def _label_value(text: str) -> str:
    if not _LABEL_VALUE.fullmatch(text):
        raise ValueError(f'"{text}" is not a Kubernetes label value: letters, digits, inner "-", "_", "."; at most 63')
    return text


def _user_name(text: str) -> str:
    if text != text.lower():
        raise ValueError(f'"{text}" would never match: JupyterHub lower-cases names at sign-in; write {text.lower()}')
    if not _USER.fullmatch(text):
        raise ValueError(f'"{text}" is not a user name: a-z, 0-9 and . _ @ + : -, without spaces')
    return text


def _group_name(text: str) -> str:
    if not _GROUP.fullmatch(text):
        raise ValueError(f'"{text}" is not a Unix group name: a-z, 0-9, "_" and "-", a letter first, at most 31')
    return text


def _image_name(text: str) -> str:
    last = text.rsplit("/", 1)[-1]
    if ":" in last or "@" in last:
        raise ValueError(f'"{text}" holds a tag or digest: put what follows the name into "tag"')
    if not _IMAGE.fullmatch(text):
        raise ValueError(f'"{text}" is not an image name, for example quay.io/jupyter/scipy-notebook')
    return text


def _image_tag(text: str) -> str:
    day, midnight, _ = text.partition(" 00:00:00")
    if midnight:  # the engine hands a bare date on like this
        raise ValueError(f'{day} was read as a date: put it in quotes, "{day}"')
    if not _TAG.fullmatch(text):
        raise ValueError(f'"{text}" is not an image tag: letters, digits, "_", "." and "-", at most 128')
    return text


def _chart_version(text: str) -> str:
    if not _SEMVER.fullmatch(text):
        raise ValueError(f'"{text}" is not a chart version: three numbers, for example 4.4.0, never a range')
    return text


def _chart_repository(text: str) -> str:
    if not text.startswith(("https://", "http://", "oci://")):
        raise ValueError(f'"{text}" is not a chart repository: an address that starts with https:// or oci://')
    return text.rstrip("/")


def _organization(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(:[A-Za-z0-9_.-]+)?", text):
        raise ValueError(f'"{text}" is not a GitHub organization or team: write organization or organization:team')
    return text


def _cidr(text: str) -> str:
    from ipaddress import ip_network

    try:
        whole = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f'"{text}" is not an address range, for example 203.0.113.0/24') from None
    if text not in (str(whole), str(whole.network_address)):
        raise ValueError(f'"{text}" is an address inside of a range; write {whole} for the range')
    return text


def _ip(text: str) -> str:
    if not is_ip_address(text):
        raise ValueError(f'"{text}" is not an IP address')
    return text


DomainName = Annotated[str, AfterValidator(_domain), Expected("a host name, for example hub.example.org")]
KubernetesName = Annotated[
    str, AfterValidator(_kubernetes_name), Expected('a name of a-z, 0-9 and "-", at most 63 characters')
]
NamespaceName = Annotated[
    str,
    AfterValidator(_namespace_name),
    Expected(f'a name of a-z, 0-9 and "-", at most {LONGEST_NAMESPACE} characters'),
]
ObjectName = Annotated[str, AfterValidator(_object_name), Expected("the name of a Kubernetes object")]
LabelKey = Annotated[str, AfterValidator(_label_key), Expected('a Kubernetes key, for example "example.org/purpose"')]
LabelValue = Annotated[
    str, AfterValidator(_label_value), Expected('text; put numbers and true/false in quotes, for example "true"')
]
AnnotationValue = Annotated[str, Expected('text; put numbers and true/false in quotes, for example "true"')]
UserName = Annotated[str, AfterValidator(_user_name), Expected("a user name in lower case")]
GroupName = Annotated[str, AfterValidator(_group_name), Expected("the name of a group")]
ImageName = Annotated[str, AfterValidator(_image_name), Expected("an image name without its tag")]
ImageTag = Annotated[str, AfterValidator(_image_tag), Expected('an image tag as text, in quotes: "2026-05-26"')]
ChartVersion = Annotated[str, AfterValidator(_chart_version), Expected('a chart version as text, for example "4.4.0"')]
ChartRepository = Annotated[
    str, AfterValidator(_chart_repository), Expected("an address that starts with https:// or oci://")
]
Organization = Annotated[str, AfterValidator(_organization), Expected("organization or organization:team")]
AddressRange = Annotated[str, AfterValidator(_cidr), Expected("an address range, for example 203.0.113.0/24")]
IpAddress = Annotated[str, AfterValidator(_ip), Expected("an IP address")]
Email = Annotated[
    str,
    Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254),
    Expected("an e-mail address, for example ops@example.org"),
]
Text = Annotated[str, Field(min_length=1), Expected("text")]
