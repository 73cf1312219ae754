from __future__ import annotations

import json
from typing import Any

from tests.unit.cli.istioctl import test_analysis_messages
from tests.unit.cli.istioctl.conftest import Run


def answers(*findings: dict[str, Any], **labels: str) -> dict[str, Any]:
    return {
        "get --raw /lab/v1/status": {"findings": list(findings)},
        "get virtualservices": test_analysis_messages.RULE,
        "get namespaces": {"items": [{"metadata": {"name": "default", "labels": labels}}]},
        "get pods": {"items": []},
    }


ENABLED = {"istio-injection": "enabled"}
BAD = test_analysis_messages.finding("BM0204", "spec.gateways[0]")


def test_all_is_well(istioctl: Run) -> None:
    result, _ = istioctl("analyze", answers=answers(**ENABLED))
    assert result.exit_code == 0
    assert "\u2714 No validation issues found when analyzing namespace: default." in result.stderr


def test_an_error_is_printed_with_its_code_and_ends_with_79(istioctl: Run) -> None:
    result, _ = istioctl("analyze", answers=answers(BAD, **ENABLED))
    assert result.exit_code == 79
    assert (
        result.stdout
        == 'Error [IST0101] (VirtualService default/bad) Referenced gateway not found: "nowhere"\n'
    )
    assert "Analyzers found issues when analyzing namespace: default." in result.stderr


def test_a_word_on_injection_is_no_failure_unless_asked_for(istioctl: Run) -> None:
    result, _ = istioctl("analyze", "-A", answers=answers())
    assert result.exit_code == 0
    assert result.stdout.startswith("Info [IST0102] (Namespace default) The namespace is not enabled")
    result, _ = istioctl("analyze", "--failure-threshold", "info", answers=answers())
    assert result.exit_code == 79


def test_messages_can_be_suppressed(istioctl: Run) -> None:
    for rule in ("IST0101=VirtualService default/bad", "IST0101=VirtualService *"):
        result, _ = istioctl("analyze", "-S", rule, answers=answers(BAD, **ENABLED))
        assert result.exit_code == 0


def test_other_forms_and_other_namespaces(istioctl: Run) -> None:
    result, _ = istioctl("analyze", "-o", "json", answers=answers(BAD, **ENABLED))
    assert json.loads(result.stdout)[0]["code"] == "IST0101"
    result, _ = istioctl("analyze", "-n", "other", answers=answers(BAD, **ENABLED))
    assert result.exit_code == 0


def test_files_are_refused(istioctl: Run) -> None:
    result, _ = istioctl("analyze", "a.yaml")
    assert result.exit_code == 1
    assert "apply them with kubectl" in result.stderr
