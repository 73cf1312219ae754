"""Formats of access logs."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format

from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import access_logs
from bookmesh.mesh.wire import listener


def log(**settings: Any) -> listener.FileAccessLog:
    (built,) = access_logs.build(MeshSettings(**settings))
    return listener.FileAccessLog.FromString(built.typed_config.value)


def test_access_log_has_istios_fields_in_order_and_can_be_off() -> None:
    config = log()
    assert config.path == "/dev/stdout"
    text = config.log_format.text_format_source.inline_string
    assert text.startswith('[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" ')
    assert text.endswith("%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n")
    assert access_logs.build(MeshSettings(access_log_path="")) == []


def test_own_text_ends_with_a_line() -> None:
    for given in ("%PROTOCOL%", "%PROTOCOL%\n"):
        assert log(access_log_format=given).log_format.text_format_source.inline_string == "%PROTOCOL%\n"


def test_json_has_istios_keys_or_own_ones() -> None:
    def shown(**settings: Any) -> dict[str, Any]:
        found = log(access_log_encoding="JSON", **settings)
        return dict(json_format.MessageToDict(found.log_format.json_format))

    assert shown()["upstream_cluster"] == "%UPSTREAM_CLUSTER_RAW%"
    assert len(shown()) == 24
    own = {"who": "%PROTOCOL%", "deep": {"code": "%RESPONSE_CODE%"}}
    assert shown(access_log_format=json.dumps(own)) == own
