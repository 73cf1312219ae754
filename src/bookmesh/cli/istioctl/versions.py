"""`istioctl version`."""

from __future__ import annotations

import importlib.metadata

import click
import orjson

from bookmesh.cli.istioctl import flags
from bookmesh.lab import releases


@click.command(cls=flags.Command)
@click.option("--remote/--no-remote", default=True, help="Also that of the proxies.")
@click.option("-s", "--short", is_flag=True, help="The same, since there is not more to say.")
@click.option("-o", "--output", type=click.Choice(["short", "json"]), default="short", help="Form.")
@flags.common
@click.pass_obj
def version(session: flags.Session, remote: bool, short: bool, output: str) -> None:
    """Show the version of Istio that the mesh follows, and how many proxies there are."""
    del short
    own = importlib.metadata.version("bookmesh")
    proxies = session.kubectl.ask_lab("/lab/v1/status")["proxies"] if remote else []
    if output == "json":
        found = {"clientVersion": {"version": releases.ISTIO_TAG, "bookmesh": own}}
        if remote:
            found["dataPlaneVersion"] = [  # type: ignore[assignment]
                {"ID": _name(proxy["id"]), "IstioVersion": releases.ISTIO_TAG} for proxy in proxies
            ]
        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
        return
    click.echo(f"client version: {releases.ISTIO_TAG} (Bookmesh {own})")
    if remote:
        click.echo(f"control plane version: {releases.ISTIO_TAG}")
        click.echo(f"data plane version: {releases.ISTIO_TAG} ({len(proxies)} proxies)")


def _name(node: str) -> str:
    return node.split("~")[2]
