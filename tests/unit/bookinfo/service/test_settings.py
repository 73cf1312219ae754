from __future__ import annotations

import pytest

from bookinfo.service import settings


def environment(**variables: str) -> settings.Environment:
    return settings.Environment(variables)


def test_empty_variable_counts_as_missing() -> None:
    assert environment(STAR_COLOR="  ").text("STAR_COLOR", "black") == "black"


def test_base_url_follows_the_names_of_the_sample() -> None:
    assert environment().base_url("details") == "http://details:9080"
    assert (
        environment(
            DETAILS_HOSTNAME="books", DETAILS_SERVICE_PORT="81", SERVICES_DOMAIN="shop.svc.cluster.local"
        ).base_url("details")
        == "http://books.shop.svc.cluster.local:81"
    )


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("ENABLE_RATINGS", "maybe", lambda e: e.flag("ENABLE_RATINGS", default=False)),
        ("DETAILS_SERVICE_PORT", "tcp://10.0.0.1:9080", lambda e: e.base_url("details")),
        ("DETAILS_SERVICE_PORT", "0", lambda e: e.base_url("details")),
        ("DETAILS_SERVICE_PORT", "٣", lambda e: e.base_url("details")),
        ("DETAILS_HOSTNAME", "http://details", lambda e: e.base_url("details")),
        ("SERVICES_DOMAIN", ".example", lambda e: e.base_url("details")),
        ("FLOOD_FACTOR", "-1", lambda e: e.integer("FLOOD_FACTOR", 0, minimum=0, maximum=9)),
        ("SHUTDOWN_GRACE_S", "1e9", lambda e: e.seconds("SHUTDOWN_GRACE_S", 1, maximum=9)),
        ("SHUTDOWN_GRACE_S", "nan", lambda e: e.seconds("SHUTDOWN_GRACE_S", 1, maximum=9)),
        ("LOG_FORMAT", "xml", lambda e: settings.read(e, "ratings", host=None, port=None)),
        ("PORT", "99999", lambda e: settings.read(e, "ratings", host=None, port=None)),
    ],
)
def test_wrong_value_is_an_error_that_names_variable_and_value(name: str, value: str, read: object) -> None:
    with pytest.raises(settings.SettingError, match=f"environment variable {name} is ") as caught:
        read(environment(**{name: value}))  # type: ignore[operator]
    assert repr(value) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("TRUE", True), ("0", False), ("no", False)])
def test_flags_are_read_without_regard_to_case(text: str, expected: bool) -> None:
    assert environment(X=text).flag("X", default=not expected) is expected


def test_argument_wins_over_port_variable_and_default_is_9080() -> None:
    assert settings.read(environment(), "ratings", host=None, port=None).port == 9080
    assert settings.read(environment(PORT="80"), "ratings", host=None, port=None).port == 80
    assert settings.read(environment(PORT="80"), "ratings", host=None, port=8081).port == 8081
