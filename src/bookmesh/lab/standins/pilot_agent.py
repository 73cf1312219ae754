"""
A stand-in for `pilot-agent` in proxy containers: it passes requests on to the Envoy beside it.

    pilot-agent request GET stats
    pilot-agent request POST 'logging?rbac=debug'
"""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Sequence
from typing import Final

ADMIN_PORT: Final = 15000
TIMEOUT_S: Final = 30.0
USAGE: Final = "usage: pilot-agent request METHOD PATH [BODY]\n"


def main() -> None:
    """
    Ask Envoy and print the answer.

    Raises:
        SystemExit: 0 done, 1 Envoy did not answer 200, 2 misuse.
    """
    arguments = sys.argv[1:]
    if len(arguments) not in (3, 4) or arguments[0] != "request":
        sys.stderr.write(f"pilot-agent: only the command `request` is here\n{USAGE}")
        raise SystemExit(2)
    raise SystemExit(request(arguments[1:], port=int(os.environ.get("ENVOY_ADMIN_PORT", ADMIN_PORT))))


def request(arguments: Sequence[str], *, port: int) -> int:
    """Make one request, given as method, path and perhaps a body; returns the exit code."""
    method, path = arguments[0].upper(), "/" + arguments[1].removeprefix("/")
    body = arguments[2] if len(arguments) > 2 else None
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        answer = response.read()
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"pilot-agent: cannot ask Envoy on port {port}: {error}\n")
        return 1
    finally:
        connection.close()
    if response.status != http.client.OK:
        sys.stderr.write(f"Error: unexpected status {response.status}: {answer.decode(errors='replace')}\n")
        return 1
    sys.stdout.buffer.write(answer)
    sys.stdout.flush()
    return 0
