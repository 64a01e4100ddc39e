"""The managed file system for homes on Azure: an NFS share on Azure Files.

**Who gets at it.** The nodes' subnet and nobody else: the account's firewall shuts out every other network, and the
subnet reaches it by a service endpoint, within Azure. Its address is a public one all the same, and pods are seen with
their node's: what keeps notebooks from it is the port (`qhub.platform.network_values`). A private endpoint would do the
same with an address, a DNS zone and its link to the network more, and cost by the hour. NFS knows no keys; those of the
account are switched off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import pulumi
import pulumi_azure_native as azure

from qhub.clouds.cluster import SharedFileSystem
from qhub.config.quantities import parse_size

#: Name of the share in its account.
SHARE = "home"
#: What Microsoft asks for (learn.microsoft.com/azure/storage/files/nfs-performance and storage-files-how-to-mount-nfs-
#: shares), and noatime: reading writes nothing. `noresvport` gets a new port after a broken connection.
MOUNT_OPTIONS = ("nfsvers=4.1", "sec=sys", "nconnect=4", "noresvport", "actimeo=30", "noatime")

_GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class AzureFileSystemArgs:
    """What the file system is made from.

    Attributes:
        location: region.
        resource_group: name of the resource group.
        subnet_id: who may mount it; the subnet has the service endpoint Microsoft.Storage.
        size: Kubernetes quantity, 100Gi or more. It grows in place, and all of it is paid for.
        zone_redundant: a copy in each of three zones.
        protect: refuse to delete it, keep it on destroy, and lock it against deletion by other hands.
        tags: tags.
    """

    location: str
    resource_group: pulumi.Input[str]
    subnet_id: pulumi.Input[str]
    size: str
    zone_redundant: bool
    protect: bool
    tags: Mapping[str, str]


class AzureFileSystem(pulumi.ComponentResource):
    """An NFS share.

    Creates:
        StorageAccount, FileShare; with `protect`, ManagementLockByScope on the account.

    Attributes:
        shared: for the contract with the platform.
        ready: what has to be there before a node can mount it.
    """

    shared: SharedFileSystem
    ready: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: AzureFileSystemArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:azure:FileSystem", name, None, opts)
        kept = pulumi.ResourceOptions(parent=self, protect=args.protect, retain_on_delete=args.protect)
        account = _account(name, args, kept)
        share = azure.storage.FileShare(
            f"{name}-share",
            share_name=SHARE,
            account_name=account.name,
            resource_group_name=args.resource_group,
            enabled_protocols=azure.storage.EnabledProtocols.NFS,
            # Somebody has to give each home to its user.
            root_squash=azure.storage.RootSquashType.NO_ROOT_SQUASH,
            share_quota=gibibytes(args.size),
            opts=kept,
        )
        if args.protect:
            _lock(name, account, parent=self)
        self.shared = SharedFileSystem(
            server=account.primary_endpoints.apply(lambda found: host_of(found.file)),
            path=pulumi.Output.concat("/", account.name, "/", share.name),
            mount_options=MOUNT_OPTIONS,
        )
        self.ready = (share,)
        self.register_outputs({"server": self.shared.server, "path": self.shared.path})


def _account(name: str, args: AzureFileSystemArgs, opts: pulumi.ResourceOptions) -> azure.storage.StorageAccount:
    sku = azure.storage.SkuName.PREMIUM_ZRS if args.zone_redundant else azure.storage.SkuName.PREMIUM_LRS
    return azure.storage.StorageAccount(
        # Without more: the provider makes the account's name from it, which is letters and digits alone, and unique
        # among all of Azure.
        name,
        resource_group_name=args.resource_group,
        location=args.location,
        # NFS is on premium storage only.
        kind=azure.storage.Kind.FILE_STORAGE,
        sku={"name": sku},
        # HTTPS alone would shut out NFS.
        enable_https_traffic_only=False,
        minimum_tls_version=azure.storage.MinimumTlsVersion.TLS1_2,
        allow_shared_key_access=False,
        allow_blob_public_access=False,
        public_network_access=azure.storage.PublicNetworkAccess.ENABLED,
        network_rule_set={
            "default_action": azure.storage.DefaultAction.DENY,
            "bypass": azure.storage.Bypass.NONE,
            "virtual_network_rules": [
                {"virtual_network_resource_id": args.subnet_id, "action": azure.storage.Action.ALLOW}
            ],
        },
        tags=args.tags,
        opts=opts,
    )


def _lock(name: str, account: azure.storage.StorageAccount, *, parent: pulumi.Resource) -> None:
    """Make Azure itself refuse to delete the account, and with it the resource group, whoever asks.

    The lock is neither protected nor kept by Pulumi: with `storage.protect: false` the next `pulumi up` has to get rid
    of it.
    """
    azure.authorization.ManagementLockByScope(
        f"{name}-lock",
        lock_name="qhub-homes",
        scope=account.id,
        level=azure.authorization.LockLevel.CAN_NOT_DELETE,
        notes="Home folders of QHub. To delete them, set storage.protect to false and run pulumi up first.",
        opts=pulumi.ResourceOptions(parent=parent),
    )


def gibibytes(size: str) -> int:
    """Return a Kubernetes quantity in whole GiB, rounded up."""
    return -(-parse_size(size) // _GIB)


def host_of(endpoint: str) -> str:
    """Return the host of an endpoint: `https://name.file.core.windows.net/`, or another suffix in another Azure."""
    return urlsplit(endpoint).hostname or ""
