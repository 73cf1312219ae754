"""
`make demo`: bring Bookinfo up, change routes with kubectl, show what the page says, and leave it running.

Everything is seen from outside: stock kubectl applies the YAML, plain HTTP through the ingress gateway reads the page.
"""

from __future__ import annotations

import collections
import http.client
import os
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

from bookmesh.lab import applications, client, paths

BOOKMESH = Path(sys.executable).with_name("bookmesh")
DEADLINE_S = 20.0


class Visitor:
    """A person with a browser: keeps the session cookie, and looks at the stars."""

    def __init__(self, url: str) -> None:
        self._url = urllib.parse.urlsplit(url)
        self._cookie = ""

    def log_in(self, user: str) -> None:
        response = self._request("POST", "/login", f"username={user}&passwd=")
        self._cookie = (response.getheader("set-cookie") or "").partition(";")[0]

    def see(self) -> str:
        """What the page shows for reviews: no stars, black stars, red stars, or an error."""
        page = self._request("GET", "/productpage").read().decode()
        if "product reviews are currently unavailable" in page:
            return "reviews unavailable"
        if "Ratings service is currently unavailable" in page:
            return "ratings unavailable"
        if "glyphicon-star" not in page:
            return "no stars"
        return "red stars" if "text-red" in page or "color: red" in page else "black stars"

    def look(self, times: int) -> str:
        seen = collections.Counter(self.see() for _ in range(times))
        return ", ".join(f"{count} x {what}" for what, count in seen.most_common())

    def _request(self, method: str, path: str, body: str | None = None) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._url.hostname or "", self._url.port, timeout=30)
        headers = {"Cookie": self._cookie} if self._cookie else {}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        return connection.getresponse()


def main() -> None:
    subprocess.run([BOOKMESH, "up", "--bookinfo"], check=True)
    lab = paths.paths_for(paths.DEFAULT_NAME)
    page = client.fetch_status(lab)["pages"][0]
    anonymous, jason = Visitor(page), Visitor(page)
    jason.log_in("jason")

    def apply(file: str, wanted: Callable[[], bool]) -> None:
        subprocess.run(
            [client.find_kubectl(), "apply", "-f", applications.SAMPLES / file],
            env=os.environ | client.environment(lab),
            check=True,
            stdout=subprocess.DEVNULL,
        )
        began = time.monotonic()
        while not wanted():
            if time.monotonic() - began > DEADLINE_S:
                sys.exit(f"{file} was applied but is not seen on the page after {DEADLINE_S:.0f} s")
        print(f"\n$ kubectl apply -f {file}   (seen after {(time.monotonic() - began) * 1000:.0f} ms)")

    apply("routes-all-v1.yaml", lambda: anonymous.see() == jason.see() == "no stars")
    print(f"  anybody: {anonymous.look(20)}\n  jason:   {jason.look(20)}")
    apply("routes-jason-v2.yaml", lambda: jason.see() == "black stars")
    print(f"  anybody: {anonymous.look(20)}\n  jason:   {jason.look(20)}")
    apply("routes-50-v3.yaml", lambda: anonymous.see() == "red stars")
    print(f"  anybody: {anonymous.look(100)}")
    apply("routes-jason-v2.yaml", lambda: jason.see() == "black stars")
    print(f"\nOpen {page} and sign in as jason. The lab stays up; {BOOKMESH} down ends it.")


if __name__ == "__main__":
    main()
