"""`bookmesh env`, `bookmesh kubectl` and `bookmesh kubeconfig`: the lab for other programs."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from bookmesh.base import findings
from bookmesh.cli import terminal
from bookmesh.lab import client, labs, paths

shell_option = click.option(
    "--shell",
    type=click.Choice(["sh", "fish"]),
    default="sh",
    show_default=True,
    help="The shell that reads the lines.",
)


@click.command()
@terminal.name_option
@shell_option
@click.option(
    "--simulated-internet",
    is_flag=True,
    help="Also set variables with which curl and other programs of this shell reach the hosts of the simulated "
    "Internet, and no others.",
)
def env(name: str, shell: str, simulated_internet: bool) -> None:
    """Print KUBECONFIG, KUBECACHEDIR and PATH for this shell: eval "$(bookmesh env)"."""
    print_variables(name, shell=shell, reaches_hosts=simulated_internet)


def print_variables(name: str, *, shell: str, reaches_hosts: bool = False) -> None:
    """Print what makes a shell use a lab that runs, and its simulated hosts, in the syntax of `shell`."""
    with terminal.failures():
        lab = paths.paths_for(name)
        settings = labs.require_running(lab)
        more = _internet(lab, settings) if reaches_hosts else {}
        client.link_shims(lab)
    for variable, value in (client.environment(lab) | more).items():
        quoted = shlex.quote(value)
        click.echo(f"set -gx {variable} {quoted}" if shell == "fish" else f"export {variable}={quoted}")


def _internet(lab: paths.LabPaths, settings: labs.LabSettings) -> dict[str, str]:
    """
    Variables that lead to the simulated Internet.

    Raises:
        BookmeshError: BM0422, the lab has none.
    """
    from bookmesh.lab.internet import proxying

    if not settings.proxy_port:
        raise findings.BookmeshError(
            findings.Finding(
                code="BM0422",
                message=f'the lab "{lab.name}" has no simulated Internet',
                where="bookmesh up --internet" if settings.real_internet else "",
                hint="programs of this machine need no variables for the real one; leave --simulated-internet out",
            )
        )
    return proxying.variables(settings.proxy_port, str(lab.bundle))


class _PassedOn(click.Command):
    """Takes its arguments as they are: click would drop the `--` that `kubectl exec` needs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.params["arguments"] = tuple(args)
        return []


@click.command(cls=_PassedOn)
@click.argument("arguments", nargs=-1)
def kubectl(arguments: tuple[str, ...]) -> None:
    """
    Run kubectl against the lab: bookmesh kubectl get pods.

    --name LAB in front chooses the lab. All other arguments are passed to kubectl unchanged.
    """
    rest = list(arguments)
    name = paths.DEFAULT_NAME
    if rest[:1] == ["--name"] and len(rest) > 1:
        name, rest = rest[1], rest[2:]
    elif rest and rest[0].startswith("--name="):
        name, rest = rest[0].removeprefix("--name="), rest[1:]
    with terminal.failures():
        lab = paths.paths_for(name)
        labs.require_running(lab)
        program = client.find_kubectl()
    os.execve(program, ["kubectl", *rest], os.environ | client.environment(lab))  # noqa: S606


@click.command()
@terminal.name_option
@click.option(
    "--merge", is_flag=True, help="Add the lab's context to your kubeconfig; the current context stays."
)
@click.option("--use", is_flag=True, help="With --merge: also make it the current context.")
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    help="With --merge: the file (default: first of KUBECONFIG, else ~/.kube/config).",
)
def kubeconfig(name: str, merge: bool, use: bool, into: Path | None) -> None:
    """Print the lab's kubeconfig, or merge it into yours."""
    if (use or into) and not merge:
        raise click.UsageError("--use and --into go with --merge")
    with terminal.failures():
        lab = paths.paths_for(name)
        labs.require_running(lab)
        if not merge:
            click.echo(lab.kubeconfig.read_text(), nl=False)
            return
        from bookmesh.lab import kubeconfigs

        target = into or _own_kubeconfig()
        current = kubeconfigs.merge(target, lab.kubeconfig, use=use)
    note = "" if current else f"; your current context stays. Use it: kubectl --context {lab.context} …"
    terminal.stderr().print(f"context {lab.context} is in {target}{note}")


def _own_kubeconfig() -> Path:
    configured = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(configured) if configured else Path.home() / ".kube" / "config"
