"""What somebody answers `qhub init` on each cloud, and with each way of signing in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner, Result

from qhub.cli import main
from qhub.init.questions import APPLICATIONS

#: What every answer begins with. A file with it is whole but for the secret.
GITHUB = {
    "sign-in": "github",
    "organizations": "lab,lab:data",
    "admin-users": "alice",
    "client-id": "an-id",
    "staging-client-id": "another-id",
}
HUB = {"domain": "hub.lab.org", "email": "ops@lab.org"}

#: Cloud -> options.
CLOUDS: dict[str, dict[str, str]] = {
    "aws": {**HUB, "region": "eu-west-1", **GITHUB},
    "gcp": {**HUB, "region": "europe-west4", "project": "lab-1234", **GITHUB},
    "digitalocean": {**HUB, "region": "fra1", **GITHUB},
    "azure": {**HUB, "region": "westeurope", **GITHUB},
    "existing": {**HUB, "context": "prod-cluster", "staging-context": "staging-cluster", **GITHUB},
}

_OF_EACH: dict[str, dict[str, str]] = {
    "github": {"organizations": "lab"},
    "gitlab": {"gitlab-url": "https://git.lab.org", "allowed-groups": "lab/data"},
    "google": {"hosted-domains": "lab.org"},
    "azuread": {"tenant": "lab.org", "allowed-groups": "11111111-2222-3333-4444-555555555555"},
    "auth0": {"auth0-domain": "lab.eu.auth0.com", "admin-users": "ada@lab.org"},
    "oidc": {"issuer": "https://login.lab.org/realms/team", "allowed-groups": "data"},
    "cilogon": {"identity-providers": "https://idp.lab.org/shibboleth", "admin-users": "ada@lab.org"},
    "native": {"admin-users": "ada"},
    "dummy": {},
}
_IDS = {"client-id": "an-id", "staging-client-id": "another-id"}
#: Way of signing in -> options.
SIGN_INS: dict[str, dict[str, str]] = {
    name: {**HUB, "sign-in": name, **own, **(_IDS if name in APPLICATIONS else {})} for name, own in _OF_EACH.items()
}


def init(cloud: str, options: Mapping[str, str], *, output: Path | None = None, typed: str | None = None) -> Result:
    """Run `qhub init`; `typed` is what somebody at a terminal types."""
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    where = [] if output is None else ["--output", str(output)]
    return CliRunner().invoke(main, ["init", cloud, *words, *where], input=typed)


def seal(folder: Path) -> None:
    """Do to the stack files what `pulumi config set --secret` does, for every secret that is asked for."""
    from qhub.config.check import check_settings_file

    for stack in ("staging", "prod"):
        file = folder / f"Pulumi.{stack}.yaml"
        for mistake in check_settings_file(file).mistakes:
            key = mistake.key.rpartition(".")[2]
            if "--secret" in mistake.message:
                text = file.read_text().replace(
                    "  qhub:authentication:\n", f"  qhub:authentication:\n    {key}: {{secure: v1:abc}}\n"
                )
                file.write_text(text)
