"""
A stand-in for `fortio`: `curl`, `load` and `server`, with the flags that Istio's tasks use and fortio's output.

    fortio curl -quiet http://httpbin:8000/get
    fortio load -c 3 -qps 0 -n 30 -loglevel Warning http://httpbin:8000/get
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bookmesh.lab.standins import answering, calling, loading, serving

DEFAULT_PORT: Final = 8080
COMMANDS: Final = ("curl", "load", "server")
SWITCHES: Final = frozenset({"quiet", "k", "allow-initial-errors", "L", "curl", "h2", "stdclient"})
VALUES: Final = frozenset({"c", "n", "qps", "t", "loglevel", "H", "payload", "timeout", "user", "http-port"})
LEVELS: Final = ("debug", "verbose", "info", "warning", "error", "critical", "fatal")


class UsageError(ValueError):
    """The command line is wrong; the message says how."""


@dataclass(slots=True)
class Arguments:
    """`values` by flag; the last one counts, but for headers, of which all do."""

    command: str
    values: dict[str, str] = field(default_factory=dict)
    switches: set[str] = field(default_factory=set)
    headers: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)

    @property
    def is_quiet(self) -> bool:
        level = self.values.get("loglevel", "info").lower()
        return "quiet" in self.switches or level in LEVELS[LEVELS.index("error") :]


def main() -> None:
    """
    Run one command.

    Raises:
        SystemExit: 0 done, 1 the target did not answer well, 2 misuse.
    """
    try:
        arguments = parse(sys.argv[1:])
        code = _run(arguments)
    except UsageError as error:
        sys.stderr.write(f"fortio: {error}\nusage: fortio {'|'.join(COMMANDS)} [flags] [URL]\n")
        raise SystemExit(2) from error
    raise SystemExit(code)


def parse(argv: Sequence[str]) -> Arguments:
    """
    Read flags the way Go programs take them: `-n 20`, `--n=20`, `-quiet`.

    Raises:
        UsageError: an unknown command or flag, or a flag without its value.
    """
    if not argv or argv[0] not in COMMANDS:
        raise UsageError(f"expected one of {', '.join(COMMANDS)}, not {argv[0] if argv else 'nothing'}")
    parsed = Arguments(argv[0])
    waiting = list(argv[1:])
    while waiting:
        word = waiting.pop(0)
        if not word.startswith("-") or word == "-":
            parsed.rest += [word, *waiting]
            break
        name, has_value, value = word.lstrip("-").partition("=")
        if name in SWITCHES:
            if value.lower() not in ("false", "0", "f"):
                parsed.switches.add(name)
            continue
        if name not in VALUES:
            known = ", ".join(sorted(f"-{flag}" for flag in SWITCHES | VALUES))
            raise UsageError(f"flag provided but not defined: -{name}; known: {known}")
        if not has_value:
            if not waiting:
                raise UsageError(f"flag needs an argument: -{name}")
            value = waiting.pop(0)
        if name == "H":
            parsed.headers.append(value)
        parsed.values[name] = value
    if parsed.values.get("loglevel", "info").lower() not in LEVELS:
        raise UsageError(f"-loglevel must be one of {', '.join(LEVELS)}")
    return parsed


def _run(arguments: Arguments) -> int:
    if arguments.command == "server":
        port = int(_number(arguments, "http-port", DEFAULT_PORT))
        sys.argv[1:] = ["--port", str(port)]
        serving.run(create(), program="fortio", default_port=port)
        return 0
    if len(arguments.rest) != 1:
        raise UsageError(f"expected one URL, not {len(arguments.rest)}")
    payload = arguments.values.get("payload")
    try:
        target = calling.parse_target(
            arguments.rest[0], arguments.headers, payload.encode() if payload is not None else None
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    if arguments.command == "curl" or "curl" in arguments.switches:
        return asyncio.run(_curl(target, _tls(arguments)))
    return asyncio.run(_load(target, arguments))


async def _curl(target: calling.Target, tls: ssl.SSLContext | None) -> int:
    connection = calling.Connection(target, tls=tls)
    try:
        reply = await connection.call()
    except (OSError, ValueError) as error:
        _log("E", f"Unable to get {target.authority}{target.path}: {error}")
        return 1
    await connection.close()
    sys.stdout.buffer.write(reply.head + reply.body)
    sys.stdout.flush()
    if reply.status >= 400:
        _log("E", f"Error status {reply.status} : {len(reply.body)}")
        return 1
    return 0


async def _load(target: calling.Target, arguments: Arguments) -> int:
    plan = loading.Plan(
        threads=max(1, int(_number(arguments, "c", 4))),
        calls=int(_number(arguments, "n", 0)),
        qps=max(0.0, _number(arguments, "qps", 8)),
        seconds=_seconds(arguments.values.get("t", "5s")),
    )
    if not arguments.is_quiet:
        _announce(plan, arguments)
    outcome = await loading.run(target, plan, tls=_tls(arguments))
    if not arguments.is_quiet:
        for complaint in outcome.complaints:
            _log("W", complaint)
    sys.stdout.write(loading.report(outcome, plan))
    return 0


def _announce(plan: loading.Plan, arguments: Arguments) -> None:
    level = arguments.values.get("loglevel", "Info")
    if level.lower() != "info":
        _log("I", f"Log level is now {LEVELS.index(level.lower())} {level.capitalize()} (was 2 Info)")
    what = f"for {plan.calls} calls" if plan.calls else f"for {plan.seconds:g}s"
    sys.stdout.write(f"Fortio stand-in running at {plan.qps:g} queries per second, {what}\n")
    exactly = f"exactly {plan.calls} calls" if plan.calls else f"{plan.seconds:g}s"
    sys.stdout.write(
        f"Starting at {'max' if not plan.qps else f'{plan.qps:g}'} qps with {plan.threads} thread(s) "
    )
    sys.stdout.write(f"for {exactly}\n")


def _tls(arguments: Arguments) -> ssl.SSLContext | None:
    if "k" not in arguments.switches:
        return None
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _number(arguments: Arguments, flag: str, default: float) -> float:
    text = arguments.values.get(flag)
    if text is None:
        return default
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        raise UsageError(f'invalid value "{text}" for flag -{flag}')
    return float(text)


def _seconds(text: str) -> float:
    seconds = answering.parse_delay(text)
    if seconds is None:
        raise UsageError(f'invalid value "{text}" for flag -t: expected a duration such as 10s')
    return seconds


def _log(level: str, text: str) -> None:
    now = f"{datetime.now():%H:%M:%S.%f}"[:-3]
    sys.stderr.write(f"{now} {level} {text}\n")


def create() -> ASGIApp:
    """Build what `fortio server` serves: any path answers with the body it got, as `status` and `delay` ask."""

    async def echo(request: Request) -> Response:
        status = request.query_params.get("status", "200")
        seconds = answering.parse_delay(request.query_params.get("delay", "0"))
        if not re.fullmatch(r"[2-5][0-9][0-9]", status) or seconds is None or seconds > answering.MAX_DELAY_S:
            return Response("status must be 200 to 599, delay a duration up to 10s\n", 400)
        await asyncio.sleep(seconds)
        return Response(await request.body(), int(status))

    async def debug(request: Request) -> Response:
        lines = [
            f"{request.method} {request.url.path} HTTP/{request.scope['http_version']}",
            "",
            "headers:",
            "",
        ]
        lines += [f"{name.title()}: {value}" for name, value in request.headers.items()]
        lines += ["", f"hostname: {os.uname().nodename}", ""]
        return Response("\n".join(lines), media_type="text/plain")

    methods = ["GET", "POST", "PUT", "DELETE", "PATCH"]
    return Starlette(
        routes=[Route("/debug", debug, methods=methods), Route("/{path:path}", echo, methods=methods)]
    )
