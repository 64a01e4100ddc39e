"""What each stand-in takes on its command line, and which cluster that means. All return an ExecCredential, as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from qhub.rehearsal.commands.arguments import CommandError, read
from qhub.rehearsal.commands.credential import VERSIONS, answer, question_of
from qhub.rehearsal.commands.finding import chosen, clusters_of

Environment = Mapping[str, str]

#: Application of the AKS API server in every Entra tenant (azure.github.io/kubelogin).
AKS_SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"
#: Ways to sign in that need no browser, and what each must be told beside.
_KUBELOGIN = {
    "azurecli": (),
    "azd": (),
    "msi": (),
    "workloadidentity": (),
    "spn": ("--client-id", "--tenant-id"),
}


def aws(arguments: Sequence[str], environment: Environment) -> str:
    """`aws [--region R] eks get-token --cluster-name N [--role-arn A] [--output json]`."""
    given = read(arguments, values=("--region", "--cluster-name", "--role-arn", "--output", "--profile"))
    _expect("aws", given.words, "eks", "get-token")
    options = given.options
    name = _required(options, "--cluster-name")
    if options.get("--output", "json") != "json":
        raise CommandError(f"--output {options['--output']}: a Kubernetes client reads json")
    region = options.get("--region") or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    if not region:
        raise CommandError("you must specify a region: --region, or AWS_REGION in the environment")
    if role := options.get("--role-arn"):
        _expect_role(role)
    question = question_of(environment)
    found = clusters_of("aws", environment)
    folder = chosen(found, server=question.server, what=f"{name} in {region}", name=name, region=region)
    return answer(folder, version=question.version)


def gke(arguments: Sequence[str], environment: Environment) -> str:
    """`gke-gcloud-auth-plugin [--use_application_default_credentials]`."""
    given = read(arguments, values=(), switches=("--use_application_default_credentials",))
    _expect("gke-gcloud-auth-plugin", given.words)
    question = question_of(environment)
    found = clusters_of("gcp", environment)
    return answer(chosen(found, server=question.server, what="of GKE"), version=question.version)


def kubelogin(arguments: Sequence[str], environment: Environment) -> str:
    """`kubelogin get-token --login azurecli --server-id 6dae42f8-4368-4678-94ff-3960e28e3630`."""
    values = ("--login", "-l", "--server-id", "--client-id", "--tenant-id", "-t", "--environment", "-e",
              "--authority-host", "--federated-token-file")  # fmt: skip
    given = read(arguments, values=values)
    _expect("kubelogin", given.words, "get-token")
    long = {"-l": "--login", "-t": "--tenant-id", "-e": "--environment"}
    options = {long.get(key, key): value for key, value in given.options.items()}
    login = options.get("--login", "devicecode")
    if login not in _KUBELOGIN:
        raise CommandError(f"--login {login}: nobody is there to sign in; expected one of {', '.join(_KUBELOGIN)}")
    for needed in _KUBELOGIN[login]:
        _required(options, needed)
    if _required(options, "--server-id") != AKS_SERVER:
        raise CommandError(f"--server-id {options['--server-id']}: the server of AKS is {AKS_SERVER}")
    question = question_of(environment)
    found = clusters_of("azure", environment)
    return answer(chosen(found, server=question.server, what="of AKS"), version=question.version)


def doctl(arguments: Sequence[str], environment: Environment) -> str:
    """`doctl kubernetes cluster kubeconfig exec-credential --version=v1beta1 [--context=default] CLUSTER_ID`."""
    given = read(arguments, values=("--version", "--context", "--access-token", "-t", "--config", "-c"))
    if len(given.words) != 5:
        raise CommandError(f"{_said(given.words)}: expected kubernetes cluster kubeconfig exec-credential CLUSTER_ID")
    *words, cluster = given.words
    _expect("doctl", words, "kubernetes", "cluster", "kubeconfig", "exec-credential")
    version = given.options.get("--version", "")
    if version != "v1beta1":
        raise CommandError(f"--version: {version!r}, expected v1beta1, the one that doctl speaks")
    question = question_of(environment)
    if question.version != VERSIONS[0]:
        raise CommandError(f"the kubeconfig's exec section asks for {question.version}; doctl speaks {VERSIONS[0]}")
    found = clusters_of("digitalocean", environment)
    return answer(chosen(found, server=question.server, what=cluster, id=cluster), version=question.version)


def az(arguments: Sequence[str], environment: Environment) -> str:
    """Take nothing: a kubeconfig of AKS asks `kubelogin`, which would ask `az` by itself."""
    clusters_of("azure", environment)
    raise CommandError(f"{_said(arguments)}: a rehearsal has no use for it; credentials of AKS come from kubelogin")


ANSWERS: Mapping[str, Callable[[Sequence[str], Environment], str]] = {
    "aws": aws,
    "gke-gcloud-auth-plugin": gke,
    "kubelogin": kubelogin,
    "doctl": doctl,
    "az": az,
}


def _expect(command: str, words: Sequence[str], *expected: str) -> None:
    if tuple(words) != expected:
        wanted = " ".join(expected) or "no words"
        raise CommandError(f"{_said(words)}: the stand-in for {command} takes nothing but: {wanted}")


def _said(words: Sequence[str]) -> str:
    return " ".join(words) or "(nothing)"


def _required(options: Mapping[str, str], name: str) -> str:
    if not options.get(name):
        raise CommandError(f"{name} is missing")
    return options[name]


def _expect_role(role: str) -> None:
    parts = role.split(":")
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "iam" or not parts[5].startswith("role/"):
        raise CommandError(f"--role-arn {role}: expected arn:aws:iam::ACCOUNT:role/NAME")
