"""
`bookmesh app`: Bookinfo on this machine without any mesh.

Bookinfo is user code and is not imported here: its own command takes the place of this process.
"""

from __future__ import annotations

import os
import sys

import click


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port of the page; 0 for a free one.  [default: $PORT, or 9080]",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the page.")
@click.option(
    "--reviews",
    type=click.Choice(["v1", "v2", "v3"]),
    default="v3",
    show_default=True,
    help="No stars, black or red ones.",
)
@click.option(
    "--ratings",
    default="v1",
    show_default=True,
    metavar="VERSION",
    help="v1, or a variant with faults or a database.",
)
def app(port: int | None, host: str, reviews: str, ratings: str) -> None:
    """
    Run the four services of Bookinfo on this machine, without any mesh, until Ctrl-C.

    Environment variables reach all of them: LOG_FORMAT=text, OTEL_EXPORTER_OTLP_ENDPOINT, MONGO_DB_URL and so on.
    """
    arguments = ["--host", host, "--reviews", reviews, "--ratings", ratings]
    if port is not None:
        arguments += ["--port", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", "bookinfo", "all", *arguments])  # noqa: S606
