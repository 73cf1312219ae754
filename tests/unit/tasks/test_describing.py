from __future__ import annotations

from pathlib import Path

from tests.unit.tasks import sample

from bookmesh.tasks import describing


def test_a_task_is_told_with_its_yaml(tmp_path: Path) -> None:
    text = describing.describe(sample.load(tmp_path, summary="Why.", page="https://istio.io/x"))
    assert "light: A light\nWhy.\nhttps://istio.io/x" in text
    assert "1. switch it on  (apply, within 0.2s)" in text
    assert "- the light is on  (fails before)\n     exec deploy/x: look" in text
    assert "     | kind: ConfigMap" in text


def test_objects_that_are_deleted_by_name_need_no_yaml(tmp_path: Path) -> None:
    step = {"name": "off", "delete": ["configmap/switch"], "expect": [{**sample.LOOK, "before": "holds"}]}
    text = describing.describe(sample.load(tmp_path, steps=[step]))
    assert "(holds before too)" in text
    assert "|" not in text
