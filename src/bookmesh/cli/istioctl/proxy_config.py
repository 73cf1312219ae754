"""`istioctl proxy-config`: what an Envoy has, in its own words, as a table, JSON or YAML; from a file as well."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
import orjson

from bookmesh.cli.istioctl import (
    dumps,
    flags,
    listeners,
    logging_levels,
    printing,
    secrets,
    summaries,
    tables,
    targets,
)

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
DUMP: Final = "config_dump?include_eds"
STATUSES: Final = "clusters?format=json"
_FORM: Final = click.option(
    "-o",
    "--output",
    type=click.Choice(["short", "table", "json", "yaml"]),
    default="short",
    help="Output format.",
)
_VERBOSE: Final = flags.switch("--verbose", default=True, help="More columns; =false for a short table.")


def _asked(function: click.decorators.FC) -> click.decorators.FC:
    """Whose configuration: a pod's, or the one in a file."""
    function = click.option(
        "-f", "--file", metavar="FILE", help="A saved answer of an Envoy; - for standard input."
    )(function)
    return click.argument("target", required=False)(function)


@click.group("proxy-config", cls=flags.Group, aliases=_ALIASES)
@flags.common
def proxy_config() -> None:
    """Show the configuration of the proxy in POD[.NAMESPACE] or deploy/NAME[.NAMESPACE]."""


@proxy_config.command()
@_asked
@click.option("--fqdn", default="", help="Part of the service's name.")
@click.option("--port", type=int, default=0, help="The service's port.")
@click.option("--subset", default="", help="The subset's name.")
@click.option("--direction", default="", help="inbound or outbound.")
@_FORM
@flags.common
@click.pass_obj
def cluster(
    session: flags.Session,
    *,
    target: str | None,
    file: str | None,
    fqdn: str,
    port: int,
    subset: str,
    direction: str,
    output: str,
) -> None:
    """Show clusters: services, their ports and subsets."""
    wanted = summaries.ClusterFilter(fqdn=fqdn, port=port, subset=subset, direction=direction)
    found = summaries.clusters(_dump(session, "cluster", target, file), wanted)
    printing.show(output, found, summaries.CLUSTER_HEADER, summaries.cluster_rows(found))


@proxy_config.command()
@_asked
@click.option("--address", default="", help="The address listened on.")
@click.option("--port", type=int, default=0, help="The port listened on.")
@click.option("--type", "kind", default="", help="HTTP, TCP or HTTP+TCP.")
@_VERBOSE
@_FORM
@flags.common
@click.pass_obj
def listener(
    session: flags.Session,
    *,
    target: str | None,
    file: str | None,
    address: str,
    port: int,
    kind: str,
    verbose: bool,
    output: str,
) -> None:
    """Show listeners and their filter chains."""
    wanted = listeners.ListenerFilter(address=address, port=port, type=kind)
    found = listeners.listeners(_dump(session, "listener", target, file), wanted)
    if verbose:
        printing.show(output, found, listeners.HEADER, listeners.rows(found), gap=listeners.GAP)
    else:
        printing.show(output, found, listeners.SHORT_HEADER, listeners.short_rows(found), gap=listeners.GAP)


@proxy_config.command()
@_asked
@click.option("--name", default="", help="The route configuration's name.")
@_VERBOSE
@_FORM
@flags.common
@click.pass_obj
def route(
    session: flags.Session, *, target: str | None, file: str | None, name: str, verbose: bool, output: str
) -> None:
    """Show routes."""
    found = summaries.routes(_dump(session, "route", target, file), name)
    if verbose:
        printing.show(output, found, summaries.ROUTE_HEADER, summaries.route_rows(found))
    else:
        printing.show(output, found, summaries.SHORT_ROUTE_HEADER, summaries.short_route_rows(found))


@proxy_config.command()
@_asked
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
    target: str | None,
    file: str | None,
    address: str,
    port: int,
    cluster_name: str,
    status: str,
    output: str,
) -> None:
    """Show endpoints, and whether Envoy considers them healthy. A FILE holds the answer to clusters?format=json."""
    wanted = summaries.EndpointFilter(address=address, port=port, cluster=cluster_name, status=status)
    answer = _json(_read(session, "endpoints", target, file, STATUSES))
    statuses = answer.get("cluster_statuses", [])
    chosen = [
        each
        for each in statuses
        if any(wanted.accepts(h, each["name"]) for h in each.get("host_statuses", []))
    ]
    printing.show(output, chosen, summaries.ENDPOINT_HEADER, summaries.endpoint_rows(statuses, wanted))


