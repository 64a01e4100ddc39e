"""`qhub init`: asks in a terminal, takes options elsewhere. What it writes is `qhub.init`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from qhub.config.judge import OTHER_WORDS
from qhub.config.nearest import nearest
from qhub.init.judging import faults, lacking
from qhub.init.project import STACKS, project_files, secret_commands
from qhub.init.questions import CLOUDS, QUESTIONS, SIGN_INS, Question, asked
from qhub.init.writing import Written, write_files


def with_options(command: click.decorators.FC) -> click.decorators.FC:
    """Give a command one option for each question."""
    for question in reversed(QUESTIONS):
        several = " Several: comma between." if question.many else ""
        which = "".join(
            f" With {', '.join(words)}." for words in (question.clouds, question.sign_ins) if 0 < len(words) < 4
        )
        add = click.option(question.option, question.name, help=f"{question.text}.{which}{several}")
        command = add(command)
    return command


@click.command("init")
@click.argument("cloud")
@with_options
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    help="Folder of the project; default: this one.",
)
def init_command(cloud: str, output: Path, **options: str | None) -> None:
    """Write a whole Pulumi project for CLOUD: aws, gcp, digitalocean, azure, or existing, a cluster you have.

    In a terminal it asks for what no option says; elsewhere options say all. A file that is there stays as it is, and
    no secret is written. Ends with 0 when the project is there, with 2 when an answer is missing or wrong.
    """
    cloud = _cloud(cloud)
    answers: dict[str, Any] = {name: _answer(name, text) for name, text in options.items() if text}
    if asks():
        answers = _interview(cloud, answers)
    _refuse_what_does_not_belong(cloud, answers)
    wrong = lacking(cloud, answers, asked(cloud, answers))
    if wrong:
        raise click.UsageError("\n".join(f"{option}: {told}" for option, every in wrong.items() for told in every))
    try:
        written = write_files(output, project_files(cloud, answers))
    except OSError as error:
        raise click.ClickException(f"{error.filename} cannot be written: {error.strerror}") from None
    _tell(written, output, secret_commands(answers))


def asks() -> bool:
    """Return whether somebody is there to answer."""
    return sys.stdin.isatty()


def _cloud(word: str) -> str:
    if word in CLOUDS:
        return word
    other = OTHER_WORDS.get(word.lower())
    if other in CLOUDS and word.lower() != "local":
        return str(other)
    close = nearest(word, CLOUDS)
    meant = f'; did you mean "{close}"?' if close else ""
    raise click.UsageError(f'"{word}" is not possible{meant}  (known: {", ".join(CLOUDS)})')


def _answer(name: str, text: str) -> str | list[str]:
    question = next(one for one in QUESTIONS if one.name == name)
    return [part.strip() for part in text.split(",") if part.strip()] if question.many else text.strip()


def _interview(cloud: str, answers: dict[str, Any]) -> dict[str, Any]:
    done: set[str] = set()
    # What is asked depends on what was answered, so that the list is made anew after each answer.
    while rest := [one for one in asked(cloud, answers) if one.name not in done]:
        question = rest[0]
        done.add(question.name)
        while question.name not in answers or (wrong := faults(question, cloud, answers)):
            if question.name in answers:
                click.echo("\n".join(f"  {told}" for told in wrong))
            answers[question.name] = _answer(question.name, _ask(question, answers))
    return {name: answer for name, answer in answers.items() if answer}


def _ask(question: Question, answers: dict[str, Any]) -> str:
    default = f"staging.{answers['domain']}" if question.name == "staging_domain" else ""
    hint = f" [{default}]" if default else f", for example {question.example_for(answers)}"
    hint += "" if question.needed or default else "; empty for none" + (", comma between" if question.many else "")
    return click.prompt(f"{question.text}{hint}", default=default, show_default=False)


def _refuse_what_does_not_belong(cloud: str, answers: dict[str, Any]) -> None:
    belongs = {question.name for question in asked(cloud, answers)}
    strange = [one for one in QUESTIONS if one.name in answers and one.name not in belongs and not one.public]
    for question in strange:
        if question.clouds and cloud not in question.clouds:
            raise click.UsageError(f"{question.option} belongs to {', '.join(question.clouds)}, not to {cloud}")
        if answers.get("sign_in") in SIGN_INS:
            ways = ", ".join(question.sign_ins)
            raise click.UsageError(f"{question.option} belongs to --sign-in {ways}, not to {answers['sign_in']}")


def _tell(written: Written, folder: Path, secrets: list[str]) -> None:
    for name in written.new:
        click.echo(f"wrote {folder / name}")
    for name in written.kept:
        click.echo(f"kept  {folder / name}, which was there already")
    click.echo("\nNext, in that folder (README.md says the rest):\n")
    click.echo("  pip install -r requirements.txt")
    for stack in STACKS:
        click.echo(f"  pulumi stack init {stack}")
    for command in secrets:
        click.echo(f"  {command}")
    click.echo(f"  qhub validate {' '.join(STACKS)}")
