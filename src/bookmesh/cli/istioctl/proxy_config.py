"""`istioctl proxy-config`: what an Envoy has, in its own words, as a table, JSON or YAML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import click
import orjson
import yaml

from bookmesh.cli.istioctl import dumps, flags, listeners, secrets, summaries, tables, targets

_ALIASES: Final = {
    **dict.fromkeys(("clusters", "c"), "cluster"),
    **dict.fromkeys(("listeners", "l"), "listener"),
    **dict.fromkeys(("routes", "r"), "route"),
    **dict.fromkeys(("endpoints", "ep"), "endpoint"),
    **dict.fromkeys(("secrets", "s"), "secret"),
    "b": "bootstrap",
    "o": "log",
    "a": "all",
}
_FORM: Final = click.option(
    "-o", "--output", type=click.Choice(["short", "table", "json", "yaml"]), default="short", help="Form."
)


@click.group("proxy-config", cls=flags.Group, aliases=_ALIASES)
@flags.common
def proxy_config() -> None:
    """Show the configuration of the proxy in POD[.NAMESPACE] or deploy/NAME[.NAMESPACE]."""


@proxy_config.command()
@click.argument("target")
@click.option("--fqdn", default="", help="Part of the service's name.")
@click.option("--port", type=int, default=0, help="The service's port.")
@click.option("--subset", default="", help="The subset's name.")
@click.option("--direction", default="", help="inbound or outbound.")
@_FORM
@flags.common
@click.pass_obj
def cluster(
    session: flags.Session, *, target: str, fqdn: str, port: int, subset: str, direction: str, output: str
) -> None:
    """Show clusters: services, their ports and subsets."""
    wanted = summaries.ClusterFilter(fqdn=fqdn, port=port, subset=subset, direction=direction)
    found = summaries.clusters(_dump(session, target), wanted)
    _print(output, found, summaries.CLUSTER_HEADER, summaries.cluster_rows(found))


@proxy_config.command()
@click.argument("target")
@click.option("--address", default="", help="The address listened on.")
@click.option("--port", type=int, default=0, help="The port listened on.")
@click.option("--type", "kind", default="", help="HTTP, TCP or HTTP+TCP.")
@_FORM
@flags.common
@click.pass_obj
def listener(session: flags.Session, *, target: str, address: str, port: int, kind: str, output: str) -> None:
    """Show listeners and their filter chains."""
    wanted = listeners.ListenerFilter(address=address, port=port, type=kind)
    found = listeners.listeners(_dump(session, target), wanted)
    _print(output, found, listeners.HEADER, listeners.rows(found))


@proxy_config.command()
@click.argument("target")
@click.option("--name", default="", help="The route configuration's name.")
@_FORM
@flags.common
@click.pass_obj
def route(session: flags.Session, target: str, name: str, output: str) -> None:
    """Show routes."""
    found = summaries.routes(_dump(session, target), name)
    _print(output, found, summaries.ROUTE_HEADER, summaries.route_rows(found))


@proxy_config.command()
@click.argument("target")
@click.option("--address", default="", help="The endpoint's address.")
@click.option("--port", type=int, default=0, help="The endpoint's port.")
@click.option("--cluster", "cluster_name", default="", help="The cluster's whole name.")
@click.option("--status", default="", help="healthy, unhealthy, draining, timeout, degraded or unknown.")
@_FORM
@flags.common
@click.pass_obj
def endpoint(
    session: flags.Session,
    *,
    target: str,
    address: str,
    port: int,
    cluster_name: str,
    status: str,
    output: str,
) -> None:
    """Show endpoints, and whether Envoy thinks they are well."""
    wanted = summaries.EndpointFilter(address=address, port=port, cluster=cluster_name, status=status)
    statuses = orjson.loads(_ask(session, target, "clusters?format=json")).get("cluster_statuses", [])
    chosen = [
        each
        for each in statuses
        if any(wanted.accepts(h, each["name"]) for h in each.get("host_statuses", []))
    ]
    _print(output, chosen, summaries.ENDPOINT_HEADER, summaries.endpoint_rows(statuses, wanted))


@proxy_config.command()
@click.argument("target")
@_FORM
@flags.common
@click.pass_obj
def secret(session: flags.Session, target: str, output: str) -> None:
    """Show certificates: the proxy's own, those of authorities it trusts, and those of gateways."""
    dump = _dump(session, target)
    rows = list(secrets.rows(dump, now=datetime.now(UTC)))
    if not rows and output in ("short", "table"):
        click.echo("No secret items to show.")
        return
    _print(output, dump.secrets(), secrets.HEADER, rows)


