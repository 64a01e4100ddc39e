"""The same mistakes in Nebari's file and in ours, each as one who made it would have written it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.nebari import VALID

#: What every file of ours has besides the mistake.
OURS = "config:\n  qhub:domain: hub.localhost\n  qhub:ingress: {controller: traefik}\n"
PROFILE = "display_name: Small, description: Small"
SIZE = "cpu_limit: 2, cpu_guarantee: 1, mem_limit: 8G, mem_guarantee: 4G"
WORKER = "worker_cores_limit: 2, worker_cores: 1, worker_memory_limit: 8G, worker_memory: 4G"


@dataclass(frozen=True)
class Pair:
    """One mistake.

    Attributes:
        what: what it is, in words.
        theirs: the lines that Nebari's file has for it.
        ours: the lines below `config:` that ours has for it.
        keys: words of which one has to be in a message that names the key, Nebari's and ours.
    """

    what: str
    theirs: str
    ours: str
    keys: tuple[str, str]

    @property
    def their_file(self) -> str:
        """Nebari's file with the mistake."""
        top = self.theirs.partition(":")[0]
        kept = [line for line in VALID.splitlines() if line.partition(":")[0] != top]
        return "\n".join([*kept, self.theirs, ""])

    @property
    def our_file(self) -> str:
        """Our file with the mistake."""
        top = self.ours.strip().partition(": ")[0]
        kept = [line for line in OURS.splitlines() if not line.strip().startswith(f"{top}:")]
        return "\n".join([*kept, f"  {self.ours}", ""])


def _theirs_profile(more: str = "", size: str = SIZE, *, twice: str = "") -> str:
    return f"profiles: {{jupyterlab: [{{{PROFILE}{more}, kubespawner_override: {{{size}}}}}{twice}]}}"


def _ours_profile(inside: str) -> str:
    return f"qhub:jupyterhub: {{profiles: [{{name: small{inside}}}]}}"


_SECOND = f", {{{PROFILE}, default: true, kubespawner_override: {{{SIZE}}}}}"

