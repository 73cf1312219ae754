from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bookinfo import together
from bookinfo.service import lifecycle

Run = Callable[..., tuple["subprocess.Popen[str]", str]]
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "LOG_LEVEL": "error"}
LIMIT_S = 30


@pytest.fixture
def run() -> Iterator[Run]:
    """Start all services with arguments and variables; returns the process and the URL it prints."""
    with ExitStack() as stack:

        def start(*arguments: str, **variables: str) -> tuple[subprocess.Popen[str], str]:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "bookinfo", "all", "--port", "0", *arguments],
                    env=ENVIRONMENT | variables,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            line = process.stdout.readline()
            match = re.fullmatch(r"Bookinfo: (http://\S+/productpage)\n", line)
            assert match, line
            return process, match[1]

        yield start


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=LIMIT_S) as answer:
        return str(answer.read().decode())


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    ("reviews", "mark"), [("v1", None), ("v2", "text-black-500"), ("v3", "text-red-500")]
)
def test_the_page_shows_the_chosen_version_at_the_first_request(
    run: Run, reviews: str, mark: str | None
) -> None:
    _, url = run("--reviews", reviews)
    text = read(url)
    assert "Book Details" in text
    assert f"reviews-{reviews}" in text
    assert ("glyphicon glyphicon-star" in text) is (mark is not None)
    assert mark is None or mark in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all(run: Run, number: int) -> None:
    process, url = run()
    read(url)
    children = children_of(process.pid)
    assert len(children) == 4
    process.send_signal(number)
    assert process.wait(LIMIT_S) == 0
    assert all(is_gone(child) for child in children)


def test_one_that_dies_ends_all_with_its_exit_code(run: Run) -> None:
    process, url = run()
    read(url)
    children = children_of(process.pid)
    os.kill(children[1], signal.SIGKILL)
    assert process.wait(LIMIT_S) == 128 + signal.SIGKILL
    assert process.stderr is not None
    assert "has ended with exit code 137" in process.stderr.read()
    assert all(is_gone(child) for child in children)


def test_a_wrong_setting_of_one_ends_all_with_its_message(run: Run) -> None:
    process, _ = run(STAR_COLOR="!")
    assert process.wait(LIMIT_S) == 2
    assert process.stderr is not None
    assert "bookinfo reviews: environment variable STAR_COLOR is '!'" in process.stderr.read()


def test_nobody_outlives_a_parent_that_is_killed(run: Run) -> None:
    process, url = run()
    read(url)
    pipes = {child: os.pidfd_open(child) for child in children_of(process.pid)}
    process.kill()
    process.wait(LIMIT_S)
    import select

    for descriptor in pipes.values():
        assert select.select([descriptor], [], [], LIMIT_S)[0]
        os.close(descriptor)


def test_a_port_in_use_is_told_before_anything_starts() -> None:
    with lifecycle.listen("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "bookinfo", "all", "--port", port],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert f"cannot listen on 127.0.0.1, port {port}" in done.stderr


def test_services_find_each_other_whatever_the_environment_said() -> None:
    with lifecycle.listen("127.0.0.1", 0) as listener:
        listeners = dict.fromkeys(together.ORDER, listener)
        variables = {
            "PORT": "1",
            "SERVICES_DOMAIN": "example",
            "DETAILS_HOSTNAME": "elsewhere",
            "MINE": "kept",
        }
        members = together.build_members(variables, listeners, {"reviews": "v2"})
        assert [member.name for member in members] == ["productpage", "reviews", "ratings", "details"]
        reviews = members[1].variables
        assert (reviews["SERVICE_VERSION"], reviews["HOSTNAME"]) == ("v2", "reviews-v2")
        assert reviews["RATINGS_SERVICE_PORT"] == str(listener.getsockname()[1])
        assert reviews["DETAILS_HOSTNAME"] == together.LOOPBACK
        assert reviews["MINE"] == "kept"
        assert not {"PORT", "SERVICES_DOMAIN"} & reviews.keys()


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://localhost:"), ("::1", "http://[::1]:")],
)
def test_the_url_is_one_to_open_here(host: str, expected: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, 0), family=family)
    except OSError as error:
        pytest.skip(f"cannot listen on {host}: {error}")
    with listener:
        assert together.page_url(listener) == f"{expected}{listener.getsockname()[1]}/productpage"
