"""What is found, as a table, JSON or YAML; and all tables of a proxy one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import click
import yaml

from bookmesh.cli.istioctl import dumps, listeners, secrets, summaries, tables
from bookmesh.cli.istioctl.dumps import JsonObject

Row = Sequence[object]
_UNBROKEN: Final = 1_000_000


def show(
    output: str,
    found: JsonObject | list[JsonObject],
    header: Sequence[str],
    rows: Iterable[Row],
    *,
    gap: int = tables.GAP,
) -> None:
    """Print messages for programs, with protobuf's names of fields, or header and rows for people."""
    if output in ("json", "yaml"):
        plain = [dumps.plain(each) for each in found] if isinstance(found, list) else dumps.plain(found)
        show_data(output, dumps.camel_case(plain))
    else:
        click.echo(tables.render(header, rows, gap=gap))


def show_data(output: str, found: Any) -> None:
    """Print what is found as JSON or YAML; no line of YAML is broken."""
    if output == "json":
        click.echo(json.dumps(found, indent=4))
    else:
        click.echo(yaml.safe_dump(found, sort_keys=True, width=_UNBROKEN), nl=False)


def sections(
    dump: dumps.Dump,
    statuses: JsonObject,
    *,
    now: datetime,
    fqdn: str = "",
    port: int = 0,
    subset: str = "",
    direction: str = "",
    address: str = "",
    kind: str = "",
    name: str = "",
) -> Iterator[tuple[str, str]]:
    """Titles and tables of `proxy-config all`, each row with the kind and the name of what it is about."""
    yield "BOOTSTRAP INFO", tables.pairs(summaries.versions(dump.bootstrap()))
    chosen = summaries.clusters(dump, summaries.ClusterFilter(fqdn, port, subset, direction))
    rows = [(f"cluster/{one['name']}", *row) for one in chosen for row in summaries.cluster_rows([one])]
    yield "CLUSTER INFO", tables.render(("NAME", *summaries.CLUSTER_HEADER), rows)
    found = listeners.listeners(dump, listeners.ListenerFilter(address, port, kind))
    rows = [(f"listener/{one.get('name', '')}", *row) for one in found for row in listeners.rows([one])]
    yield "LISTENER INFO", tables.render(("NAME", *listeners.HEADER), rows, gap=listeners.GAP)
    routes = [(f"route/{row[0]}", *row[1:]) for row in summaries.route_rows(summaries.routes(dump, name))]
    yield "ROUTE INFO", tables.render(summaries.ROUTE_HEADER, routes)
    certificates = [(f"secret/{row[0]}", *row[1:]) for row in secrets.rows(dump, now=now)]
    none = "No secret items to show."
    yield "SECRET INFO", tables.render(secrets.HEADER, certificates) if certificates else none
    wanted = summaries.EndpointFilter(address=address, port=port)
    endpoints = summaries.endpoint_rows(statuses.get("cluster_statuses", []), wanted)
    yield (
        "ENDPOINTS INFO",
        tables.render(
            ("NAME", *summaries.ENDPOINT_HEADER), [(f"endpoint/{row[0]}", *row) for row in endpoints]
        ),
    )
