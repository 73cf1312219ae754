"""What a person wants of an audit log."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.lab.conftest import pretend_to_run

from bookmesh.base import findings
from bookmesh.lab import audits, labs, launching, paths

POLICY = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n"


def test_a_policy_and_a_place_are_checked_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert audits.wanted(POLICY, Path("log")) == audits.Wanted(POLICY, tmp_path / "log")
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    with pytest.raises(ValueError, match="it is no YAML"):
        audits.wanted("{", Path("log"))
    with pytest.raises(ValueError, match="rules: Required value"):
        audits.wanted(POLICY.partition("rules")[0], Path("log"))
    with pytest.raises(FileNotFoundError):
        audits.wanted(POLICY, Path("nowhere/log"))


def test_a_cluster_without_a_log_has_nobody_who_writes(lab: paths.LabPaths) -> None:
    with audits.opened(lab, "") as auditor:
        assert auditor is None


def test_a_running_lab_with_another_log_is_misuse(lab: paths.LabPaths, tmp_path: Path) -> None:
    pretend_to_run(lab, port=7)
    wanted = audits.Wanted(POLICY, tmp_path / "log")

    def refusal() -> str:
        with pytest.raises(findings.BookmeshError) as caught:
            launching.start(lab, port=None, audit=wanted, on_step=lambda _step: None)
        assert (caught.value.finding.code, caught.value.exit_code) == ("BM0106", 2)
        return caught.value.finding.message

    assert "without an audit log" in refusal()
    labs.write_settings(lab, labs.LabSettings(port=7, slot=3, audit_log="/elsewhere"))
    assert "with its audit log in /elsewhere" in refusal()
    labs.write_settings(lab, labs.LabSettings(port=7, slot=3, audit_log=str(wanted.log)))
    lab.audit_policy.write_text("other")
    assert "with another audit policy" in refusal()
    lab.audit_policy.write_text(POLICY)
    assert launching.start(lab, port=None, audit=wanted, on_step=lambda _step: None)[1] is False
