"""The TLS certificate of the hub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from qhub.config.model import Problem, Section
from qhub.config.names import Email, ObjectName, is_public_domain


class Certificates(Section):
    """Who vouches for the hub's address."""

    issuer: Literal["letsencrypt", "letsencrypt-staging", "self-signed", "existing-secret", "none"] = Field(
        default="self-signed",
        description="letsencrypt: trusted by browsers, needs a public domain; letsencrypt-staging: the same way, for "
        "trying out, not trusted; self-signed: browsers warn; existing-secret: a certificate you bring; none: plain "
        "HTTP, for use behind something that ends TLS.",
    )
    email: Email | None = Field(
        default=None, description="Contact address for Let's Encrypt; required for letsencrypt and letsencrypt-staging."
    )
    challenge: Literal["http01", "dns01"] = Field(
        default="http01",
        description="How the domain is proven to be yours to Let's Encrypt. http01: it connects to the hub's port 80 "
        "from the internet; dns01: by a record in the zone of section `dns`, also for a hub that it cannot reach.",
    )
    secret_name: ObjectName | None = Field(
        default=None,
        description="Secret of type kubernetes.io/tls in the hub's namespace; required for existing-secret.",
    )

    @property
    def acme(self) -> bool:
        """Whether Let's Encrypt issues the certificate."""
        return self.issuer.startswith("letsencrypt")

    @property
    def dns01(self) -> bool:
        """Whether the domain is proven by a record in its zone."""
        return self.acme and self.challenge == "dns01"


def issuer_has_what_it_needs(certificates: Certificates) -> Iterator[Problem]:
    """Let's Encrypt wants a contact; an existing certificate has a name."""
    if certificates.acme and certificates.email is None:
        yield Problem(
            ("certificates", "email"),
            f"issuer {certificates.issuer} needs a contact address: add a line such as `email: ops@example.org`",
        )
    if certificates.issuer == "existing-secret" and certificates.secret_name is None:
        yield Problem(
            ("certificates", "secret_name"),
            "issuer existing-secret needs the name of the kubernetes.io/tls Secret: add `secret_name: ...`",
        )
    if certificates.issuer != "existing-secret" and certificates.secret_name is not None:
        yield Problem(
            ("certificates", "secret_name"),
            f"is not used with issuer {certificates.issuer}: remove it, or write `issuer: existing-secret`",
        )


def challenge_is_of_lets_encrypt(certificates: Certificates) -> Iterator[Problem]:
    """Nobody else asks for a proof."""
    if certificates.challenge == "dns01" and not certificates.acme:
        yield Problem(
            ("certificates", "challenge"),
            f"is not used with issuer {certificates.issuer}: remove it, or write `issuer: letsencrypt`",
        )


def acme_reaches_the_domain(domain: str, certificates: Certificates) -> Iterator[Problem]:
    """Let's Encrypt looks the domain up in the public DNS."""
    if certificates.acme and not is_public_domain(domain):
        yield Problem(
            ("certificates", "issuer"),
            f"Let's Encrypt cannot reach {domain}, which is not a name in the public DNS: write `issuer: self-signed`, "
            "or choose a public domain",
        )
