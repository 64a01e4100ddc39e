"""Keys and certificates of one embedded cluster.

Two authorities, so that a certificate which opens the API server never opens etcd, where no rule is checked:

- `ca`: the API server's certificate and every client of it;
- `etcd-ca`: etcd's certificate and its one client, the API server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qhub.rehearsal.cluster.layout import write_private
from qhub.rehearsal.cluster.network import LOOPBACK, NODE

if TYPE_CHECKING:
    import trustme

#: Names under which the API server is reached: from this machine, and from pods where a node runs some. A real node's
#: kubelet shows the same certificate, at the node's address.
SERVER_NAMES = (
    "127.0.0.1",
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    LOOPBACK.kubernetes,
    NODE.kubernetes,
    NODE.advertised,
)


@dataclass(frozen=True)
class Identity:
    """Who a client certificate stands for: the API server takes the user from CN and the group from O."""

    user: str
    group: str = ""


#: Clients of the API server that every cluster has, by the name of their files. The `system:` users get their rights
#: from the roles that the API server sets up by itself.
IDENTITIES: Mapping[str, Identity] = {
    "admin": Identity("qhub-admin", "system:masters"),
    "kube-controller-manager": Identity("system:kube-controller-manager"),
    "kube-scheduler": Identity("system:kube-scheduler"),
    "controllers": Identity("rehearsal:controllers"),
}


@dataclass(frozen=True)
class Pki:
    """The files in `folder`. Certificates end in `.crt`, keys in `.key`."""

    folder: Path

    def certificate(self, name: str) -> Path:
        """Return the path of a certificate."""
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Return the path of a private key."""
        return self.folder / f"{name}.key"

    def ensure(self, identities: Mapping[str, Identity]) -> None:
        """Make what is missing: both authorities, the servers' certificates, one per identity, the token key.

        What is there stays: kubeconfigs and service-account tokens remain valid over a restart.
        """
        names = [*identities, "kube-apiserver", "etcd", "etcd-client", "service-account", "ca", "etcd-ca"]
        if all(self._has(name) for name in names):
            return
        authority, etcd_authority = self._authority("ca"), self._authority("etcd-ca")
        self._issue("kube-apiserver", authority, Identity("kube-apiserver"), *SERVER_NAMES)
        self._issue("etcd", etcd_authority, Identity("etcd"), "127.0.0.1", "localhost")
        self._issue("etcd-client", etcd_authority, Identity("kube-apiserver"), "kube-apiserver.invalid")
        for name, identity in identities.items():
            # Go refuses a certificate with an empty list of alternative names; a name under .invalid is nobody's.
            self._issue(name, authority, identity, f"{name}.invalid")
        self._token_key()

    def _has(self, name: str) -> bool:
        return self.key(name).is_file() and self.certificate(name).is_file()

    def _authority(self, name: str) -> trustme.CA:
        import trustme

        if self._has(name):
            return trustme.CA.from_pem(self.certificate(name).read_bytes(), self.key(name).read_bytes())
        made = trustme.CA(organization_name="QHub embedded cluster", organization_unit_name=name)
        # Issued by an authority of the same name that is gone: useless from now on.
        for stale in self.folder.glob("*.crt"):
            if stale.stem not in {"ca", "etcd-ca", "service-account"}:
                stale.unlink()
        write_private(self.key(name), made.private_key_pem.bytes())
        write_private(self.certificate(name), made.cert_pem.bytes())
        return made

    def _issue(self, name: str, authority: trustme.CA, identity: Identity, *names: str) -> None:
        if self._has(name):
            return
        issued = authority.issue_cert(
            *names,
            common_name=identity.user,
            # Always given: the library's own default would make every client a member of a group of that name.
            organization_name=identity.group or "qhub",
        )
        write_private(self.key(name), issued.private_key_pem.bytes())
        write_private(self.certificate(name), issued.cert_chain_pems[0].bytes())

    def _token_key(self) -> None:
        """Make the key pair that signs service-account tokens; `.crt` holds the bare public key."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        if self._has("service-account"):
            return
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        write_private(self.key("service-account"), private)
        write_private(self.certificate("service-account"), public)
