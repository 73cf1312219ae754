"""
Is the server of an aggregated API there? The condition `Available` of its APIService, in a real server's words.

First by what is stored about its Service; when nothing speaks against it, by asking it for what it must serve.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final, NamedTuple

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import service_network
from bookmesh.kube.api.aggregation import backends, registrations

_ANSWER_S: Final = 5.0
# One of so many has to succeed: an endpoint that has just gone is no reason to give up the others.
_ATTEMPTS: Final = 5
FAILED: Final = "FailedDiscoveryCheck"
"""The reason to look again soon."""


class Finding(NamedTuple):
    """The condition without its time."""

    is_available: bool
    reason: str
    message: str

    def condition(self, before: Iterable[JsonObject], now: str) -> JsonObject:
        """Build the condition; its time is that of the last change of its status in `before`."""
        status = "True" if self.is_available else "False"
        old = next((each for each in before if each["type"] == "Available"), None)
        since = old["lastTransitionTime"] if old and old["status"] == status else now
        return {
            "type": "Available",
            "status": status,
            "reason": self.reason,
            "message": self.message,
            "lastTransitionTime": since,
        }


PASSED: Final = Finding(True, "Passed", "all checks passed")


def find_obstacle(
    registration: registrations.Registration, service: JsonObject | None, slices: Iterable[JsonObject]
) -> Finding | None:
    """What makes asking pointless; None when nothing does."""
    name, where = registration.service, f'service/{registration.service} in "{registration.namespace}"'
    if service is None:
        return Finding(False, "ServiceNotFound", f"{where} is not present")
    if service["spec"].get("type", "ClusterIP") != "ClusterIP":
        return None
    ports = {each["port"]: each.get("name") or "" for each in service["spec"].get("ports") or []}
    if registration.port not in ports:
        return Finding(False, "ServicePortError", f"{where} is not listening on port {registration.port}")
    port_name, found = ports[registration.port], list(slices)
    if not found:
        message = f'cannot find endpointslices for service/{name} in "{registration.namespace}"'
        return Finding(False, "EndpointsNotFound", message)
    if not any(service_network.ready_endpoints(slice_, port_name) for slice_ in found):
        message = f'endpointslices for {where} have no addresses with port name "{port_name}"'
        return Finding(False, "MissingEndpoints", message)
    return None


async def ask(registration: registrations.Registration, backend: backends.Backend) -> Finding:
    """Ask the server for the group version, several times at once; one answer is enough."""
    url = (
        f"https://{registration.service}.{registration.namespace}.svc:{registration.port}{registration.path}"
    )
    attempts = [asyncio.create_task(_attempt(url, registration.path, backend)) for _ in range(_ATTEMPTS)]
    failure = ""
    try:
        for attempt in asyncio.as_completed(attempts):
            failure = await attempt
            if not failure:
                return PASSED
    finally:
        for task in attempts:
            task.cancel()
        await asyncio.gather(*attempts, return_exceptions=True)
    return Finding(False, FAILED, f"failing or missing response from {url}: {failure}")


async def _attempt(url: str, path: str, backend: backends.Backend) -> str:
    """Why there was no good answer; "" when there was."""
    try:
        async with (
            asyncio.timeout(_ANSWER_S),
            backend.request("GET", path, user=backends.AGGREGATOR) as answer,
        ):
            return "" if 200 <= answer.status < 300 else f"bad status from {url}: {answer.status}"
    except TimeoutError:
        return f'Get "{url}": context deadline exceeded'
    except (backends.UnreachableError, service_network.NoEndpointError) as error:
        return f'Get "{url}": {error}'
