"""The settings reference, `docs/settings.md`, as the models have it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qhub.config.describe import Key, all_keys
from qhub.config.explain import fixed_text, value_text

_TOP = """# Settings

Every key of a stack file, `Pulumi.<stack>.yaml`. `make reference` writes this page from the models in `qhub/config`.

- Settings stand below `config:` and start with the project's name in Pulumi.yaml: `qhub`, unless you changed it. A
  setting where nothing would read it, beside `config:` or under a mistyped name, is told as a mistake, in a base too;
  any other key beside `config:` as a warning. What only holds YAML anchors may stand there, under a key that starts
  with `x-` or a dot.
- **What belongs there** is type, unit and, where one helps, an example. A key with *required* has no default.
- `<name>` stands for a name that you choose, `[]` for each item of a list.
- *Fixed* cannot be changed once the stack is up: `pulumi preview` and `pulumi up` tell it before anything is touched.
- `qhub explain KEY` shows the same in a terminal; `docs/stack.schema.json` brings it into editors.
"""

#: Section -> an example. Together they are one valid stack file, which a test holds.
EXAMPLES = {
    "base": "stacks/base.yaml",
    "version": "1",
    "domain": "hub.lab.org",
    "namespace": "{name: qhub, quota: {cpu: 64, memory: 256Gi}}",
    "cluster": """
  provider: aws
  region: eu-west-1
  node_pools:
    user: {instance_type: m6i.xlarge, max: 20}
    gpu: {instance_type: g4dn.xlarge, max: 4, gpu: {count: 1}}""",
    "certificates": "{issuer: letsencrypt, email: ops@lab.org}",
    "dns": "{provider: route53, zone: lab.org}",
    "ingress": "{controller: traefik, replicas: 2}",
    "storage": "{kind: managed, size: 500Gi}",
    "authentication": """
  type: github
  client_id: the-id-of-your-oauth-app
  client_secret:
    secure: v1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAA
  organizations: [my-organization]""",
    "users": "{alice: {uid: 1001, primary_group: analyst}}",
    "groups": "{analyst: {gid: 1100}}",
    "jupyterhub": """
  profiles:
    - {name: small, default: true, cpu: {limit: 1, guarantee: 0.5}, memory: {limit: 2G, guarantee: 1G}}
    - {name: gpu, node_pool: gpu, gpu: {count: 1}, groups: [analyst]}
  cull: {timeout: 3600}""",
    "dask": """
  profiles:
    - {name: small, cores: 1, memory: 4G}
  max_workers_per_cluster: 20""",
    "environments": "{named: {geo: {packages: [geopandas==1.0.1]}}}",
    "monitoring": "{enabled: true, retention_days: 30, storage: 50Gi}",
    "ssh": '{enabled: true, image: {name: registry.lab.org/qhub/ssh, tag: "2026.11.0"}}',
    "charts": "{mirror: oci://registry.lab.org/charts}",
    "images": "{registry: registry.lab.org/copies}",
    "extra_releases": "{loki: {chart: loki, version: 6.30.0, repository: https://grafana.github.io/helm-charts}}",
}


def settings_reference() -> str:
    """Return the reference in Markdown: a part for each section, in it a table for each choice of its kind."""
    keys = all_keys()
    parts = [_TOP]
    for section in (key for key in keys if len(key.path) == 1):
        inside = [key for key in keys if key.path[0] == section.path[0] and len(key.path) > 1]
        parts.append("\n".join([*_head(section), *_tables(inside)]))
    return "\n".join(parts)


def _head(section: Key) -> Iterator[str]:
    name = section.path[0]
    yield f"\n## qhub:{name}\n"
    needed = " It has to be there." if section.required else ""
    yield f"{section.description}{needed}\n"
    yield f"```yaml\nqhub:{name}:{'' if EXAMPLES[name].startswith(chr(10)) else ' '}{EXAMPLES[name]}\n```"


def _tables(keys: Sequence[Key]) -> Iterator[str]:
    for when in dict.fromkeys(key.when for key in keys):
        yield f"\n### With `{when}`" if when else ""
        yield ""
        yield "| key | what belongs there | default | |"
        yield "|---|---|---|---|"
        yield from (_row(key) for key in keys if key.when == when)


def _row(key: Key) -> str:
    name = ".".join(key.path[1:]).replace(".[]", "[]").removeprefix("[].")
    belongs = f"{key.expected}, or null" if key.nullable else key.expected
    default = "*required*" if key.required else "" if key.computed else f"`{value_text(key.default)}`"
    fixed = f" *Fixed.* {fixed_text(key.fixed)}" if key.fixed else ""
    cells = [f"`{name}`", *(_cell(text) for text in (belongs, default, f"{key.description}{fixed}"))]
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
