"""A running lab as the tests see it: the command line, stock kubectl and plain HTTP; nothing of the inside."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.parse
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bookmesh.lab import slots

BOOKMESH = Path(sys.executable).with_name("bookmesh")
SAMPLES = Path(__file__).parents[2] / "src" / "bookmesh" / "lab" / "samples" / "bookinfo"
T = TypeVar("T")
_FIRST_OPEN_PORT = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
HAS_ADDRESSES = os.geteuid() == 0 or int(_FIRST_OPEN_PORT.read_text()) <= 80
"""Whether load balancers have addresses here: where low ports are not allowed, node ports answer instead."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


def wait_until(condition: Callable[[], T], *, within_s: float = 60.0, what: str = "") -> T:
    """Poll until `condition` gives something true; the last falsy value is in the failure."""
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what or condition} (last: {value!r})")
        time.sleep(0.02)


def request(
    url: str, method: str = "GET", *, headers: dict[str, str] | None = None, body: str | None = None
) -> Answer:
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=30)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path or "/", body, headers or {})
        response = connection.getresponse()
        return Answer(
            response.status, {k.lower(): v for k, v in response.getheaders()}, response.read().decode()
        )
    finally:
        connection.close()


def new_name(taken: Collection[int], *, kind: str = "test") -> str:
    """A name whose addresses are those of no other lab here, nor of tests that another user runs meanwhile."""
    while True:
        name = f"{kind}-{uuid.uuid4().hex[:8]}"
        number = slots.of_name(name)
        if number not in taken and (number % 2 == 0) == (os.geteuid() == 0):
            return name


class Lab:
    def __init__(self, name: str, home: Path) -> None:
        self.name = name
        self.home = home
        self.directory = home / name
        self.env = os.environ | {"BOOKMESH_HOME": str(home), "NO_COLOR": "1"}

    def bookmesh(
        self, *arguments: str, check: bool = True, timeout: float = 90
    ) -> subprocess.CompletedProcess[str]:
        """Run `bookmesh COMMAND --name THIS …`."""
        command, *rest = arguments
        return run(
            [BOOKMESH, command, "--name", self.name, *rest], env=self.env, check=check, timeout=timeout
        )

    def release(self, command: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `bookmesh release COMMAND --name THIS …`."""
        return run([BOOKMESH, "release", command, "--name", self.name, *arguments], env=self.env, check=check)

    def kubectl(
        self, *arguments: str, stdin: str | None = None, check: bool = True, timeout: float = 90
    ) -> subprocess.CompletedProcess[str]:
        command = [BOOKMESH, "kubectl", "--name", self.name, *arguments]
        return run(command, env=self.env, stdin=stdin, check=check, timeout=timeout)

    def apply(self, yaml: str, *arguments: str) -> str:
        return self.kubectl("apply", "-f", "-", *arguments, stdin=yaml).stdout

    def apply_sample(self, *names: str) -> None:
        self.kubectl("apply", *[part for name in names for part in ("-f", str(SAMPLES / name))])

    def get(self, *arguments: str) -> Any:
        return json.loads(self.kubectl("get", *arguments, "-o", "json").stdout)

    def status(self) -> dict[str, Any]:
        """The lab's status; a finding makes the command exit 1, the facts are printed all the same."""
        facts: dict[str, Any] = json.loads(self.bookmesh("status", "-o", "json", check=False).stdout)
        return facts

    def pod(self, selector: str, namespace: str = "default") -> str:
        """The name of the one ready pod with these labels."""

        def ready() -> str | None:
            pods = self.get("pods", "-n", namespace, "-l", selector)["items"]
            names = [
                pod["metadata"]["name"]
                for pod in pods
                if not pod["metadata"].get("deletionTimestamp")
                and any(
                    c["type"] == "Ready" and c["status"] == "True"
                    for c in pod["status"].get("conditions", [])
                )
            ]
            return names[0] if len(names) == 1 else None

        return wait_until(ready, what=f"one ready pod with {selector}")

    @contextmanager
    def forward(self, target: str, port: int, *, namespace: str = "default") -> Iterator[int]:
        """Forward a free port of this machine, which kubectl finds, to one of a pod or Service; gives the local one."""
        command = [BOOKMESH, "kubectl", "--name", self.name, "port-forward", "-n", namespace, target]
        process = subprocess.Popen(
            [*map(str, command), f":{port}"],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            said = re.fullmatch(r"Forwarding from 127\.0\.0\.1:(\d+) -> (\d+)\n", line)
            assert said, line
            assert int(said[2]) == port
            yield int(said[1])
        finally:
            process.terminate()
            process.communicate(timeout=60)

    def ingress(self, port: int) -> tuple[str, int]:
        """Where the ingress gateway answers for one of its service's ports; without an address, on the node's port."""
        service = self.get("service", "istio-ingressgateway", "-n", "istio-system")
        found = next(one for one in service["spec"]["ports"] if one["port"] == port)
        host = self.page.removeprefix("http://").partition("/")[0].partition(":")[0]
        has_address = service["status"].get("loadBalancer", {}).get("ingress")
        return host, port if has_address else found["nodePort"]

    @property
    def page(self) -> str:
        page: str = self.status()["pages"][0]
        return page


class Maker:
    """Makes labs that are not up yet, with numbers that are not taken; `made` are those so far."""

    def __init__(self, home: Path, numbers: set[int]) -> None:
        self.made: list[Lab] = []
        self._home, self._numbers = home, numbers

    def __call__(self) -> Lab:
        self.made.append(Lab(new_name(self._numbers), self._home))
        self._numbers.add(slots.of_name(self.made[-1].name))
        return self.made[-1]


class Visitor:
    """A person at the product page."""

    def __init__(self, page: str, user: str | None = None) -> None:
        self.page = page
        self.headers: dict[str, str] = {}
        if user:
            origin = page.removesuffix("/productpage")
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = request(f"{origin}/login", "POST", headers=form, body=f"username={user}&passwd=")
            self.headers = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}

    def read(self) -> str:
        answer = request(self.page, headers=self.headers)
        assert answer.status == 200, answer
        return answer.text

    def stars(self) -> str:
        page = self.read()
        if "glyphicon-star" not in page:
            return "none"
        return "red" if "text-red" in page else "black"


def run(
    command: Sequence[str | Path],
    *,
    env: dict[str, str],
    stdin: str | None = None,
    check: bool = True,
    timeout: float = 90,
) -> subprocess.CompletedProcess[str]:
    __tracebackhide__ = True  # the environment is long, and says nothing
    words = [str(part) for part in command]
    completed = subprocess.run(
        words,
        env=env,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if check and completed.returncode:
        raise AssertionError(
            f"{shlex.join(words)} exited {completed.returncode}:\n{completed.stdout}{completed.stderr}"
        )
    return completed
