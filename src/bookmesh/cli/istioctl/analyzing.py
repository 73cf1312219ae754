"""`istioctl analyze`: the lab's findings with Istio's codes, and what Istio says about injection."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, Final

import click
import orjson
import yaml

from bookmesh.cli.istioctl import analysis_messages, flags
from bookmesh.cli.istioctl.analysis_messages import LEVELS, Message
from bookmesh.lab import releases

FOUND: Final = 79
"""The exit code of Istio's own command when something at or above the threshold was found."""


@click.command(cls=flags.Command)
@click.argument("files", nargs=-1)
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="All namespaces.")
@click.option(
    "--failure-threshold",
    "threshold",
    type=click.Choice([level.lower() for level in LEVELS] + list(LEVELS)),
    default="Error",
    help="From which level on the exit code is not 0.",
)
@click.option("-S", "--suppress", multiple=True, metavar="CODE=RESOURCE", help="Do not say this.")
@click.option("-o", "--output", type=click.Choice(["log", "json", "yaml"]), default="log", help="Form.")
@flags.common
@click.pass_obj
def analyze(
    session: flags.Session,
    *,
    files: tuple[str, ...],
    everywhere: bool,
    threshold: str,
    suppress: tuple[str, ...],
    output: str,
) -> None:
    """Say what is wrong with the mesh's configuration."""
    if files:
        raise click.ClickException(
            "files are not analyzed here; apply them with kubectl, the lab analyzes what it has"
        )
    kubectl, namespace = session.kubectl, "" if everywhere else session.namespace
    found = kubectl.ask_lab("/lab/v1/status")["findings"]
    subjects = {ref: kubectl.find(*ref) for ref in analysis_messages.objects_needed(found)}
    place = ("-A",) if everywhere else ("-n", namespace)
    namespaces = kubectl.json("get", "namespaces", "-o", "json")["items"]
    pods = kubectl.json("get", "pods", *place, "-o", "json")["items"]
    messages = [
        *analysis_messages.from_findings(found, subjects),
        *analysis_messages.from_injection(namespaces, pods),
    ]
    chosen = sorted(
        (each for each in messages if each.is_about(namespace) and not _is_suppressed(each, suppress)),
        key=lambda each: (LEVELS.index(each.level), each.code, each.origin),
    )
    _print(chosen, output)
    target = "all namespaces" if everywhere else f"namespace: {namespace}"
    if not chosen and output == "log":
        click.echo(f"\u2714 No validation issues found when analyzing {target}.", err=True)
    if any(LEVELS.index(each.level) <= LEVELS.index(threshold.capitalize()) for each in chosen):
        release = ".".join(releases.ISTIO_TAG.split(".")[:2])
        click.echo(f"Error: Analyzers found issues when analyzing {target}.", err=True)
        page = f"https://istio.io/v{release}/docs/reference/config/analysis"
        click.echo(f"See {page} for more information about causes and resolutions.", err=True)
        sys.exit(FOUND)


def _is_suppressed(message: Message, suppress: Iterable[str]) -> bool:
    """`IST0102=Namespace default`; a * at the end stands for anything."""
    for rule in suppress:
        code, _, resource = rule.partition("=")
        is_meant = (
            message.origin.startswith(resource[:-1]) if resource.endswith("*") else message.origin == resource
        )
        if code == message.code and is_meant:
            return True
    return False


def _print(messages: list[Message], output: str) -> None:
    if output == "log":
        for message in messages:
            click.echo(f"{message.level} [{message.code}] ({message.origin}) {message.text}")
        return
    shown: list[dict[str, Any]] = [
        {"code": each.code, "level": each.level, "origin": each.origin, "message": each.text}
        for each in messages
    ]
    if output == "json":
        click.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2))
    else:
        click.echo(yaml.safe_dump(shown), nl=False)
