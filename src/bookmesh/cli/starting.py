"""`bookmesh up`."""

from __future__ import annotations

import importlib.resources
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import click
import orjson
from rich.table import Table

from bookmesh.base import findings
from bookmesh.cli import terminal
from bookmesh.lab import client, launching, paths

BOOKINFO = ("bookinfo.yaml", "gateway.yaml", "subsets.yaml", "routes-all-v1.yaml")


@click.command()
@terminal.name_option
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port of the API server on 127.0.0.1 (default: a free one, kept).",
)
@click.option(
    "--bookinfo", is_flag=True, help="Also apply Bookinfo, with all routes to version v1, and wait for it."
)
@click.option(
    "-f",
    "--filename",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Also apply this YAML file or folder.",
)
@terminal.output_option
def up(name: str, port: int | None, bookinfo: bool, files: tuple[Path, ...], output: str) -> None:
    """
    Start the lab, or say that it runs.

    A second "up" changes nothing. The current context of your kubeconfig stays as it is: use
    eval "$(bookmesh env)", or bookmesh kubectl.
    """
    began = time.monotonic()
    steps = terminal.Steps()
    with terminal.failures():
        lab = paths.paths_for(name)
        try:
            _, started = launching.start(lab, port=port, on_step=steps.begin)
            if bookinfo or files:
                steps.begin("Bookinfo" if bookinfo else "your files")
                _apply(lab, bookinfo=bookinfo, files=files)
        except findings.BookmeshError:
            steps.end(failed=True)
            raise
        steps.end()
        status = client.fetch_status(lab)
    if output == "json":
        click.echo(orjson.dumps(status, option=orjson.OPT_INDENT_2).decode())
        return
    _summarize(lab, status, started=started, took_s=time.monotonic() - began)


def _apply(lab: paths.LabPaths, *, bookinfo: bool, files: tuple[Path, ...]) -> None:
    sources: list[str] = []
    samples = importlib.resources.files("bookmesh.lab") / "samples" / "bookinfo"
    if bookinfo:
        sources += [str(samples / file) for file in BOOKINFO]
    sources += [str(file) for file in files]
    _kubectl(lab, "apply", *[argument for source in sources for argument in ("-f", source)])
    if bookinfo:
        waited = ("details-v1", "ratings-v1", "reviews-v1", "reviews-v2", "reviews-v3", "productpage-v1")
        targets = [f"deployment/{deployment}" for deployment in waited]
        _kubectl(lab, "wait", "--for=condition=Available", "--timeout=60s", *targets)


def _kubectl(lab: paths.LabPaths, *arguments: str) -> None:
    completed = subprocess.run(
        [client.find_kubectl(), *arguments],
        env=os.environ | client.environment(lab),
        capture_output=True,
        text=True,
        check=False,
    )
    if completed.returncode:
        raise findings.BookmeshError(
            findings.Finding(
                code="BM0109",
                message=f"kubectl {arguments[0]} failed, and the lab stays up",
                known=completed.stderr.strip(),
                hint="mend the file and apply it: bookmesh kubectl apply -f FILE",
            )
        )


def _summarize(lab: paths.LabPaths, status: dict[str, Any], *, started: bool, took_s: float) -> None:
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
