"""How a pod asks the lab about itself: through the API server, as the pod's service account."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

Ask = Callable[[], Awaitable[dict[str, Any]]]

STATUS_PATH: Final = "/lab/v1/status"
ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TIMEOUT_S: Final = 10.0


async def ask() -> dict[str, Any]:
    """
    Get the lab's status, as `bookmesh status -o json` has it.

    Raises:
        OSError: the API server does not answer, or not with the status.
    """
    return await asyncio.to_thread(fetch, os.environ, ACCOUNT)


def fetch(variables: Any, account: Path) -> dict[str, Any]:
    """
    Ask the API server that a pod's environment names, with the token of its service account.

    Raises:
        OSError: it does not answer, or with something else; or there is no token.
    """
    host, port = variables["KUBERNETES_SERVICE_HOST"], int(variables["KUBERNETES_SERVICE_PORT"])
    context = ssl.create_default_context(cafile=str(account / "ca.crt"))
    connection = http.client.HTTPSConnection(host, port, context=context, timeout=_TIMEOUT_S)
    try:
        token = (account / "token").read_text().strip()
        connection.request("GET", STATUS_PATH, headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        body = response.read()
    except http.client.HTTPException as error:
        raise OSError(f"{host}:{port}: {error}") from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise OSError(f"{host}:{port} answered {response.status} to {STATUS_PATH}")
    found: dict[str, Any] = json.loads(body)
    return found
