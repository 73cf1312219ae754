"""`bookmesh kube fault`: let requests fail or wait, to see what clients do about it."""

from __future__ import annotations

from typing import Any

import click

from bookmesh.base import durations, findings
from bookmesh.cli import examples, terminal
from bookmesh.lab import client, paths

_name_option = terminal.name_option_of(paths.KUBE_NAME)
_VERBS = ("*", "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_CODES = ("400", "401", "403", "404", "409", "410", "413", "429", "500", "502", "503", "504")


class _Group(click.Group):
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        return examples.attach(f"kube fault {cmd_name}", command) if command else None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Group)
def fault() -> None:
    """
    Let requests fail or wait on demand, to test what clients do about it.

    Faults strike requests about objects, from every client, kubectl included; they end with the cluster.
    """


class _Duration(click.ParamType[float]):
    """200ms, 1.5s, 1m: seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return durations.parse_duration_s(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@fault.command()
@_name_option
@click.option("--verb", type=click.Choice(_VERBS), default="*", show_default=True, help="Which requests.")
@click.option("--resource", default="*", show_default=True, help="pods, deployments.apps, pods/status, ...")
@click.option("--namespace", "-n", default="", help="Only there (default: everywhere).")
@click.option("--code", type=click.Choice(_CODES), help="Refuse with this status.")
@click.option("--delay", type=_Duration(), default="0", help="Wait so long first: 200ms, 1.5s.")
@click.option(
    "--rate",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Which part of the requests.",
)
@click.option("--count", type=click.IntRange(1), help="How many requests at most (default: no end).")
def add(
    *,
    name: str,
    verb: str,
    resource: str,
    namespace: str,
    code: str | None,
    delay: float,
    rate: float,
    count: int | None,
) -> None:
    """Set a fault: a refusal (--code), a delay (--delay) or both."""
    if code is None and not delay:
        raise click.UsageError("a fault refuses (--code) or waits (--delay), or both")
    body = {
        "verb": verb,
        "resource": resource,
        "namespace": namespace,
        "code": int(code or 0),
        "delay_s": delay,
        "rate": rate,
        "count": count,
    }
    _print(_change(name, "POST", body=body), output="text")


@fault.command("list")
@_name_option
@terminal.output_option
def list_faults(name: str, output: str) -> None:
    """Show the faults that are set; those that are used up are gone."""
    _print(_change(name, "GET"), output=output)


@fault.command()
@_name_option
@click.argument("number", type=click.IntRange(1))
def remove(name: str, number: int) -> None:
    """Take one fault back, by the number that "list" shows."""
    _print(_change(name, "DELETE", query=f"?number={number}"), output="text")


@fault.command()
@_name_option
def clear(name: str) -> None:
    """Take all faults back."""
    _change(name, "DELETE")


def _change(name: str, method: str, *, query: str = "", body: Any = None) -> list[dict[str, Any]]:
    """Ask the lab, and end with what is wrong when it refuses."""
    with terminal.failures():
        answer = client.ask(
            paths.paths_for(name), method, client.FAULTS_PATH + query, body=body, may_refuse=True
        )
        if "faults" not in answer:
            raise findings.BookmeshError(
                findings.Finding(
                    code="BM0131",
                    message=f"the fault was not changed: {answer.get('message', answer)}",
                    hint="see the faults that are set: bookmesh kube fault list",
                )
            )
        found: list[dict[str, Any]] = answer["faults"]
        return found
    raise AssertionError("failures end the command")


def _print(faults: list[dict[str, Any]], *, output: str) -> None:
    if output == "json":
        terminal.print_json({"faults": faults})
        return
    if not faults:
        click.echo("no faults are set")
        return
    rows = [("NUMBER", "VERB", "RESOURCE", "NAMESPACE", "CODE", "DELAY", "RATE", "LEFT")]
    rows += [
        (
            str(each["number"]),
            each["verb"],
            each["resource"],
            each["namespace"] or "*",
            str(each["code"] or "-"),
            f"{each['delay_s']:g}s" if each["delay_s"] else "-",
            f"{each['rate']:g}",
            "-" if each["count"] is None else str(each["count"]),
        )
        for each in faults
    ]
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    for row in rows:
        click.echo("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
