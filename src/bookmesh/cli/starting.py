"""`bookmesh up`."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bookmesh.base import findings
from bookmesh.cli import start_options, terminal
from bookmesh.lab import applications, client, labs, launching, paths


@click.command()
@terminal.name_option
@start_options.port
@click.option(
    "--bookinfo", is_flag=True, help="Also apply Bookinfo, with all routes to version v1, and wait for it."
)
@click.option(
    "-f",
    "--filename",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="Also apply this YAML file or folder.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=launching.PATIENCE_S,
    show_default=True,
    help="Seconds to wait for the ingress gateway; the lab stays up even if it is not ready by then.",
)
@click.option(
    "--hosts",
    multiple=True,
    type=click.Path(path_type=Path),
    help="YAML file with more hosts for the simulated Internet.",
)
@start_options.internet
@start_options.size
@terminal.output_option
def up(
    *,
    name: str,
    port: int | None,
    bookinfo: bool,
    files: tuple[Path, ...],
    timeout: float,
    hosts: tuple[Path, ...],
    internet: bool,
    node_cpu: str | None,
    node_memory: str | None,
    output: str,
) -> None:
    """
    Start the lab, or say that it is running.

    Without --internet, pods cannot reach the Internet. The lab simulates the hosts that Istio's documentation calls,
    and those in the file of --hosts.

    A second "up" changes nothing. Your kubeconfig is not changed either: to reach the lab, type
    eval "$(bookmesh env)" and then kubectl, or use bookmesh kubectl.
    """
    began = time.monotonic()
    with terminal.failures():
        lab = paths.paths_for(name)
        applying = applications.Application(lab, bookinfo=bookinfo, files=files)
        with interruptible(lab), applying, terminal.Steps() as steps:
            _, started = launching.start(
                lab,
                port=port,
                patience_s=timeout,
                real_internet=True if internet else None,
                hosts=_read_hosts(hosts, internet=internet),
                size=start_options.size_of(node_cpu=node_cpu, node_memory=node_memory),
                on_step=steps.begin,
                on_serving=applying.begin,
            )
            if bookinfo or files:
                steps.begin("Bookinfo" if bookinfo else "your files")
                applying.finish()
        status = client.fetch_status(lab)
    if output == "json":
        terminal.print_json(status)
        return
    _summarize(lab, status, started=started, took_s=time.monotonic() - began)


@contextlib.contextmanager
def interruptible(lab: paths.LabPaths) -> Iterator[None]:
    """Say what is left after Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        flag = "" if lab.name == paths.DEFAULT_NAME else f" --name {lab.name}"
        left = "stays up" if labs.running(lab) else "is not up"
        terminal.stderr().print(f'the lab {left}; "bookmesh down{flag}" removes what there is of it')
        raise


def _read_hosts(files: tuple[Path, ...], *, internet: bool) -> str | None:
    """Read and check a person's hosts; None without any."""
    if not files:
        return None
    if internet:
        raise click.UsageError("--hosts is for the simulated Internet, --internet for the real one")
    from bookmesh.lab.internet import hosts  # costs an import that few starts need

    return hosts.render(hosts.read(files))


def _summarize(lab: paths.LabPaths, status: dict[str, Any], *, started: bool, took_s: float) -> None:
    from rich.table import Table

    console = terminal.stderr()
    flag = "" if lab.name == paths.DEFAULT_NAME else f" --name {lab.name}"
    console.print(
        f"\n[bold]bookmesh {lab.name}[/bold] is up ({took_s:.1f} s)"
        if started
        else f"\n[bold]bookmesh {lab.name}[/bold] was running already"
    )
    table = Table.grid(padding=(0, 2))
    for gateway in status["gateways"]:
        for url in gateway["urls"]:
            table.add_row("  gateway", url)
    for page in status["pages"]:
        table.add_row("  open", page)
    table.add_row("  API", status["api"]["url"])
    table.add_row("  this shell", f'eval "$(bookmesh env{flag})"')
    table.add_row("  end it", f"bookmesh down{flag}")
    console.print(table)
    for finding in status["findings"]:
        terminal.show(findings.Finding(**finding), console)