PAIRS = (
    Pair("a section mistyped", "profils: {}", "qhub:jupiterhub: {}", ("profils", "jupiterhub")),
    Pair("a provider that there is not", "provider: awss", "qhub:cluster: {provider: awss}", ("provider", "provider")),
    Pair("a name with a space", "namespace: my hub", "qhub:namespace: {name: my hub}", ("namespace", "namespace")),
    Pair(
        "a domain with its scheme",
        "domain: https://hub.lab.org",
        "qhub:domain: https://hub.lab.org",
        ("domain", "domain"),
    ),
    Pair("a domain with a space", "domain: my hub.lab.org", "qhub:domain: my hub.lab.org", ("domain", "domain")),
    Pair(
        "an issuer mistyped",
        "certificate: {type: letsencrypt, acme_email: ops@lab.org}",
        "qhub:certificates: {issuer: lets-encrypt, email: ops@lab.org}",
        ("type", "issuer"),
    ),
    Pair(
        "Let's Encrypt without an e-mail address",
        "certificate: {type: lets-encrypt}",
        "qhub:certificates: {issuer: letsencrypt-staging}",
        ("acme_email", "email"),
    ),
    Pair(
        "Let's Encrypt with no e-mail address in its place",
        "certificate: {type: lets-encrypt, acme_email: ops at lab.org}",
        "qhub:certificates: {email: ops at lab.org}",
        ("acme_email", "email"),
    ),
    Pair(
        "a way to sign in that there is not",
        "security: {authentication: {type: githup}}",
        "qhub:authentication: {type: githup}",
        ("type", "type"),
    ),
    Pair(
        "a way to sign in without what it needs",
        "security: {authentication: {type: Auth0}}",
        "qhub:authentication: {type: github, allow_all: true, client_secret: {secure: v1:a}}",
        ("client_id", "client_id"),
    ),
    Pair(
        "a size in no unit", "storage: {shared_filesystem: 100GBs}", "qhub:storage: {size: 100GBs}", ("shared", "size")
    ),
    Pair(
        "a size without a unit", "storage: {shared_filesystem: '100'}", "qhub:storage: {size: 100}", ("shared", "size")
    ),
    Pair(
        "memory in a unit that KubeSpawner does not know",
        _theirs_profile(size=SIZE.replace("8G", "8GB")),
        _ours_profile(", memory: {limit: 8GB}"),
        ("mem_limit", "memory.limit"),
    ),
    Pair(
        "memory guaranteed beyond the limit",
        _theirs_profile(size=SIZE.replace("mem_guarantee: 4G", "mem_guarantee: 16G")),
        _ours_profile(", memory: {limit: 8G, guarantee: 16G}"),
        ("mem_guarantee", "memory.guarantee"),
    ),
    Pair(
        "CPU guaranteed beyond the limit",
        _theirs_profile(size=SIZE.replace("cpu_guarantee: 1", "cpu_guarantee: 4")),
        _ours_profile(", cpu: {limit: 2, guarantee: 4}"),
        ("cpu_guarantee", "cpu.guarantee"),
    ),
    Pair(
        "CPU that is no number",
        _theirs_profile(size=SIZE.replace("cpu_limit: 2", "cpu_limit: two")),
        _ours_profile(", cpu: {limit: two}"),
        ("cpu_limit", "cpu.limit"),
    ),
    Pair(
        "CPU below nothing",
        _theirs_profile(size=SIZE.replace("cpu_limit: 2", "cpu_limit: -2")),
        _ours_profile(", cpu: {limit: -2}"),
        ("cpu_limit", "cpu.limit"),
    ),
    Pair(
        "two default profiles",
        _theirs_profile(", default: true", twice=_SECOND),
        "qhub:jupyterhub: {profiles: [{name: a, default: true}, {name: b, default: true}]}",
        ("default", "default"),
    ),
    Pair(
        "two profiles of one name",
        _theirs_profile(", default: true", twice=_SECOND.replace(", default: true", "")),
        "qhub:jupyterhub: {profiles: [{name: a, default: true}, {name: a}]}",
        ("display_name", "name"),
    ),
    Pair(
        "a profile without a name",
        "profiles: {jupyterlab: [{description: Small}]}",
        "qhub:jupyterhub: {profiles: [{description: Small}]}",
        ("display_name", "name"),
    ),
    Pair(
        "a key of a profile mistyped",
        _theirs_profile(", descripton: x"),
        _ours_profile(", descripton: x"),
        ("descripton", "descripton"),
    ),
    Pair(
        "no profile at all", "profiles: {jupyterlab: []}", "qhub:jupyterhub: {profiles: []}", ("jupyterlab", "profiles")
    ),
    Pair(
        "a worker without a core",
        f"profiles: {{dask_worker: {{Small: {{{WORKER.replace('worker_cores: 1', 'worker_cores: 0')}}}}}}}",
        "qhub:dask: {profiles: [{name: small, cores: 0}]}",
        ("worker_cores", "cores"),
    ),
    Pair(
        "a worker's memory in no unit",
        f"profiles: {{dask_worker: {{Small: {{{WORKER.replace('worker_memory: 4G', 'worker_memory: plenty')}}}}}}}",
        "qhub:dask: {profiles: [{name: small, memory: plenty}]}",
        ("worker_memory", "memory"),
    ),
    Pair(
        "a time that is no number",
        "jupyterlab: {idle_culler: {server_shutdown_no_activity_timeout: soon}}",
        "qhub:jupyterhub: {cull: {timeout: soon}}",
        ("timeout", "timeout"),
    ),
    Pair(
        "a time below nothing",
        "jupyterlab: {idle_culler: {server_shutdown_no_activity_timeout: -5}}",
        "qhub:jupyterhub: {cull: {timeout: -5}}",
        ("timeout", "timeout"),
    ),
    Pair(
        "looking for idle servers less often than they may idle",
        "jupyterlab: {idle_culler: {kernel_cull_idle_timeout: 5, kernel_cull_interval: 60}}",
        "qhub:jupyterhub: {cull: {timeout: 300, every: 3600}}",
        ("interval", "every"),
    ),
    Pair(
        "a switch that is neither on nor off",
        "monitoring: {enabled: sometimes}",
        "qhub:dask: {enabled: sometimes}",
        ("enabled", "enabled"),
    ),
    Pair("a key that is there twice", "theme: {}\ntheme: {}", "qhub:dask: {}\n  qhub:dask: {}", ("theme", "dask")),
    Pair("a tab in the indentation", "theme:\n\tjupyterhub: {}", "qhub:dask:\n\t  enabled: true", ("line", "tab")),
)
