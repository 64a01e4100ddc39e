"""Values for a way of signing in whose addresses lead to the provider of the tests."""

from __future__ import annotations

from typing import Any

from qhub.platform.authentication_values import AUTHENTICATORS
from qhub.platform.jupyterhub_values import JupyterHubSecrets
from tests.unit.hub.provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.unit.platform.building import hub_values, make_settings

GROUPS: dict[str, Any] = {
    "users": {"ada": {"secondary_groups": ["developer"]}},
    "groups": {"analyst": {"gid": 1100}, "developer": {"gid": 1101}},
}
#: Stands for the address of the provider, which is known once it runs.
HTTPS = "https://login.test"


def values_for(kind: str, written: dict[str, Any], options: dict[str, str], provider: Provider) -> dict[str, Any]:
    """Return the values for one way of signing in, whose addresses lead to the server of the test."""
    own = {key: provider.address if value == HTTPS else value for key, value in written.items()}
    section = {"type": kind, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **own}
    settings = make_settings(authentication=section, **GROUPS)
    secrets = JupyterHubSecrets(
        cookie_secret="c0" * 32,
        crypt_key="c1" * 32,
        proxy_token="c2" * 32,
        dask_gateway_token="c3" * 32,
        sign_in=CLIENT_SECRET,
    )
    values = hub_values(settings, secrets=secrets)
    lead = {option: provider.address + path for option, path in options.items()}
    values["hub"]["config"][AUTHENTICATORS[kind][1]] |= lead
    return values
