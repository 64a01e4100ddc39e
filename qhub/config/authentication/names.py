"""Names and addresses as the places accept them where people sign in."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from qhub.config.model import Expected

_TEAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}:[A-Za-z0-9_.-]+")
_TENANT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+")
_PREFIX = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_PATTERN = re.compile(r"[a-z0-9*?.-]+\.[a-z*?-]+")
_LOCAL = ("localhost", "127.0.0.1")


def _web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        local = parts.hostname in _LOCAL
    except ValueError as error:
        raise ValueError(f'"{text}" is not an address: {error}') from None
    if parts.scheme == "http" and not local:
        raise ValueError(f'"{text}" is not encrypted, and passwords cross it: write https://')
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(f'"{text}" is not an address, for example https://login.example.org')
    if parts.query or parts.fragment:
        raise ValueError(f'"{text}" has a part after "?" or "#": write the address without it')
    return text.rstrip("/")


def _team(text: str) -> str:
    if not _TEAM.fullmatch(text):
        raise ValueError(f'"{text}" is not a team: write organization:team, as in the address of its page')
    return text


def _tenant(text: str) -> str:
    if not _TENANT.fullmatch(text):
        raise ValueError(f'"{text}" is not a tenant: write its ID (8-4-4-4-12 hex digits) or its domain')
    return text


def _entity_id(text: str) -> str:
    if not text.startswith(("https://", "http://", "urn:")):
        raise ValueError(
            f'"{text}" is not an EntityID: look it up at https://cilogon.org/idplist; it starts with https://, http:// '
            "or urn:"
        )
    return text


def _user_prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text):
        raise ValueError(f'"{text}" is not a prefix: a-z, 0-9 and "-", at most 31; the ":" after it is ours')
    return text


def _domain_pattern(text: str) -> str:
    if not _PATTERN.fullmatch(text.lower()):
        raise ValueError(f'"{text}" is not a domain: write for example example.org, or "*.example.org"')
    return text.lower()


WebAddress = Annotated[str, AfterValidator(_web_address), Expected("an address that starts with https://")]
Team = Annotated[str, AfterValidator(_team), Expected("organization:team")]
Tenant = Annotated[str, AfterValidator(_tenant), Expected("the ID or the domain of a tenant")]
EntityId = Annotated[str, AfterValidator(_entity_id), Expected("an EntityID from https://cilogon.org/idplist")]
UserPrefix = Annotated[str, AfterValidator(_user_prefix), Expected("a short word in lower case, for example github")]
DomainPattern = Annotated[str, AfterValidator(_domain_pattern), Expected('a domain, for example "*.example.org"')]
