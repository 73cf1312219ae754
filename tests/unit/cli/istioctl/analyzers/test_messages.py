from __future__ import annotations

from bookmesh.cli.istioctl.analyzers import messages
from bookmesh.cli.istioctl.analyzers.messages import Message

SAID = Message("Error", "IST0101", "VirtualService default/a", "default", "gone", "spec", "a.yaml:3")


def test_a_message_as_a_line_and_as_an_object() -> None:
    assert str(SAID) == "Error [IST0101] (VirtualService default/a a.yaml:3) gone"
    found = SAID.as_json()
    assert (found["origin"], found["reference"]) == ("VirtualService default/a", "a.yaml:3")
    assert found["documentationUrl"].endswith("/docs/reference/config/analysis/ist0101/?ref=istioctl-analyze")


def test_a_namespace_is_in_itself() -> None:
    said = messages.about({"kind": "Namespace", "metadata": {"name": "a"}}, "Info", "IST0102", "x")
    assert (said.origin, said.is_about("a"), said.is_about("b"), said.is_about("")) == (
        "Namespace a",
        True,
        False,
        True,
    )
    assert "reference" not in said.as_json()


def test_lists_are_printed_as_istio_does() -> None:
    assert messages.listed([80, "a"]) == "[80 a]"
    assert messages.listed("a") == "a"
