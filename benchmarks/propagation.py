"""
Time from a changed VirtualService to the change being effective in every proxy, over 50 changes.

A change sets a response header for reviews; it is effective in a proxy when that proxy's acknowledged configuration has
it. The clock starts before the write to the API server and stops when the last proxy has acknowledged; what a request
sees is checked too: the gateway's answer must carry the header at the end of each round.

    python benchmarks/propagation.py [--changes 50]
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import ssl
import statistics
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

from bookmesh.lab import client, keys, labs, launching, paths

BOOKMESH = Path(sys.executable).with_name("bookmesh")
LAB = "bench-propagation"
BUDGET_MS = 100.0
ROUTE = "/apis/networking.istio.io/v1/namespaces/default/virtualservices/bookinfo"


class Lab:
    """One connection to the API server and one to the gateway, kept open."""

    def __init__(self, lab: paths.LabPaths) -> None:
        settings = labs.require_running(lab)
        context: ssl.SSLContext = keys.Keys(lab.pki).client_context()
        self._api = http.client.HTTPSConnection("127.0.0.1", settings.port, context=context)
        page = urllib.parse.urlsplit(client.fetch_status(lab)["pages"][0])
        self._gateway = http.client.HTTPConnection(page.hostname or "", page.port)

    def mark(self, value: str) -> None:
        """Make every answer through the gateway carry `x-round: value`."""
        patch = [
            {"op": "add", "path": "/spec/http/0/headers", "value": {"response": {"set": {"x-round": value}}}}
        ]
        self._api.request("PATCH", ROUTE, json.dumps(patch), {"Content-Type": "application/json-patch+json"})
        response = self._api.getresponse()
        body = response.read()
        if response.status != http.client.OK:
            sys.exit(f"the API server refused the change: {body.decode()}")

    def seen(self) -> str | None:
        """The mark on an answer of the gateway (a 404 is answered by the application, in a millisecond)."""
        self._gateway.request("GET", "/api/v1/products")
        response = self._gateway.getresponse()
        response.read()
        return response.getheader("x-round")

    def synced(self) -> bool:
        """Every proxy has acknowledged the newest configuration."""
        self._api.request("GET", client.STATUS_PATH)
        status = json.loads(self._api.getresponse().read())
        return all(proxy["synced"] for proxy in status["proxies"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--changes", type=int, default=50)
    arguments = parser.parse_args()
    lab = paths.paths_for(LAB)
    launching.stop(lab)
    try:
        subprocess.run([BOOKMESH, "up", "--name", LAB, "--bookinfo"], check=True, capture_output=True)
        session = Lab(lab)
        in_request, in_all = [], []
        for change in range(arguments.changes):
            began = time.monotonic()
            session.mark(str(change))
            while session.seen() != str(change):
                if time.monotonic() - began > 10:
                    sys.exit(f"change {change} was not effective after 10 s")
            in_request.append((time.monotonic() - began) * 1000)
            while not session.synced():
                if time.monotonic() - began > 10:
                    sys.exit(f"change {change} was not acknowledged by every proxy after 10 s")
            in_all.append((time.monotonic() - began) * 1000)
    finally:
        launching.stop(lab)
    print(f"{'write to effective, ms':<34}{'p50':>8}{'p99':>8}{'max':>8}{'budget':>8}{'ratio':>8}")
    row("in a request through the gateway", in_request)
    row("acknowledged by every proxy", in_all)
    print(f"{arguments.changes} changes, {os.cpu_count()} cores, {os.uname().release}")


def row(label: str, values: list[float]) -> None:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    p99 = cuts[98]
    print(
        f"{label:<34}{cuts[49]:>8.1f}{p99:>8.1f}{max(values):>8.1f}{BUDGET_MS:>8.0f}{p99 / BUDGET_MS:>8.2f}"
    )


if __name__ == "__main__":
    main()
