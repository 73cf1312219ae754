"""
Spans of this process, when the environment says where to send them; else nothing at all.

Without `OTEL_EXPORTER_OTLP_ENDPOINT` a service only passes trace headers on (`headers`), and the spans are the mesh's.
With it, `start` loads the OpenTelemetry SDK, which is an extra and is not imported before, and the request that is
being served is found in `CURRENT` by the calls made for it. This module knows what a span is for, `spans` how the SDK
makes one.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Protocol, cast

from bookinfo.service import settings as service_settings

if TYPE_CHECKING:
    from bookinfo.service.requests import Request

EXTRA: Final = "bookmesh[telemetry]"


class Call(Protocol):
    """The span of a call to another service."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What to send: the headers given, naming this span as the parent."""

    def answered(self, status: int) -> None:
        """Record the status of the answer."""


class Serving(Protocol):
    """The span of a request that is being served."""

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""

    @property
    def span_id(self) -> str:
        """16 hexadecimal digits."""

    def call(
        self, method: str, url: str, headers: Mapping[str, str], *, attempt: int
    ) -> AbstractContextManager[Call]:
        """Begin a call; leaving the context ends it, as failed if by an exception. Attempts count from 1."""

    def end(self, *, route: str | None, status: int, error: BaseException | None) -> None:
        """Record the outcome. `error` is an exception that no handler caught."""


class Tracing(Protocol):
    """Makes spans and sends them away in batches."""

    def serve(self, request: Request) -> Serving | None:
        """Begin the span of a request; None if it came with the wish not to be traced."""

    def stop(self) -> None:
        """Send what is left; gives up after some seconds when the collector does not answer."""


CURRENT: Final[ContextVar[Serving | None]] = ContextVar("serving", default=None)
"""The request that the running task serves; None without tracing."""


class MissingPackageError(service_settings.SettingError):
    """The settings ask for spans, and the packages that make them are not installed."""

    def __init__(self, endpoint: str, package: str) -> None:
        super().__init__(
            service_settings.TRACES_ENDPOINT,
            endpoint,
            f"nothing while {package} is not installed; to send spans: pip install '{EXTRA}'",
        )


def start(settings: service_settings.ServiceSettings) -> Tracing | None:
    """
    Return what makes spans, started; None if no endpoint is set.

    Raises:
        MissingPackageError: an endpoint is set and the SDK is not installed.
    """
    if settings.traces_endpoint is None:
        return None
    try:
        module = importlib.import_module("bookinfo.service.spans")
    except ModuleNotFoundError as error:
        raise MissingPackageError(settings.traces_endpoint, error.name or "opentelemetry") from error
    return cast(Tracing, module.Spans(settings, settings.traces_endpoint))