@proxy_config.command()
@_asked
@_FORM
@flags.common
@click.pass_obj
def secret(session: flags.Session, target: str | None, file: str | None, output: str) -> None:
    """Show certificates: the proxy's own, those of authorities it trusts, and those of gateways."""
    dump = _dump(session, "secret", target, file)
    rows = list(secrets.rows(dump, now=datetime.now(UTC)))
    if not rows and output in ("short", "table"):
        click.echo("No secret items to show.")
        return
    printing.show(output, dump.secrets(), secrets.HEADER, rows)


@proxy_config.command()
@_asked
@click.option(
    "-o", "--output", type=click.Choice(["json", "yaml", "short"]), default="json", help="Output format."
)
@flags.common
@click.pass_obj
def bootstrap(session: flags.Session, target: str | None, file: str | None, output: str) -> None:
    """Show the configuration with which the proxy was started."""
    found = _dump(session, "bootstrap", target, file).bootstrap()
    if output == "short":
        click.echo(tables.pairs(summaries.versions(found)))
    else:
        printing.show(output, found, (), ())


@proxy_config.command()
@click.argument("target", required=False)
@click.option("--level", "levels", default="", help="LEVEL for all, or LOGGER:LEVEL[,LOGGER:LEVEL…].")
@click.option("-r", "--reset", is_flag=True, help="Back to warning.")
@click.option("-l", "--selector", default="", help="All pods with these labels instead of a target.")
@flags.common
@click.pass_obj
def log(session: flags.Session, *, target: str | None, levels: str, reset: bool, selector: str) -> None:
    """Show the levels of Envoy's loggers, or change them, in all pods of a workload."""
    if reset and levels:
        raise click.ClickException("--level cannot be combined with --reset")
    queries = logging_levels.queries_for("warning" if reset else levels)
    for pod in targets.resolve_all(session.kubectl, "log", target, selector, session.namespace):

        def ask(query: str, pod: targets.Pod = pod) -> str:
            return session.kubectl.ask_envoy(pod.name, pod.namespace, f"logging{query}", method="POST")

        if queries != [""]:
            logging_levels.check_loggers(queries, ask(""))
        answer = [ask(query) for query in queries][-1]
        click.echo(f"{pod.name}.{pod.namespace}:\n{answer}", nl=False)


@proxy_config.command("all")
@_asked
@click.option("--fqdn", default="", help="Clusters: part of the service's name.")
@click.option("--port", type=int, default=0, help="Clusters, listeners and endpoints: the port.")
@click.option("--subset", default="", help="Clusters: the subset's name.")
@click.option("--direction", default="", help="Clusters: inbound or outbound.")
@click.option("--address", default="", help="Listeners and endpoints: the address.")
@click.option("--type", "kind", default="", help="Listeners: HTTP, TCP or HTTP+TCP.")
@click.option("--name", default="", help="Routes: the route configuration's name.")
@click.option("--with-headers", is_flag=True, help="A title above each table.")
@_FORM
@flags.common
@click.pass_obj
def everything(
    session: flags.Session,
    /,
    *,
    target: str | None,
    file: str | None,
    output: str,
    with_headers: bool,
    **wanted: Any,
) -> None:
    """Show everything: versions, clusters, listeners, routes, certificates and endpoints."""
    found = _json(_read(session, "all", target, file, DUMP))
    if output in ("json", "yaml"):
        printing.show_data(output, found)
        return
    dump = dumps.parse(found)
    statuses = {} if file is not None else _json(_read(session, "all", target, None, STATUSES))
    parts = printing.sections(dump, statuses, now=datetime.now(UTC), **wanted)
    click.echo(
        "\n\n".join(f"------ {title} ------\n\n{text}" if with_headers else text for title, text in parts)
    )


def _dump(session: flags.Session, what: str, target: str | None, file: str | None) -> dumps.Dump:
    return dumps.parse(_json(_read(session, what, target, file, DUMP)))


def _read(session: flags.Session, what: str, target: str | None, file: str | None, path: str) -> str:
    """
    Ask the proxy of a target, or read what one answered before.

    Raises:
        ClickException: neither or both are given; the file cannot be read; the proxy does not answer.
    """
    if (target is None) == (file is None):
        raise click.ClickException(f"{what} requires pod name or --file parameter")
    if target is not None:
        pod = targets.resolve(session.kubectl, target, session.namespace)
        return session.kubectl.ask_envoy(pod.name, pod.namespace, path)
    return _file(str(file))


def _file(name: str) -> str:
    reading: Callable[[], str] = sys.stdin.read if name == "-" else Path(name).read_text
    try:
        return reading()
    except OSError as error:
        raise click.ClickException(f"open {name}: {error.strerror}") from error


def _json(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise click.ClickException(f"what an Envoy answers is JSON, and this is not: {error}") from error
    if not isinstance(found, dict):
        raise click.ClickException("what an Envoy answers is an object, and this is not")
    return found
