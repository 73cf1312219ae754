from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bookmesh.base import findings
from bookmesh.lab import kubeconfigs


def config(name: str, server: str = "https://127.0.0.1:1") -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": {"server": server}}],
            "users": [{"name": name, "user": {}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        }
    )


@pytest.fixture
def addition(tmp_path: Path) -> Path:
    path = tmp_path / "lab"
    path.write_text(config("bookmesh"))
    return path


def test_a_missing_file_is_made_and_uses_the_lab(addition: Path, tmp_path: Path) -> None:
    target = tmp_path / "new" / "config"
    assert kubeconfigs.merge(target, addition, use=False)
    assert yaml.safe_load(target.read_text())["current-context"] == "bookmesh"


def test_the_current_context_stays_unless_asked(addition: Path, tmp_path: Path) -> None:
    target = tmp_path / "config"
    target.write_text(config("work"))
    assert not kubeconfigs.merge(target, addition, use=False)
    assert yaml.safe_load(target.read_text())["current-context"] == "work"
    assert kubeconfigs.merge(target, addition, use=True)
    assert yaml.safe_load(target.read_text())["current-context"] == "bookmesh"


def test_merging_again_replaces_the_labs_own_entries(addition: Path, tmp_path: Path) -> None:
    target = tmp_path / "config"
    target.write_text(config("work"))
    kubeconfigs.merge(target, addition, use=False)
    addition.write_text(config("bookmesh", server="https://127.0.0.1:2"))
    kubeconfigs.merge(target, addition, use=False)
    merged = yaml.safe_load(target.read_text())
    assert [cluster["name"] for cluster in merged["clusters"]] == ["work", "bookmesh"]
    assert merged["clusters"][1]["cluster"]["server"] == "https://127.0.0.1:2"


@pytest.mark.parametrize("content", ["kind: Pod", "- a list", "half: [a"])
def test_a_file_that_is_no_kubeconfig_is_left_alone(addition: Path, tmp_path: Path, content: str) -> None:
    target = tmp_path / "config"
    target.write_text(content)
    with pytest.raises(findings.BookmeshError) as caught:
        kubeconfigs.merge(target, addition, use=False)
    assert caught.value.finding.code == "BM0108"
    assert target.read_text() == content
