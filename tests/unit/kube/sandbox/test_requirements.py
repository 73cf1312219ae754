"""Advice for a machine that does not allow what a lab needs."""

from __future__ import annotations

import errno
import subprocess
from pathlib import Path

import pytest

from bookmesh.kube.sandbox import requirements


def outcome(step: str | None, number: int) -> str:
    return f'{{"step": {"null" if step is None else f"{step!r}"}, "errno": {number}, "text": "No"}}'.replace(
        "'", '"'
    )


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    values: dict[str, str] = {}
    monkeypatch.setattr(requirements, "_read", lambda path: values.get(path, ""))
    monkeypatch.setattr(requirements, "_is_container", lambda: False)
    monkeypatch.setattr(requirements.os, "geteuid", lambda: 1000)
    return values


def trial(monkeypatch: pytest.MonkeyPatch, output: str, code: int = 0) -> None:
    done = subprocess.CompletedProcess([], code, output, "Traceback …\nsomething")
    monkeypatch.setattr(requirements.subprocess, "run", lambda *_, **__: done)


def test_a_machine_on_which_all_works_has_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    trial(monkeypatch, outcome(None, 0))
    assert requirements.check_host() == []


@pytest.mark.parametrize(
    ("path", "value", "setting"),
    [
        ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces"),
        (
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
    ],
)
def test_the_setting_in_the_way_is_named(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, path: str, value: str, setting: str
) -> None:
    settings[path] = value
    trial(monkeypatch, outcome(requirements.USER_NAMESPACE, errno.EPERM))
    (finding,) = requirements.check_host()
    assert finding.code == "BM0101"
    assert setting in finding.hint
    assert "user namespaces" in finding.message


def test_a_missing_module_is_named(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    trial(monkeypatch, outcome("nf_tables address translation", errno.ENOENT))
    assert "modprobe" in requirements.check_host()[0].hint


def test_a_container_is_told_from_a_machine(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requirements, "_is_container", lambda: True)
    trial(monkeypatch, outcome("PID and mount namespaces", errno.EPERM))
    assert "container" in requirements.check_host()[0].hint


def test_a_trial_that_breaks_down_is_a_finding_too(monkeypatch: pytest.MonkeyPatch) -> None:
    trial(monkeypatch, "", code=1)
    assert "something" in requirements.check_host()[0].known


def test_an_old_kernel_is_refused_without_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements.platform, "release", lambda: "5.10.0-21-amd64")
    (finding,) = requirements.check_host()
    assert "too old" in finding.message
    assert "5.10" in finding.known


def test_settings_that_cannot_be_read_say_nothing(tmp_path: Path) -> None:
    assert requirements._read(str(tmp_path / "none")) == ""
