"""
Settings come from environment variables alone, and are checked once, before anything starts.

An empty variable counts as not set, since templates often leave one behind. A value that cannot be used raises
`SettingError` whose text names the variable, the value and what is expected.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?\.?")
HTTP_URL = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(:[0-9]{1,5})?(/[!-~]*)?")

TRUE = frozenset({"true", "1", "yes", "on"})
FALSE = frozenset({"false", "0", "no", "off"})

TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""Where to send spans; the names beginning with OTEL are OpenTelemetry's own."""
TRACES_PROTOCOL = "http/protobuf"


class SettingError(ValueError):
    """An environment variable has a value that cannot be used."""

    def __init__(self, variable: str, value: str, expected: str) -> None:
        super().__init__(f"environment variable {variable} is {value!r}, expected {expected}")
        self.variable = variable


class Environment:
    """Typed, checked reading of environment variables. Every method returns the default for a missing one."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def optional(self, name: str) -> str | None:
        """Return the text of a variable, without surrounding blanks; None if it is missing or empty."""
        return self._variables.get(name, "").strip() or None

    def text(self, name: str, default: str) -> str:
        return self.optional(name) or default

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.optional(name)
        if value is None:
            return default
        if value.lower() in TRUE:
            return True
        if value.lower() in FALSE:
            return False
        raise SettingError(name, value, "true or false")

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise SettingError(name, value, "one of " + ", ".join(choices))
        return value

    def integer(self, name: str, default: int, *, minimum: int, maximum: int) -> int:
        value = self.optional(name)
        if value is None:
            return default
        if not re.fullmatch(r"-?[0-9]{1,12}", value) or not minimum <= int(value) <= maximum:
            raise SettingError(name, value, f"a whole number from {minimum} to {maximum}")
        return int(value)

    def seconds(self, name: str, default: float, *, maximum: float) -> float:
        value = self.optional(name)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", value) or float(value) > maximum:
            raise SettingError(name, value, f"seconds from 0 to {maximum:g}, such as 2.5")
        return float(value)

    def host_name(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if not HOST_NAME.fullmatch(value):
            raise SettingError(name, value, "a host name or an IPv4 address")
        return value

    def http_url(self, name: str) -> str | None:
        """Return an absolute URL without a query, and without slashes at its end; None if it is missing."""
        value = self.optional(name)
        if value is not None and not HTTP_URL.fullmatch(value):
            raise SettingError(name, value, "a URL such as http://collector:4318")
        return None if value is None else value.rstrip("/")

    def base_url(self, service: str) -> str:
        """
        Return where another Bookinfo service is, such as `http://details.shop.example:9080`.

        Source: `<SERVICE>_HOSTNAME`, `SERVICES_DOMAIN` and `<SERVICE>_SERVICE_PORT`, the names of Istio's sample; the
        last one is also what a kubelet sets in every pod of a namespace with a Service of that name.
        """
        prefix = service.upper()
        host = self.host_name(f"{prefix}_HOSTNAME", service)
        port = self.integer(f"{prefix}_SERVICE_PORT", 9080, minimum=1, maximum=65535)
        domain = self.optional("SERVICES_DOMAIN")
        if domain is not None:
            host = f"{host}.{self.host_name('SERVICES_DOMAIN', domain)}"
        return f"http://{host}:{port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """What each service needs whatever it does."""

    name: str
    host: str | None
    """Address to listen on; None means every IPv4 and IPv6 address."""
    port: int
    version: str
    """Empty when the deployment does not say."""
    pod: str
    cluster: str | None
    root_name: str | None
    """Plain text that `GET /` answers, in place of the service's own root page."""
    log_format: str
    log_level: str
    log_dir: Path | None
    shutdown_delay_s: float
    """How long requests are still accepted after SIGTERM, while callers learn that this replica goes away."""
    shutdown_grace_s: float
    """How long requests in flight may take after that."""
    traces_endpoint: str | None
    """The full URL to send spans to; None: make none."""
    traces_name: str
    """What spans call the service."""


def read(environment: Environment, name: str, *, host: str | None, port: int | None) -> ServiceSettings:
    """
    Read what all services share. `host` and `port` from the command line win over the environment.

    Raises:
        SettingError: a variable has a value that cannot be used.
    """
    configured_port = environment.integer("PORT", 9080, minimum=0, maximum=65535)
    log_dir = environment.optional("LOG_DIR")
    return ServiceSettings(
        name=name,
        host=host,
        port=configured_port if port is None else port,
        version=environment.text("SERVICE_VERSION", ""),
        pod=environment.text("HOSTNAME", os.uname().nodename),
        cluster=environment.optional("CLUSTER_NAME"),
        root_name=environment.optional("BOOKINFO_ROOT_NAME"),
        log_format=environment.choice("LOG_FORMAT", "json", ("json", "text")),
        log_level=environment.choice("LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
        log_dir=None if log_dir is None else Path(log_dir),
        shutdown_delay_s=environment.seconds("SHUTDOWN_DELAY_S", 1.0, maximum=600),
        shutdown_grace_s=environment.seconds("SHUTDOWN_GRACE_S", 20.0, maximum=3600),
        traces_endpoint=traces_endpoint(environment),
        traces_name=environment.text("OTEL_SERVICE_NAME", name),
    )


def traces_endpoint(environment: Environment) -> str | None:
    """
    Return where spans go, by OpenTelemetry's rules: one URL for all signals, or one for traces alone.

    Raises:
        SettingError: no URL, or another protocol than the one that is spoken.
    """
    base = environment.http_url(TRACES_ENDPOINT)
    endpoint = environment.http_url("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or (base and f"{base}/v1/traces")
    if endpoint is None or environment.flag("OTEL_SDK_DISABLED", default=False):
        return None
    for name in ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"):
        environment.choice(name, TRACES_PROTOCOL, (TRACES_PROTOCOL,))
    return endpoint
