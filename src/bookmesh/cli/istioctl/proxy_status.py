"""`istioctl proxy-status`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import click
import yaml

from bookmesh.cli import terminal
from bookmesh.cli.istioctl import flags, tables, targets
from bookmesh.lab import releases

HEADER: Final = ("NAME", "CLUSTER", "ISTIOD", "VERSION", "SUBSCRIBED TYPES")
TYPES: Final = ("CDS", "LDS", "EDS", "RDS", "SDS")
VERBOSE_TYPES: Final = ("CDS", "ECDS", "EDS", "LDS", "RDS", "SDS")
CONTROL_PLANE: Final = "bookmesh"
REVISION: Final = "default"
CLUSTER: Final = "Kubernetes"


@click.command("proxy-status", cls=flags.Command)
@click.argument("target", required=False)
@click.option("-v", "--verbosity", type=click.IntRange(min=0), default=0, help="1: a column for each type.")
@click.option(
    "-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", help="Output format."
)
@click.option(
    "-r", "--revision", default=REVISION, help="Which control plane; a lab has one, of the revision default."
)
@flags.common
@click.pass_obj
def proxy_status(
    session: flags.Session, *, target: str | None, verbosity: int, output: str, revision: str
) -> None:
    """
    Show which proxies are connected, and what of their configuration they have accepted.

    With POD[.NAMESPACE]: whether this one has all that it was sent.
    """
    if revision != REVISION:
        raise click.ClickException(
            f'no running Istio pods of revision "{revision}" in "{session.system_namespace}"; known: {REVISION}'
        )
    proxies = session.kubectl.ask_lab("/lab/v1/status")["proxies"]
    if target is not None:
        pod = targets.resolve(session.kubectl, target, session.namespace)
        proxies = [proxy for proxy in proxies if _name(proxy) == f"{pod.name}.{pod.namespace}"]
        if not proxies:
            raise click.ClickException(
                f"no proxy of {pod.name}.{pod.namespace} is known to the control plane"
            )
    elif session.given_namespace:
        proxies = [proxy for proxy in proxies if _name(proxy).rpartition(".")[2] == session.given_namespace]
    if output == "json":
        terminal.print_json(proxies)
    elif output == "yaml":
        click.echo(yaml.safe_dump(proxies, sort_keys=False), nl=False)
    elif target is not None:
        click.echo("\n".join(compare(proxies[0])))
    elif verbosity:
        header = ("NAME", "CLUSTER", *VERBOSE_TYPES, "ISTIOD", "VERSION")
        click.echo(tables.render(header, verbose_rows(proxies, _control_plane(session))))
    else:
        click.echo(tables.render(HEADER, rows(proxies, _control_plane(session))))


def _control_plane(session: flags.Session) -> str:
    """The pod that stands for the control plane, once `install` has made it."""
    place = ("-n", session.system_namespace, "-l", "app=istiod", "-o", "json")
    pods = session.kubectl.json("get", "pods", *place)["items"]
    running = [each["metadata"]["name"] for each in pods if each["status"].get("phase") == "Running"]
    return running[0] if running else CONTROL_PLANE


def rows(proxies: Iterable[dict[str, Any]], control_plane: str) -> Iterator[Sequence[object]]:
    """Connected proxies with the types they asked for."""
    for proxy in _connected(proxies):
        types = [name for name in TYPES if proxy["types"].get(name, "NOT SENT") != "NOT SENT"]
        subscribed = f"{len(types)} ({','.join(types)})" if types else "0"
        yield _name(proxy), CLUSTER, control_plane, releases.ISTIO_TAG, subscribed


def verbose_rows(proxies: Iterable[dict[str, Any]], control_plane: str) -> Iterator[Sequence[object]]:
    """Connected proxies with the state of each type."""
    for proxy in _connected(proxies):
        types = [proxy["types"].get(name, "IGNORED") for name in VERBOSE_TYPES]
        yield _name(proxy), CLUSTER, *types, control_plane, releases.ISTIO_TAG


def _connected(proxies: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """By name, as Istio lists them."""
    return sorted((proxy for proxy in proxies if proxy["connected"]), key=_name)


def compare(proxy: dict[str, Any]) -> list[str]:
    """One line for each kind of configuration, and Envoy's words for what it refuses."""
    lines = []
    for name, words in (("CDS", "Clusters"), ("LDS", "Listeners"), ("RDS", "Routes"), ("EDS", "Endpoints")):
        matches = proxy["types"].get(name) in ("SYNCED", "NOT SENT", None)
        lines.append(f"{words} {'Match' if matches else 'Do Not Match'}")
    lines += [f"{each['type']} {each['resource']}: {each['message']}" for each in proxy["refusals"]]
    return lines


def _name(proxy: dict[str, Any]) -> str:
    return str(proxy["id"].split("~")[2])
