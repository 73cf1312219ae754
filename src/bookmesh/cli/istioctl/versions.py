"""`istioctl version`."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import click
import orjson
import yaml

from bookmesh.cli.istioctl import flags
from bookmesh.lab import releases


@click.command(cls=flags.Command)
@flags.switch(
    "--remote", default=True, help="Also that of control plane and proxies; =false for the client alone."
)
@flags.switch("--short", "-s", default=True, help="One line for each; =false names every proxy.")
@click.option("-o", "--output", type=click.Choice(["json", "yaml"]), help="Output format.")
@flags.common
@click.pass_obj
def version(session: flags.Session, remote: bool, short: bool, output: str | None) -> None:
    """Show the version of Istio that the mesh follows, and how many proxies there are."""
    own = importlib.metadata.version("bookmesh")
    proxies = session.kubectl.ask_lab("/lab/v1/status")["proxies"] if remote else []
    connected = [proxy for proxy in proxies if proxy.get("connected", True)]
    if output is not None:
        found = build(own, connected if remote else None)
        text = (
            orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()
            if output == "json"
            else yaml.safe_dump(found)
        )
        click.echo(text.rstrip("\n"))
        return
    click.echo(f"client version: {releases.ISTIO_TAG} (Bookmesh {own})")
    if remote:
        click.echo(f"control plane version: {releases.ISTIO_TAG}")
        count = f"{releases.ISTIO_TAG} ({len(connected)} proxies)" if connected else "none"
        lines = [count] if short else [f"{_name(each['id'])} {releases.ISTIO_TAG}" for each in connected]
        for line in lines:
            click.echo(f"data plane version: {line}")


def build(own: str, proxies: list[dict[str, Any]] | None) -> dict[str, Any]:
    """The same for programs, under Istio's names; `proxies` None: only the client."""
    found: dict[str, Any] = {"clientVersion": {"version": releases.ISTIO_TAG, "bookmesh": own}}
    if proxies is not None:
        server = {"Component": "pilot", "Revision": "default", "Info": {"version": releases.ISTIO_TAG}}
        found["meshVersion"] = [server]
        found["dataPlaneVersion"] = [
            {"ID": _name(proxy["id"]), "IstioVersion": releases.ISTIO_TAG} for proxy in proxies
        ]
    return found


def _name(node: str) -> str:
    return node.split("~")[2]
