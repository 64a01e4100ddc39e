"""The files of a new project, with the answers in them. Nothing is read but the package's own files and metadata."""

from __future__ import annotations

import json
from importlib.resources import files
from string import Template
from typing import Any

from qhub.config import Settings
from qhub.config.refresh import ALWAYS
from qhub.config.schema import pulumi_project_config, settings_json_schema
from qhub.config.shape import variants
from qhub.init.questions import QUESTIONS, Answers, is_public
from qhub.init.requirement import requirement

#: The stacks that a new project has.
STACKS = ("staging", "prod")
#: What each cloud wants installed and signed in, as commands.
SIGN_IN_COMMANDS = {
    "aws": "aws configure sso",
    "gcp": "gcloud auth login && gcloud auth application-default login\n"
    "gcloud components install gke-gcloud-auth-plugin\n"
    "# where a service account runs the first `pulumi up`, once for the project:\n"
    "gcloud services enable cloudresourcemanager.googleapis.com serviceusage.googleapis.com",
    "digitalocean": "export DIGITALOCEAN_ACCESS_TOKEN=...    # doctl reads it too",
    "azure": "az login    # and kubelogin on PATH",
    "existing": "kubectl config get-contexts",
}


#: In Pulumi.yaml where DigitalOcean makes the cluster; the reason stands in `qhub/config/refresh.py`.
_LOOK_FIRST = (
    "# Each run looks first at what there is: without that, a changed node pool would get the number of nodes that it",
    "# had at the last `pulumi up`, and lose those that are in use.",
    "options:",
    f"  refresh: {ALWAYS}",
)


def project_files(cloud: str, answers: Answers) -> dict[str, str]:
    """Return path -> text of every file of a new project.

    Args:
        cloud: word of `cluster.provider`.
        answers: what was answered; what is missing becomes a comment.
    """
    words = {question.name: question.line(answers) for question in QUESTIONS}
    extra = "" if cloud == "existing" else f"[{cloud}]"
    return {
        "Pulumi.yaml": _project_file(cloud),
        "__main__.py": _text("program.py"),
        "base.yaml": settings_text(cloud, answers, "base"),
        **{f"Pulumi.{stack}.yaml": settings_text(cloud, answers, stack) for stack in STACKS},
        "stack.schema.json": json.dumps(settings_json_schema(part=True), indent=1, ensure_ascii=False) + "\n",
        "requirements.txt": _filled("requirements.txt", requirement=requirement(extra)),
        ".gitignore": _text("gitignore"),
        ".github/workflows/deploy.yaml": _text("workflows/deploy.yaml"),
        ".github/workflows/stack.yaml": _text("workflows/stack.yaml"),
        "README.md": _filled(
            "README.md",
            **words | {"cloud": cloud, "sign_in_command": SIGN_IN_COMMANDS[cloud]},
            secrets="\n".join(secret_commands(answers)) or "# none: this way of signing in has no secret",
        ),
    }


def settings_text(cloud: str, answers: Answers, file: str) -> str:
    """Return the text of one file of settings: `base`, `staging` or `prod`."""
    answers = {"staging_domain": _staging_domain(answers), **answers}
    words = {question.name: question.line(answers) for question in QUESTIONS}
    sign_in = str(answers.get("sign_in", "github"))
    kind = "public" if is_public(answers) else "private"
    parts = {"cluster": _part(f"{cloud}/{file}.yaml", words)}
    if file == "base":
        parts |= {
            "certificates": _part(f"certificates_{kind}.base.yaml", words),
            "sign_in": _part(f"sign_in/{sign_in}.yaml", words),
        }
    else:
        parts |= {
            "domain": f"  {words['domain' if file == 'prod' else 'staging_domain']}",
            "certificates": _part("certificates_public.staging.yaml", words) if kind == "public" else "",
            "sign_in": _own_sign_in(sign_in, file, words),
            "storage": _part(f"{cloud}/storage.yaml", words),
        }
    text = _filled(f"{file}.yaml", **parts)
    return "".join(line for line in text.splitlines(keepends=True) if line.strip())


def sealed_key(sign_in: str) -> str:
    """Return the key of `authentication` that holds the secret of a way of signing in."""
    kinds: dict[str, Any] = variants(Settings.model_fields["authentication"].rebuild_annotation())
    return kinds[sign_in].sealed_key


def secret_commands(answers: Answers) -> list[str]:
    """Return the commands that encrypt what may not be written; none where nothing is secret."""
    sign_in = str(answers.get("sign_in", "github"))
    if sign_in == "dummy" and not is_public(answers):
        return []  # a password is possible there, not needed
    key = sealed_key(sign_in)
    return [f"pulumi config set --path --secret qhub:authentication.{key} --stack {stack}" for stack in STACKS]


def _own_sign_in(sign_in: str, stack: str, words: dict[str, str]) -> str:
    key = sealed_key(sign_in)
    lines = [
        "# Its secret is never written here in plain text; this command encrypts it:",
        "#",
        f"#     pulumi config set --path --secret qhub:authentication.{key} --stack {stack}",
        "qhub:authentication:",
        f"  type: {sign_in}",
    ]
    if key == "client_secret":
        name = "client_id" if stack == "prod" else "staging_client_id"
        lines += [f"  # Id of {stack}'s own application.", f"  {words[name]}"]
    return "\n".join(f"  {line}" for line in lines)


def _staging_domain(answers: Answers) -> str:
    return f"staging.{answers['domain']}" if answers.get("domain") else ""


def _project_file(cloud: str) -> str:
    """Return Pulumi.yaml: its keys with type and description as the models have them."""
    lines = [
        "# The Pulumi project. What one environment is set to stands in Pulumi.<stack>.yaml beside this file.",
        "name: qhub",
        "description: JupyterHub and Dask for a team",
        "runtime:",
        "  name: python",
        "  options:",
        "    toolchain: pip",
        "    virtualenv: .venv",
        *(_LOOK_FIRST if cloud == "digitalocean" else ()),
        "# The keys of a stack file. What stands in them, with defaults and checks: `qhub explain`. Defaults here stay",
        "# empty: a stack's value replaces a default as a whole, nothing is merged.",
        "config:",
    ]
    for key, declared in pulumi_project_config().items():
        lines.append(f"  {key}:")
        # JSON is YAML, and quotes whatever a description has in it.
        lines += [f"    {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in declared.items()]
    return "\n".join(lines) + "\n"


def _part(name: str, words: dict[str, str]) -> str:
    return _filled(name, **words).rstrip("\n")


def _filled(name: str, **words: str) -> str:
    return Template(_text(name)).substitute(words)


def _text(name: str) -> str:
    return files("qhub.init").joinpath("files", *name.split("/")).read_text(encoding="utf-8")
