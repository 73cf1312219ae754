from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.istioctl import printing

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def sections(**wanted: Any) -> dict[str, str]:
    return dict(printing.sections(small_dumps.dump(), small_dumps.STATUSES, now=NOW, **wanted))


def test_each_row_says_what_it_is_about() -> None:
    found = sections()
    assert list(found) == [
        "BOOTSTRAP INFO",
        "CLUSTER INFO",
        "LISTENER INFO",
        "ROUTE INFO",
        "SECRET INFO",
        "ENDPOINTS INFO",
    ]
    assert "listener/0.0.0.0_9080   0.0.0.0 " in found["LISTENER INFO"]
    assert found["ROUTE INFO"].splitlines()[1].startswith("route/9080 ")
    assert found["ENDPOINTS INFO"].splitlines()[1].startswith("endpoint/10.244.0.5:9080 ")


def test_filters_reach_their_tables() -> None:
    found = sections(subset="v2", address="10.96.0.9", name="none")
    assert len(found["CLUSTER INFO"].splitlines()) == 2
    assert len(found["LISTENER INFO"].splitlines()) == 2
    assert len(found["ROUTE INFO"].splitlines()) == 1
