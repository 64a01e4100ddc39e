"""What is wrong with answers, in the words in which the settings tell it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from qhub.config.base import KEY, lay_over_all
from qhub.config.judge import Finding, judge
from qhub.config.mistakes import Mistake
from qhub.config.model import ENCRYPTED, parse_key
from qhub.config.model import Path as Keys
from qhub.init.project import sealed_key, settings_text
from qhub.init.questions import APPLICATIONS, SIGN_INS, Answers, Question, asked

#: Whom a way of signing in lets in is told of the section as a whole.
_SIGN_IN = ("authentication",)


def faults(question: Question, cloud: str, answers: Answers) -> list[str]:
    """Return what is wrong with the answer to a question; nothing where it may stand.

    Args:
        question: the question.
        cloud: word of `cluster.provider`.
        answers: what was answered so far; what is missing elsewhere is not told here.
    """
    return lacking(cloud, answers, [question]).get(question.option, [])


def lacking(cloud: str, answers: Answers, questions: Iterable[Question]) -> dict[str, list[str]]:
    """Return option -> what is wrong with its answer, for every question with a fault."""
    findings: dict[str, list[Finding]] = {}
    found: dict[str, list[str]] = {}
    # An answer that is missing must not keep the others from being looked at.
    needed = [one for one in asked(cloud, answers) if one.needed and not answers.get(one.name)]
    missing = {one.name: [one.example] if one.many else one.example for one in needed}
    whole = {**missing, **{name: answer for name, answer in answers.items() if answer}}
    for question in questions:
        if question.needed and not answers.get(question.name):
            found[question.option] = [f"is needed, for example {question.example}"]
            continue
        if question.stack not in findings:
            settings = stack_settings(cloud, whole, question.stack)
            every = judge(settings, stack=question.stack, root=Path())[1]
            # Who may sign in is no question before it is said where.
            findings[question.stack] = [one for one in every if one.path != _SIGN_IN or answers.get("sign_in")]
        answered = bool(answers.get(question.name))
        about = [one for one in findings[question.stack] if _is_about(one, question, answered=answered)]
        told = [_told(one) + (_ways_in(cloud, answers) if one.path == _SIGN_IN else "") for one in about]
        found |= {question.option: told} if told else {}
    return found


def stack_settings(cloud: str, answers: Answers, stack: str) -> dict[str, Any]:
    """Return the settings that the files of a new project give a stack, as they are once the secret is set.

    By key without the project's name.
    """
    written = answers.get("sign_in")
    known = answers if written in (None, *SIGN_INS) else {**answers, "sign_in": SIGN_INS[0]}
    own, base = (_values(settings_text(cloud, known, file)) for file in (stack, "base"))
    values = lay_over_all(base, {key: value for key, value in own.items() if key != KEY})
    if known is not answers:
        # A word that is no way of signing in has no file to come from; the settings tell what is wrong with it.
        return {**values, "authentication": {"type": written}}
    sign_in = values["authentication"]
    # What is added later must not keep the rules about the rest from being looked at.
    later = {"client_id": "unknown"} if sign_in["type"] in APPLICATIONS else {}
    return {**values, "authentication": {**later, sealed_key(sign_in["type"]): ENCRYPTED, **sign_in}}


def _values(text: str) -> dict[str, Any]:
    config: Mapping[str, Any] = YAML(typ="safe", pure=True).load(text)["config"]
    return {key.removeprefix("qhub:"): value for key, value in config.items()}


def _is_about(finding: Finding, question: Question, *, answered: bool) -> bool:
    if finding.path == _SIGN_IN:
        return question.name == "admin_users"  # the last question about who may sign in
    here: Keys = parse_key(question.key)
    return answered and finding.path[: len(here)] == here


def _told(finding: Finding) -> str:
    """Return a finding without its key: the question, or the option, stands before it."""
    mistake = Mistake(
        key="",
        message=finding.message + finding.hint,
        expected=finding.expected,
        nearest=finding.nearest,
        known=finding.known,
    )
    return str(mistake)


def _ways_in(cloud: str, answers: Answers) -> str:
    """Return the options that let somebody in."""
    options = [one.option for one in asked(cloud, answers) if one.many and one.key.startswith("authentication.")]
    return f"  (here: {' or '.join(options)})"
