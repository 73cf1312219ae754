"""`istioctl analyze`: what Istio's analyzers say about a cluster, about files, or about both together."""

from __future__ import annotations

import dataclasses
import fnmatch
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import click
import yaml

from bookmesh.cli import terminal
from bookmesh.cli.istioctl import analysis_input, flags
from bookmesh.cli.istioctl.analyzers import every, messages
from bookmesh.cli.istioctl.analyzers.messages import LEVELS, Message
from bookmesh.cli.istioctl.kubernetes import Kubectl

FOUND: Final = 79
"""The exit code of Istio's own command when something at or above the threshold was found."""
UNREADABLE: Final = 65
"""Its exit code when files could not be parsed."""
_COLORS: Final = {"Error": "\033[1;31m", "Warning": "\033[33m", "Info": ""}
_LEVEL: Final = click.Choice(LEVELS, case_sensitive=False)


@click.command(
    cls=flags.Command,
)
@click.argument("files", nargs=-1)
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="All namespaces.")
@flags.switch("--use-kube", "-k", default=True, help="Look at the cluster; =false for files alone.")
@click.option(
    "--failure-threshold", type=_LEVEL, default="Error", help="From which level on the exit code is 79."
)
@click.option(
    "--output-threshold", type=_LEVEL, default="Info", help="From which level on messages are shown."
)
@click.option(
    "-S", "--suppress", multiple=True, metavar="CODE=RESOURCE", help="Do not say this; * is anything."
)
@click.option(
    "-o", "--output", type=click.Choice(["log", "json", "yaml"]), default="log", help="Output format."
)
@click.option("--analyzer", "names", multiple=True, help="Only this one.")
@click.option("-L", "--list-analyzers", "is_list", is_flag=True, help="List the analyzers.")
@click.option(
    "--meshConfigFile", "mesh_config", type=click.Path(path_type=Path), help="Use this mesh configuration."
)
@click.option("--ignore-unknown", is_flag=True, help="Files that are no YAML are no failure.")
@flags.switch("--color", default=None, help="Colour (default: on a terminal).")
@click.option("-v", "--verbose", is_flag=True, help="Also say which analyzers ran.")
@click.option(
    "-r", "--revision", default="default", help="Accepted for compatibility: a lab has one revision."
)
@click.option("--timeout", default="30s", help="Accepted for compatibility: nothing here waits.")
@flags.common
@click.pass_obj
def analyze(
    session: flags.Session,
    *,
    files: tuple[str, ...],
    everywhere: bool,
    use_kube: bool,
    failure_threshold: messages.Level,
    output_threshold: messages.Level,
    suppress: tuple[str, ...],
    output: str,
    names: tuple[str, ...],
    is_list: bool,
    mesh_config: Path | None,
    ignore_unknown: bool,
    color: bool | None,
    verbose: bool,
    revision: str,
    timeout: str,
) -> None:
    """
    Say what is wrong with the mesh's configuration. With FILES or folders: as if they were applied.

    Files alone (--use-kube=false) that hold no Service or no workload may refer to those of a cluster.
    """
    del revision, timeout
    if is_list:
        _list()
        return
    rules = [_suppression(rule) for rule in suppress]
    unknown = set(names) - set(every.ANALYZERS)
    if unknown:
        raise flags.Misuse(f"unknown analyzer {', '.join(sorted(unknown))}; see --list-analyzers")
    namespace = session.namespace if use_kube or session.given_namespace else "default"
    read = analysis_input.read_files(files, namespace=namespace)
    kubectl = session.kubectl if use_kube else None
    found = analysis_input.gather(kubectl, read, namespace=namespace, mesh_config=mesh_config)
    scope = messages.ALL if everywhere else namespace
    every_message = [
        each
        for each in _messages(kubectl, read, every.analyze(found, names))
        if each.is_about(scope) and not any(_is_meant(rule, each) for rule in rules)
    ]
    target = "all namespaces" if everywhere else f"namespace: {namespace}"
    if verbose:
        _say_what_ran(target, names or tuple(every.ANALYZERS))
    shown = [each for each in every_message if LEVELS.index(each.level) <= LEVELS.index(output_threshold)]
    _print(
        shown,
        output,
        is_colored=sys.stdout.isatty() and not os.environ.get("NO_COLOR") if color is None else color,
    )
    if not shown:
        _say_nothing_found(read, target)
    if output == "log":
        _exit(
            every_message,
            failure_threshold,
            target,
            has_unreadable=bool(read.problems) and not ignore_unknown,
        )


def _list() -> None:
    for name, analyzer in sorted(every.ANALYZERS.items()):
        click.echo(f"* {name}:\n    {analyzer.description}")


def _messages(
    kubectl: Kubectl | None, read: analysis_input.Files, found: Iterable[Message]
) -> Iterator[Message]:
    """Those that can be known, and what proxies refuse, each with its place in a file."""
    for each in [*found, *analysis_input.refused(kubectl, read)]:
        if kubectl is not None or analysis_input.is_known(each, read):
            yield dataclasses.replace(each, reference=read.reference(each.origin, each.path))


def _say_what_ran(target: str, names: Iterable[str]) -> None:
    ran = "".join(f"\t {name}\n" for name in names)
    click.echo(f"Analyzed resources in {target}\nExecuted analyzers:\n{ran}", err=True)


def _suppression(rule: str) -> tuple[str, str]:
    code, has_resource, resource = rule.partition("=")
    if not has_resource or "=" in resource:
        raise click.ClickException(f"{rule} is not a valid suppression value. See istioctl analyze --help")
    return code, resource


def _is_meant(rule: tuple[str, str], message: Message) -> bool:
    """`Pod mypod.default` is an older way to write `Pod default/mypod`."""
    code, resource = rule
    kind, _, name = message.origin.partition(" ")
    namespace, _, short = name.rpartition("/")
    forms = {message.origin, f"{kind} {short}.{namespace}"}
    return code == message.code and any(fnmatch.fnmatchcase(form, resource) for form in forms)


def _print(shown: Sequence[Message], output: str, *, is_colored: bool) -> None:
    if output == "json":
        terminal.print_json([each.as_json() for each in shown])
    elif output == "yaml":
        click.echo(yaml.safe_dump([each.as_json() for each in shown]), nl=False)
    else:
        for each in shown:
            color = _COLORS[each.level] if is_colored else ""
            text = str(each)
            click.echo(
                f"{color}{each.level}\033[0m{text[len(each.level) :]}" if is_colored else text,
                color=is_colored,
            )


def _say_nothing_found(read: analysis_input.Files, target: str) -> None:
    if read.problems:
        word = "file" if len(read.problems) == 1 else "files"
        problems = f"but {len(read.problems)} {word} could not be parsed"
        text = f"No validation issues found when analyzing {target} ({problems})."
    elif len(read.names) > 1:
        text = "\u2714 No validation issues found when analyzing:\n  - " + "\n  - ".join(read.names)
    else:
        text = f"\u2714 No validation issues found when analyzing {read.names[0] if read.names else target}."
    click.echo(text, err=True)


def _exit(found: Iterable[Message], threshold: messages.Level, target: str, *, has_unreadable: bool) -> None:
    if any(LEVELS.index(each.level) <= LEVELS.index(threshold) for each in found):
        click.echo(f"Error: Analyzers found issues when analyzing {target}.", err=True)
        click.echo(f"See {messages.PAGE} for more information about causes and resolutions.", err=True)
        sys.exit(FOUND)
    if has_unreadable:
        click.echo("Error: Some files couldn't be parsed.", err=True)
        sys.exit(UNREADABLE)
