from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bookmesh.cli.istioctl import places

TEXT = """\
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  http:
  - match:
    - uri: {prefix: /a}
    route: []
  - route: []
---
# nothing
---
kind: List
items:
- kind: Service
  metadata:
    name: a
  spec:
    ports:
    - port: 80
"""


@pytest.fixture
def written(tmp_path: Path) -> places.Places:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.yaml").write_text(TEXT)
    (tmp_path / "readme.txt").write_text("no: object")
    return places.read([tmp_path])


@pytest.mark.parametrize(
    ("obj", "path", "line"),
    [
        ("VirtualService shop/reviews", "spec.http[0].match[0]", 6),
        ("VirtualService shop/reviews", "spec.http[1]", 8),
        ("VirtualService shop/reviews", "spec.http[7].route", 4),
        ("VirtualService shop/reviews", "", 1),
        ("Service default/a", "spec.ports[0].port", 19),
    ],
)
def test_each_field_has_its_line(written: places.Places, obj: str, path: str, line: int) -> None:
    (live,) = (each.content for each in written.documents if each.names()[0] == obj)
    found = written.find(obj, path, live)
    assert found is not None
    assert found.endswith(f"a.yaml:{line}")


def test_what_is_not_written_has_no_line(written: places.Places) -> None:
    assert written.find("Service shop/reviews", "", {}) is None
    assert written.find("VirtualService shop/reviews", "", {"spec": {"http": []}}) is None
    assert len(written.documents) == 2
    assert not places.read([])


@pytest.mark.parametrize(
    ("one", "live", "is_part"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": [1, {"c": 3}]}, {"a": [1, {"c": 3, "d": 4}]}, True),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": {}}, {}, True),
        ({"a": 1}, {}, False),
    ],
)
def test_defaults_that_were_added_do_not_count(one: Any, live: Any, is_part: bool) -> None:
    assert places.is_part(one, live) is is_part


def test_what_is_no_yaml_says_where() -> None:
    with pytest.raises(yaml.YAMLError, match="line 2"):
        list(places.parse("a: 1\nb: [", "x.yaml"))
