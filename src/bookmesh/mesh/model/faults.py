"""Faults of a VirtualService's routes: requests that are made slow, or made to fail."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from bookmesh.mesh.model.base import NOT_ACTED_ON, Duration, Model, check_lasting
from bookmesh.mesh.model.matching import Percent

HttpStatus = Annotated[int, msgspec.Meta(ge=200, le=599)]
WholePercent = Annotated[int, msgspec.Meta(ge=0, le=100)]

GRPC_STATUSES: Final = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)


def grpc_status_number(status: str) -> int:
    """
    Give the number of a gRPC status.

    Raises:
        ValueError: there is no such status.
    """
    if status.isdigit() and int(status) < len(GRPC_STATUSES):
        return int(status)
    if status not in GRPC_STATUSES:
        raise ValueError(f'"{status}" is no gRPC status; expected one of {", ".join(GRPC_STATUSES)}')
    return GRPC_STATUSES.index(status)


class FaultDelay(Model, frozen=True):
    """
    Delay requests before they are forwarded.

    fixed_delay: How long.
    percentage: How many of the requests.
    percent: How many of the requests, as a whole number; older spelling.
    exponential_delay: Reserved by the API.
    """

    fixed_delay: Duration | None = None
    percentage: Percent | None = None
    percent: WholePercent = 0
    exponential_delay: Annotated[Duration | None, NOT_ACTED_ON] = None

    @classmethod
    def one_of(cls) -> tuple[tuple[str, ...], ...]:
        return (("fixed_delay", "exponential_delay"),)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_lasting(fixedDelay=self.fixed_delay)


class FaultAbort(Model, frozen=True):
    """
    Answer requests with an error in place of forwarding them.

    http_status: The status code.
    grpc_status: The gRPC status, as a name such as UNAVAILABLE or a number.
    http2_error: Reserved by the API.
    percentage: How many of the requests.
    """

    http_status: HttpStatus | None = None
    grpc_status: str | None = None
    http2_error: Annotated[str | None, NOT_ACTED_ON] = None
    percentage: Percent | None = None

    @classmethod
    def one_of(cls) -> tuple[tuple[str, ...], ...]:
        return (("http_status", "grpc_status", "http2_error"),)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.grpc_status is not None:
            grpc_status_number(self.grpc_status)


class HttpFaultInjection(Model, frozen=True):
    """
    Faults for tests of resilience; with them retries and timeouts of the route do not apply.

    delay: Make requests slow.
    abort: Make requests fail.
    """

    delay: FaultDelay | None = None
    abort: FaultAbort | None = None
