"""
Faults on demand, so that people can test what their clients do about refusals and delays.

A fault says which requests it is for and what happens to them: they wait, or are refused in a real server's words, or
both; always, or now and then, or a number of times. It strikes after authentication and authorization, and before
anything is done. Faults are forgotten when the server ends.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import authorization, statuses

VERBS: Final = (
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
)
_ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class Fault:
    """
    What happens to which requests; `*` is any verb or resource, "" any namespace.

    `resource` is a plural, with group or subresource where that matters: `pods`, `deployments.apps`, `pods/status`.
    `code` 0 refuses nothing, `rate` is between 0 and 1, `count` None has no end.
    """

    number: int = 0
    verb: str = _ANY
    resource: str = _ANY
    namespace: str = ""
    code: int = 0
    rate: float = 1.0
    count: int | None = None
    delay_s: float = 0.0

    def is_for(self, action: authorization.Action) -> bool:
        """Whether a request is one of those."""
        if action.path:
            return False
        plain = action.full_resource
        grouped = f"{action.resource}.{action.group}"
        names = {_ANY, plain, f"{grouped}/{action.subresource}" if action.subresource else grouped}
        return (
            self.verb in (_ANY, action.verb)
            and self.resource in names
            and self.namespace in ("", action.namespace)
        )


class Faults:
    """The faults that are set, in the order in which they were."""

    def __init__(self, *, chance: Callable[[], float] = random.random) -> None:
        """`chance` gives numbers from 0 up to 1."""
        self._chance = chance
        self._faults: dict[int, Fault] = {}
        self._last = 0

    def all(self) -> list[Fault]:
        """Every fault, oldest first; those that are used up are gone."""
        return list(self._faults.values())

    def add(self, fault: Fault) -> Fault:
        """Set a fault; returns it with its number."""
        self._last += 1
        self._faults[self._last] = replace(fault, number=self._last)
        return self._faults[self._last]

    def remove(self, number: int) -> None:
        """Take one back; raises KeyError."""
        del self._faults[number]

    def clear(self) -> None:
        """Take all back."""
        self._faults.clear()

    async def strike(self, action: authorization.Action) -> None:
        """Let every fault that is for a request happen to it; raises `ApiError`."""
        for fault in self.all():
            if not fault.is_for(action) or self._chance() >= fault.rate:
                continue
            self._use(fault)
            if fault.delay_s:
                await asyncio.sleep(fault.delay_s)
            if fault.code:
                raise refusal(fault.code, action)

    def _use(self, fault: Fault) -> None:
        if fault.count is None:
            return
        if fault.count <= 1:
            del self._faults[fault.number]
        else:
            self._faults[fault.number] = replace(fault, count=fault.count - 1)


_PLAIN: Final[dict[int, tuple[str, str]]] = {
    400: ("BadRequest", "the server rejected our request for an unknown reason"),
    401: ("Unauthorized", "Unauthorized"),
    404: ("NotFound", statuses.NO_SUCH_RESOURCE),
    410: ("Expired", "too old resource version"),
    413: ("RequestEntityTooLarge", "Request entity too large: limit is 3145728"),
    429: ("TooManyRequests", "Too many requests, please try again later."),
    500: ("InternalError", "Internal error occurred: a fault that was asked for"),
    502: ("InternalError", "an error on the server has prevented the request from succeeding"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "Timeout: request did not complete within the allotted duration"),
}
CODES: Final = tuple(sorted({*_PLAIN, 403, 409}))
"""What a fault may refuse with."""


def refusal(code: int, action: authorization.Action) -> ApiError:
    """The refusal of a request in the words of a real server; raises KeyError for a code that is none of `CODES`."""
    qualified = f"{action.resource}.{action.group}" if action.group else action.resource
    details: JsonObject = {"kind": action.resource}
    if action.group:
        details["group"] = action.group
    if action.name:
        details["name"] = action.name
    if code == 403:
        message = f'{qualified} "{action.name}" is forbidden: a fault that was asked for'
        return ApiError(403, "Forbidden", message, details=details)
    if code == 409:
        why = "the object has been modified; please apply your changes to the latest version and try again"
        message = f'Operation cannot be fulfilled on {qualified} "{action.name}": {why}'
        return ApiError(409, "Conflict", message, details=details)
    reason, message = _PLAIN[code]
    if code in (429, 503, 504):
        details["retryAfterSeconds"] = 1
        return ApiError(code, reason, message, details=details, headers={"Retry-After": "1"})
    return ApiError(code, reason, message, details=details)


def shown(fault: Fault) -> dict[str, Any]:
    """A fault as JSON."""
    return asdict(fault)


def parse(body: Any) -> Fault:
    """
    Read what `shown` writes; the number is not read.

    Raises:
        ApiError: 400, it is no fault, or one that cannot be.
    """
    if not isinstance(body, dict):
        raise statuses.bad_request("a fault is a JSON object")
    fields = {key: value for key, value in body.items() if key != "number"}
    try:
        fault = Fault(**fields)
        is_possible = (
            (fault.code == 0 or fault.code in CODES)
            and 0 < fault.rate <= 1
            and 0 <= fault.delay_s <= 3600
            and (fault.count is None or fault.count >= 1)
            and fault.verb in (_ANY, *VERBS)
            and (fault.code or fault.delay_s)
        )
    except TypeError as error:
        raise statuses.bad_request(f"this is no fault: {error}") from error
    if not is_possible:
        raise statuses.bad_request("this fault cannot be: see the bounds of `bookmesh kube fault add`")
    return fault