@proxy_config.command()
@click.argument("target")
@click.option("-o", "--output", type=click.Choice(["json", "yaml", "short"]), default="json", help="Form.")
@flags.common
@click.pass_obj
def bootstrap(session: flags.Session, target: str, output: str) -> None:
    """Show what the proxy started from."""
    found = _dump(session, target).bootstrap()
    node = found.get("bootstrap", {}).get("node", {})
    rows = [(node.get("id", ""), node.get("cluster", ""), node.get("metadata", {}).get("ISTIO_VERSION", ""))]
    _print(output, found, ("NODE", "CLUSTER", "VERSION"), rows)


@proxy_config.command()
@click.argument("target")
@click.option("--level", "levels", default="", help="LEVEL for all, or LOGGER:LEVEL[,LOGGER:LEVEL…].")
@click.option("-r", "--reset", is_flag=True, help="Back to warning.")
@flags.common
@click.pass_obj
def log(session: flags.Session, target: str, levels: str, reset: bool) -> None:
    """Show the levels of Envoy's loggers, or change them."""
    for query in queries_for("warning" if reset else levels):
        answer = _ask(session, target, f"logging{query}", method="POST")
    click.echo(answer, nl=False)


@proxy_config.command("all")
@click.argument("target")
@_FORM
@flags.common
@click.pass_obj
def everything(session: flags.Session, target: str, output: str) -> None:
    """Show all of it: clusters, listeners, routes, endpoints and certificates."""
    if output in ("json", "yaml"):
        _print(output, orjson.loads(_ask(session, target, "config_dump?include_eds")), (), ())
        return
    dump = _dump(session, target)
    statuses = orjson.loads(_ask(session, target, "clusters?format=json")).get("cluster_statuses", [])
    clusters = summaries.clusters(dump, summaries.ClusterFilter())
    found = listeners.listeners(dump, listeners.ListenerFilter())
    parts = (
        (summaries.CLUSTER_HEADER, list(summaries.cluster_rows(clusters))),
        (listeners.HEADER, list(listeners.rows(found))),
        (summaries.ROUTE_HEADER, list(summaries.route_rows(summaries.routes(dump)))),
        (summaries.ENDPOINT_HEADER, summaries.endpoint_rows(statuses, summaries.EndpointFilter())),
        (secrets.HEADER, list(secrets.rows(dump, now=datetime.now(UTC)))),
    )
    click.echo("\n\n".join(tables.render(header, rows) for header, rows in parts))


def queries_for(levels: str) -> list[str]:
    """
    Queries of Envoy's `logging` for `--level`; one that changes nothing when there are none.

    Raises:
        UsageError: a level that Envoy does not have.
    """
    known = ("trace", "debug", "info", "warning", "error", "critical", "off")
    queries = []
    for part in filter(None, levels.split(",")):
        logger, has_logger, level = part.rpartition(":")
        level = "warning" if level == "warn" else level
        if level not in known:
            raise click.UsageError(f'unrecognized logging level: "{level}"; known: {", ".join(known)}')
        queries.append(f"?{logger}={level}" if has_logger else f"?level={level}")
    return queries or [""]


def _dump(session: flags.Session, target: str) -> dumps.Dump:
    return dumps.parse(orjson.loads(_ask(session, target, "config_dump?include_eds")))


def _ask(session: flags.Session, target: str, path: str, *, method: str = "GET") -> str:
    pod = targets.resolve(session.kubectl, target, session.namespace)
    return session.kubectl.ask_envoy(pod.name, pod.namespace, path, method=method)


def _print(output: str, found: Any, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    if output == "json":
        click.echo(json.dumps(dumps.camel_case(found), indent=4))
    elif output == "yaml":
        click.echo(yaml.safe_dump(dumps.camel_case(found), sort_keys=True), nl=False)
    else:
        click.echo(tables.render(header, rows))
