"""
What `up` applies: the packaged Bookinfo, and files of the person; with stock kubectl, as they would themselves.

kubectl starts as soon as the API server answers, while the rest of the lab still comes up.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

from bookmesh.base import findings
from bookmesh.lab import client, paths

SAMPLES: Final = Path(__file__).parent / "samples" / "bookinfo"
_BOOKINFO: Final = ("bookinfo.yaml", "gateway.yaml", "subsets.yaml", "routes-all-v1.yaml")
_WORKLOADS: Final = ("details-v1", "ratings-v1", "reviews-v1", "reviews-v2", "reviews-v3", "productpage-v1")
_PATIENCE_S: Final = 60.0
_LOOK_AGAIN_S: Final = 0.05


class Application:
    """
    One `kubectl apply`: `begin` starts it, `finish` waits for it and for what it brings up.

    As a context it leaves no kubectl behind when something else fails in between.
    """

    def __init__(self, lab: paths.LabPaths, *, bookinfo: bool, files: Sequence[Path]) -> None:
        self._lab = lab
        self._bookinfo = bookinfo
        self._sources = [*(SAMPLES / name for name in _BOOKINFO if bookinfo), *files]
        self._kubectl: subprocess.Popen[str] | None = None

    def begin(self) -> None:
        """Start kubectl, if there is anything to apply."""
        if not self._sources:
            return
        arguments = [part for source in self._sources for part in ("-f", str(source))]
        self._kubectl = subprocess.Popen(
            [client.find_kubectl(prefer_own=True), "apply", *arguments],
            env=os.environ | client.environment(self._lab),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        if self._kubectl is not None:
            self._kubectl.communicate()

    def finish(self) -> None:
        """
        Wait until all is applied and, with Bookinfo, until its page answers and every part of it is ready.

        Raises:
            BookmeshError: kubectl failed (BM0109), or Bookinfo is not ready after a minute (BM0110).
        """
        if self._kubectl is None:
            return
        kubectl, self._kubectl = self._kubectl, None
        _, errors = kubectl.communicate()
        if kubectl.returncode:
            raise findings.BookmeshError(
                findings.Finding(
                    code="BM0109",
                    message="kubectl apply failed, and the lab stays up",
                    known=errors.strip(),
                    hint="mend the file and apply it: bookmesh kubectl apply -f FILE",
                )
            )
        if self._bookinfo:
            _wait_for_bookinfo(self._lab)


def _wait_for_bookinfo(lab: paths.LabPaths) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        status = client.fetch_status(lab)
        missing = [workload for workload in _WORKLOADS if not _is_ready(status, workload)]
        if not missing and all(_answers(page) for page in status["pages"]):
            return
        if time.monotonic() > deadline:
            raise findings.BookmeshError(
                findings.Finding(
                    code="BM0110",
                    message=f"Bookinfo is not ready after {_PATIENCE_S:.0f} s, and the lab stays up",
                    known=f"not ready: {', '.join(missing)}" if missing else "its page does not answer",
                    hint="bookmesh status, and bookmesh kubectl describe pods, tell more",
                )
            )
        time.sleep(_LOOK_AGAIN_S)


def _is_ready(status: dict[str, Any], workload: str) -> bool:
    """Whether a pod of the workload in namespace default has all its containers ready."""
    for pod in status["pods"]:
        if pod["namespace"] == "default" and pod["name"].startswith(f"{workload}-"):
            ready, _, all_of_them = pod["ready"].partition("/")
            if ready == all_of_them:
                return True
    return False


def _answers(page: str) -> bool:
    import http.client  # as urllib.parse, not needed before the lab is up
    import urllib.parse

    url = urllib.parse.urlsplit(page)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=10)
    try:
        connection.request("GET", url.path)
        response = connection.getresponse()
        response.read()  # hanging up early would be an odd first line in the proxies' logs
        return response.status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()
