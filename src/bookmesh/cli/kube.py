"""
`bookmesh kube`: a Kubernetes without a mesh.

It is a lab like others, of another extent: `bookmesh kubectl`, `kubeconfig`, `logs` and `down` know it by `--name`.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from bookmesh.cli import (
    environment,
    examples,
    faulting,
    inspecting,
    start_options,
    starting,
    stopping,
    terminal,
)
from bookmesh.lab import client, extents, launching, paths

_name_option = terminal.name_option_of(paths.KUBE_NAME)


class _Group(examples.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Group)
def kube() -> None:
    """
    A Kubernetes API on this machine, without any mesh.

    Stock kubectl, Helm and Python clients work with it: for learning Kubernetes, and for tests of operators and charts.
    """


@kube.command()
@_name_option
@start_options.port
@click.option(
    "--api-only",
    is_flag=True,
    help="No controllers and no node: objects can be stored and watched, but nothing acts on them.",
)
@click.option("--no-node", is_flag=True, help="Controllers but no node: pods stay Pending.")
@start_options.internet
@start_options.size
@start_options.audit
@terminal.output_option
def up(
    *,
    name: str,
    port: int | None,
    api_only: bool,
    no_node: bool,
    internet: bool,
    node_cpu: str | None,
    node_memory: str | None,
    audit_policy_file: Path | None,
    audit_log_path: Path | None,
    output: str,
) -> None:
    """
    Start API server, controllers and a node, or say that they run.

    The kubeconfig is printed, for `export KUBECONFIG=$(bookmesh kube up)`; objects survive until "down".
    """
    extent = _extent(api_only=api_only, no_node=no_node)
    if internet and not extent.has_node:
        raise click.UsageError("--internet is for pods, which need a node")
    size = start_options.size_of(node_cpu=node_cpu, node_memory=node_memory)
    if size and not extent.has_node:
        raise click.UsageError("--node-cpu and --node-memory are for a node")
    audit = start_options.audit_of(audit_policy_file=audit_policy_file, audit_log_path=audit_log_path)
    began = time.monotonic()
    with terminal.failures():
        lab = paths.paths_for(name)
        with starting.interruptible(lab), terminal.Steps() as steps:
            settings, started = launching.start(
                lab,
                port=port,
                extent=extent,
                real_internet=True if internet else None,
                size=size,
                audit=audit,
                on_step=steps.begin,
            )
        if output == "json":
            status = client.fetch_status(lab)
            terminal.print_json(status)
            return
    took = f"is up ({time.monotonic() - began:.1f} s)" if started else "was running already"
    flag = "" if name == paths.KUBE_NAME else f" --name {name}"
    terminal.stderr().print(
        f"bookmesh kube {name} {took}: https://127.0.0.1:{settings.port}\n"
        f'  this shell  eval "$(bookmesh kube env{flag})"\n'
        f"  end it      bookmesh kube down{flag}"
    )
    click.echo(lab.kubeconfig)


def _extent(*, api_only: bool, no_node: bool) -> extents.Extent:
    if api_only and no_node:
        raise click.UsageError("--api-only has no node already: use one of --api-only and --no-node")
    if api_only:
        return extents.Extent.API
    return extents.Extent.CONTROLLERS if no_node else extents.Extent.NODE


@kube.command()
@_name_option
@terminal.output_option
def status(name: str, output: str) -> None:
    """Show pods, addresses and what is wrong; exit code 1 when something is."""
    inspecting.show_status(name, output=output)


@kube.command()
@_name_option
@environment.shell_option
def env(name: str, shell: str) -> None:
    """Print KUBECONFIG, KUBECACHEDIR and PATH for this shell: eval "$(bookmesh kube env)"."""
    environment.print_variables(name, shell=shell)


kube.add_command(faulting.fault)


@kube.command()
@_name_option
def down(name: str) -> None:
    """Stop the cluster and remove all of it: processes, namespaces, mounts, files."""
    stopping.end([name])
