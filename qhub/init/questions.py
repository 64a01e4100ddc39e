"""What `qhub init` asks. Each question has the key that its answer becomes, whose model says what may be answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from qhub.config.names import is_public_domain
from qhub.config.yaml_text import scalar

#: Answers by the name of their question; a list for a question that takes several.
Answers = Mapping[str, str | list[str]]

CLOUDS = ("aws", "gcp", "digitalocean", "azure", "existing")
#: Ways of signing in where the hub is an application with an id of its own.
APPLICATIONS = ("github", "gitlab", "google", "azuread", "auth0", "oidc", "cilogon")
SIGN_INS = (*APPLICATIONS, "native", "dummy")


@dataclass(frozen=True, kw_only=True)
class Question:
    """One thing to be answered.

    Attributes:
        name: of the answer; with "-" for "_", of its option.
        key: where the answer stands in the settings, as `pulumi config --path` writes it.
        text: what is asked.
        example: an answer, shown beside the question and, as a comment, in the file where there is none.
        examples: way of signing in -> an example of its own.
        needed: whether there is no way without it.
        many: whether it takes several answers.
        stack: the stack in whose settings it is judged.
        clouds: clouds that it is asked for; empty for all.
        sign_ins: ways of signing in that it is asked for; empty for all.
        public: whether it is asked only where the domain is a name in the public DNS.
        item: key that each of several answers gets in a section of its own; "" for a plain list.
    """

    name: str
    key: str
    text: str
    example: str
    examples: Mapping[str, str] = field(default_factory=dict)
    needed: bool = False
    many: bool = False
    stack: str = "prod"
    clouds: tuple[str, ...] = ()
    sign_ins: tuple[str, ...] = ()
    public: bool = False
    item: str = ""

    @property
    def option(self) -> str:
        """Return the option of the command line."""
        return f"--{self.name.replace('_', '-')}"

    def line(self, answers: Answers) -> str:
        """Return the line of a stack file with the answer; where there is none, a comment with the example."""
        word = self.key.rpartition(".")[2] if "." in self.key else f"qhub:{self.key}"
        if answer := answers.get(self.name):
            return f"{word}: {self._value(answer)}"
        example = self.example_for(answers)
        return f"# {word}: {self._value([example] if self.many else example)}"

    def example_for(self, answers: Answers) -> str:
        """Return an answer, as the chosen way of signing in would have it."""
        return self.examples.get(str(answers.get("sign_in")), self.example)

    def _value(self, answer: str | list[str]) -> str:
        if isinstance(answer, str):
            return scalar(answer)
        shown = [f"{{{self.item}: {scalar(one)}}}" if self.item else scalar(one) for one in answer]
        return f"[{', '.join(shown)}]"


QUESTIONS = (
    Question(name="domain", key="domain", text="DNS name of the hub (prod)", example="hub.example.org", needed=True),
    Question(
        name="staging_domain",
        key="domain",
        text="DNS name of staging",
        example="staging.hub.example.org",
        stack="staging",
    ),
    Question(name="region", key="cluster.region", text="Region", example="eu-west-1", needed=True, clouds=CLOUDS[:-1]),
    Question(
        name="project",
        key="cluster.project",
        text="Id of the Google Cloud project",
        example="my-team-1234",
        needed=True,
        clouds=("gcp",),
    ),
    Question(
        name="subscription_id",
        key="cluster.subscription_id",
        text="Id of the Azure subscription",
        example="11111111-2222-3333-4444-555555555555",
        clouds=("azure",),
    ),
    Question(
        name="context",
        key="cluster.context",
        text="Context of prod in the kubeconfig",
        example="my-cluster",
        clouds=("existing",),
    ),
    Question(
        name="staging_context",
        key="cluster.context",
        text="Context of staging in the kubeconfig",
        example="my-other-cluster",
        clouds=("existing",),
        stack="staging",
    ),
    Question(
        name="email",
        key="certificates.email",
        text="E-mail address for Let's Encrypt",
        example="ops@example.org",
        needed=True,
        public=True,
    ),
    Question(
        name="sign_in",
        key="authentication.type",
        text="How people sign in (" + ", ".join(SIGN_INS) + ")",
        example="github",
        needed=True,
    ),
    Question(
        name="organizations",
        key="authentication.organizations",
        text="GitHub organizations or teams (organization:team) that may sign in",
        example="my-organization",
        many=True,
        sign_ins=("github",),
    ),
    Question(
        name="gitlab_url",
        key="authentication.url",
        text="Address of your own GitLab",
        example="https://gitlab.example.org",
        sign_ins=("gitlab",),
    ),
    Question(
        name="hosted_domains",
        key="authentication.hosted_domains",
        text="Google Workspace domains whose accounts may sign in",
        example="example.org",
        many=True,
        sign_ins=("google",),
    ),
    Question(
        name="tenant",
        key="authentication.tenant",
        text="Id or domain of the Microsoft Entra tenant",
        example="example.org",
        needed=True,
        sign_ins=("azuread",),
    ),
    Question(
        name="auth0_domain",
        key="authentication.domain",
        text="Domain of the Auth0 tenant",
        example="my-team.eu.auth0.com",
        needed=True,
        sign_ins=("auth0",),
    ),
    Question(
        name="issuer",
        key="authentication.issuer",
        text="Address of the OpenID Connect provider",
        example="https://login.example.org/realms/team",
        needed=True,
        sign_ins=("oidc",),
    ),
    Question(
        name="identity_providers",
        key="authentication.identity_providers",
        text="EntityIDs of the institutions whose accounts may be used",
        example="https://idp.example.org/idp/shibboleth",
        needed=True,
        many=True,
        sign_ins=("cilogon",),
        item="entity_id",
    ),
    Question(
        name="allowed_groups",
        key="authentication.allowed_groups",
        text="Groups there that may sign in",
        example="my-organization/data",
        examples={"azuread": "11111111-2222-3333-4444-555555555555", "oidc": "data"},
        many=True,
        sign_ins=("gitlab", "azuread", "oidc"),
    ),
    Question(
        name="admin_users",
        key="authentication.admin_users",
        text="Administrators of the hub, by user name",
        example="alice",
        many=True,
    ),
    Question(
        name="client_id",
        key="authentication.client_id",
        text="Client id of prod's application",
        example="the-id-of-prods-application",
        sign_ins=APPLICATIONS,
    ),
    Question(
        name="staging_client_id",
        key="authentication.client_id",
        text="Client id of staging's application",
        example="the-id-of-stagings-application",
        stack="staging",
        sign_ins=APPLICATIONS,
    ),
)


def asked(cloud: str, answers: Answers) -> Iterator[Question]:
    """Yield the questions that are to be asked, as far as the answers so far decide that."""
    for question in QUESTIONS:
        if question.clouds and cloud not in question.clouds:
            continue
        if question.sign_ins and answers.get("sign_in") not in question.sign_ins:
            continue
        if question.public and not is_public(answers):
            continue
        yield question


def is_public(answers: Answers) -> bool:
    """Return whether the hub is to have a name in the public DNS; yes while it has none."""
    domain = answers.get("domain")
    return not isinstance(domain, str) or is_public_domain(domain)
