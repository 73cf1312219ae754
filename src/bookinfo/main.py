"""
The console entry: choose a service, or all of them, read settings from the environment, serve until told to stop.

A service's modules are imported when it is chosen, so that ratings does not carry productpage's templates in memory.
Whoever forks one process a pod from a prepared one imports `bookinfo.preload` first and calls `main` in the child,
with `sys.argv` and `os.environ` set for that pod.
"""

from __future__ import annotations

import argparse
import importlib
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Final, Protocol, cast

from bookinfo import together
from bookinfo.service import application, lifecycle, logs
from bookinfo.service import settings as service_settings

SERVICES: Final = ("productpage", "details", "reviews", "ratings")
ALL: Final = "all"


class ServiceModule(Protocol):
    """What `bookinfo.<service>.app` offers."""

    def create(
        self, environment: service_settings.Environment, common: service_settings.ServiceSettings
    ) -> application.Service: ...


def main(argv: Sequence[str] | None = None) -> None:
    """
    Run one service, or all of them, until SIGTERM or SIGINT.

    Raises:
        SystemExit: 2 for a wrong argument or setting, 1 when the address cannot be listened on; with all services, the
            code of the first that ended by itself. Returns normally after an orderly stop.
    """
    arguments = parse_arguments(sys.argv[1:] if argv is None else argv)
    if arguments.service != ALL:
        serve(arguments.service, os.environ, host=arguments.host, port=arguments.port)
        return
    importlib.import_module("bookinfo.preload")  # before the fork: what is imported once is in memory once
    try:
        code = together.run(
            serve,
            os.environ,
            host=arguments.host or together.LOOPBACK,
            port=arguments.port,
            versions={"reviews": arguments.reviews or "v3", "ratings": arguments.ratings or "v1"},
        )
    except service_settings.SettingError as error:
        stop(f"bookinfo: {error}", code=2)
    except lifecycle.ListenError as error:
        stop(f"bookinfo: {error}", code=1)
    if code:
        raise SystemExit(code)


def serve(
    name: str,
    variables: Mapping[str, str],
    *,
    host: str | None = None,
    port: int | None = None,
    listener: socket.socket | None = None,
) -> None:
    """
    Run one service, on `listener` if it is given.

    Raises:
        SystemExit: as `main`.
    """
    try:
        service = create_service(name, variables, host=host, port=port)
    except service_settings.SettingError as error:
        stop(f"bookinfo {name}: {error}", code=2)
    try:
        lifecycle.run(service, listener)
    except lifecycle.ListenError as error:
        stop(f"bookinfo {name}: {error}", code=1)


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Return `service`, `host` (None: by default), `port` (None: the setting's), `reviews` and `ratings` (versions)."""
    parser = argparse.ArgumentParser(
        prog="bookinfo",
        description="Run one Bookinfo service, or all of them together on this machine, without a mesh."
        " Everything but the address is set by environment variables.",
    )
    parser.add_argument("service", choices=(*SERVICES, ALL), help="the service to run")
    parser.add_argument(
        "--host",
        help="address to listen on (default: every IPv4 and IPv6 address; with all: 127.0.0.1)",
    )
    parser.add_argument(
        "--port",
        type=port_number,
        help="port to listen on, with all that of productpage (default: $PORT, or 9080)",
    )
    parser.add_argument(
        "--reviews", choices=("v1", "v2", "v3"), help="with all: no, black or red stars (default: v3)"
    )
    parser.add_argument(
        "--ratings", metavar="VERSION", help="with all: SERVICE_VERSION of ratings (default: v1)"
    )
    arguments = parser.parse_args(argv)
    if arguments.service != ALL and (arguments.reviews or arguments.ratings):
        parser.error("--reviews and --ratings go with all; for one service, set SERVICE_VERSION")
    return arguments


def port_number(text: str) -> int:
    """Parse a TCP port; 0 lets the system choose one."""
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number between 0 and 65535")
    return int(text)


def create_service(
    name: str, variables: Mapping[str, str], *, host: str | None = None, port: int | None = None
) -> application.Service:
    """
    Build a service from its settings, with logging configured but nothing started.

    Raises:
        SettingError: an environment variable has a value that cannot be used.
    """
    environment = service_settings.Environment(variables)
    common = service_settings.read(environment, name, host=host, port=port)
    logs.configure(common)
    module = cast(ServiceModule, importlib.import_module(f"bookinfo.{name}.app"))
    return module.create(environment, common)


def stop(message: str, *, code: int) -> None:
    """End the process with one line on stderr."""
    sys.stderr.write(message + "\n")
    raise SystemExit(code)
