"""The OpenAPI document of each service is valid, complete, and true: schemathesis asks for what it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.bookinfo import asking

SERVICES = ("page", "details", "ratings", "v3")
LIMIT_S = 240

COMMON = "^/(livez|readyz|metrics|openapi.json)$"
"""What all services have is asked of one."""

# Which Unicode characters a user name may have is not for a pattern to say, so names beyond it may be let in.
SETTINGS = """
[[operations]]
include-name = "POST /login"
checks.negative_data_rejection.enabled = false
"""


def url_of(deployment: Any, service: str) -> str:
    return str(deployment.reviews.get(service) or getattr(deployment, service))


@pytest.mark.parametrize("service", SERVICES)
def test_every_path_of_the_document_exists(deployment: Any, ours: None, service: str) -> None:
    url = url_of(deployment, service)
    answer = asking.ask(url, "/openapi.json")
    assert (answer.status, answer.media_type) == (200, "application/json")
    document = answer.json
    assert document["openapi"] == "3.1.0"
    for path, operations in document["paths"].items():
        real = path.replace("{product_id}", "0").replace("{name}", "bookinfo.css")
        allowed = asking.ask(url, real, method="OPTIONS").headers["allow"]
        for method in operations:
            assert method.upper() in allowed.split(", "), path


@pytest.mark.timeout(LIMIT_S + 30)
@pytest.mark.parametrize("service", SERVICES)
def test_answers_are_as_the_document_says(deployment: Any, ours: None, service: str, tmp_path: Path) -> None:
    url = url_of(deployment, service)
    (tmp_path / "schemathesis.toml").write_text(SETTINGS if service == "page" else "")
    command = [
        Path(sys.executable).with_name("schemathesis"),
        "run",
        f"{url}/openapi.json",
        "--max-examples=15",
        "--phases=examples,coverage,fuzzing",
        "--generation-deterministic",
        "--suppress-health-check=all",
        "--request-timeout=60",
        "--no-color",
    ]
    if service != "details":
        command.append(f"--exclude-path-regex={COMMON}")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
