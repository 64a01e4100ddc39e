"""Secrets that nobody chooses: made once, kept in the stack's state, never shown."""

from __future__ import annotations

import base64
from functools import cached_property

import pulumi
from pulumi_random import Provider, RandomBytes

#: JupyterHub's cookie secret, its CryptKeeper keys and proxy token are 32 bytes each, written as 64 hex digits.
SECRET_BYTES = 32

#: What stands before the 32 bytes of an Ed25519 private key in PKCS #8 (RFC 8410, section 7): version 0, the identifier
#: 1.3.101.112 of the algorithm, and the lengths of what follows.
ED25519_PKCS8 = bytes.fromhex("302e020100300506032b657004220420")


class GeneratedSecrets(pulumi.ComponentResource):
    """The tokens between the parts of the platform.

    The charts would make these on their own, but anew at each render: a second `up` would then restart the hub and sign
    everybody out.

    Creates:
        a provider for `random`; RandomBytes for the hub's cookie secret, the proxy token, the key of the
        stored sign-in state, the API token of Dask Gateway, and the host key of the SSH server (also where
        there is none: one that is switched off and on again keeps its key, or everybody's client would warn).

    Attributes:
        metrics_token, grafana_token, grafana_password: the same, made when they are first asked for: not every stack
            is monitored.
        cookie_secret, proxy_token, crypt_key, dask_gateway_token: 64 hex digits each, secret outputs.
        ssh_host_key: private key as PEM, a secret output.
    """

    cookie_secret: pulumi.Output[str]
    proxy_token: pulumi.Output[str]
    crypt_key: pulumi.Output[str]
    dask_gateway_token: pulumi.Output[str]
    ssh_host_key: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:platform:Secrets", name, None, opts)
        self._provider = Provider(f"{name}-random", opts=pulumi.ResourceOptions(parent=self))
        self.cookie_secret = self._make(f"{name}-hub-cookie-secret")
        self.proxy_token = self._make(f"{name}-proxy-token")
        self.crypt_key = self._make(f"{name}-hub-crypt-key")
        self.dask_gateway_token = self._make(f"{name}-dask-gateway-token")
        self._name = name
        self.ssh_host_key = self._make(f"{name}-ssh-host-key").apply(ed25519_key)
        self.register_outputs({})

    @cached_property
    def metrics_token(self) -> pulumi.Output[str]:
        """Token that the hub knows Prometheus by."""
        return self._make(f"{self._name}-metrics-token")

    @cached_property
    def grafana_token(self) -> pulumi.Output[str]:
        """Token that the hub knows Grafana by."""
        return self._make(f"{self._name}-grafana-token")

    @cached_property
    def grafana_password(self) -> pulumi.Output[str]:
        """Password of Grafana's administrator."""
        return self._make(f"{self._name}-grafana-password")

    def _make(self, name: str) -> pulumi.Output[str]:
        """Return the hex digits of a new RandomBytes, as a secret."""
        made = RandomBytes(
            name,
            length=SECRET_BYTES,
            opts=pulumi.ResourceOptions(parent=self, provider=self._provider),
        )
        return pulumi.Output.secret(made.hex)


def ed25519_key(hex_digits: str) -> str:
    """Return the Ed25519 private key, as PEM, that is these 32 random bytes (RFC 8032, section 5.1.5: any are one)."""
    key = base64.b64encode(ED25519_PKCS8 + bytes.fromhex(hex_digits)).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n"
