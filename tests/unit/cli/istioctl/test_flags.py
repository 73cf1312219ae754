from __future__ import annotations

import pytest
from tests.unit.cli.istioctl import small_dumps
from tests.unit.cli.istioctl.conftest import Run


def test_a_wrong_flag_is_named_with_the_known_ones(istioctl: Run) -> None:
    result, _ = istioctl("proxy-status", "--bogus")
    assert result.exit_code == 64
    assert "unknown flag: --bogus; known: --context, --help" in result.stderr


def test_a_wrong_command_is_named_with_the_known_ones(istioctl: Run) -> None:
    result, _ = istioctl("proxy-config", "clutser", "x")
    assert result.exit_code == 64
    assert 'unknown command "clutser"' in result.stderr
    assert 'did you mean "cluster"? known: all, bootstrap, cluster' in result.stderr


def test_a_command_that_istio_has_elsewhere_is_named_with_its_place(istioctl: Run) -> None:
    result, _ = istioctl("describe", "pod", "x")
    assert result.exit_code == 64
    assert 'did you mean "experimental describe"?' in result.stderr


@pytest.mark.parametrize("arguments", [(), ("pc",), ("x",), ("x", "describe")])
def test_a_group_alone_shows_its_help_and_is_no_failure(istioctl: Run, arguments: tuple[str, ...]) -> None:
    result, _ = istioctl(*arguments)
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: istioctl")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("validate", "it is one of Istio's own istioctl, which works with a lab, too; known: install"),
        ("ztunnel-config", "it is for ambient mode, and the mesh of a lab has sidecars; known: install"),
    ],
)
def test_a_command_that_istio_alone_has_says_so(istioctl: Run, name: str, reason: str) -> None:
    result, _ = istioctl(name, "-f", "x.yaml")
    assert result.exit_code == 64
    assert f'unknown command "{name}" for "istioctl"; {reason}' in result.stderr


def test_common_flags_count_wherever_they_stand(istioctl: Run) -> None:
    answers = {"exec -n foo a -c istio-proxy -- pilot-agent request GET config_dump": small_dumps.DUMP}
    for arguments in (("-n", "foo", "pc", "c", "a"), ("pc", "c", "a", "-n", "foo"), ("pc", "c", "a.foo")):
        result, _ = istioctl(*arguments, answers=answers)
        assert result.exit_code == 0, result.output


def test_the_namespace_is_that_of_the_context() -> None:
    session = small_dumps.FakeSession({})
    assert session.namespace == "default"
    session.fake.answers["config view"] = "team"
    assert session.namespace == "team"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--purge=true", "-y=true"), 0),
        (("--purge=false", "-y"), 1),
        (("--purge", "--skip-confirmation=true"), 0),
        (("--purge=perhaps", "-y"), 64),
    ],
)
def test_flags_may_say_true_or_false(istioctl: Run, arguments: tuple[str, ...], code: int) -> None:
    result, _ = istioctl("uninstall", *arguments, answers={"delete": ""})
    assert result.exit_code == code, result.output


def test_what_follows_a_switch_is_not_its_value(istioctl: Run) -> None:
    result, _ = istioctl("analyze", "--use-kube=false", "-k", "/nowhere.yaml", answers={})
    assert "no such file" in result.stderr
