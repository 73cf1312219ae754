"""What a rule may do with a request, as far as a schema cannot say it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import base
from bookmesh.mesh.model import http_actions as models


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        (models.HttpRewrite, {"uri": "\n"}),
        (models.HttpRewrite, {"authority": "a\r"}),
        (models.HttpRewrite, {"uriRegexRewrite": {"match": "a", "rewrite": "\0"}}),
        (models.HttpRetry, {"attempts": 1, "perTryTimeout": "0s"}),
        (models.HttpRetry, {"attempts": 1, "backoff": "0s"}),
        (models.CorsPolicy, {"allowOrigins": [{"exact": ""}]}),
    ],
)
def test_what_no_envoy_takes_is_refused(model: type[base.Model], settings: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(settings, model)


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        (models.HttpRedirect, {"port": 80, "derivePort": "FROM_REQUEST_PORT"}),
        (models.HttpBody, {"string": "a", "bytes": "YQ=="}),
    ],
)
def test_one_of_two_may_be_set(model: type[base.Model], settings: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError, match="at most one of"):
        msgspec.convert(settings, model)


def test_bytes_are_base64() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"bytes": "no base64"}, models.HttpBody)
