"""Access logs: Istio's formats, or those that the mesh configuration asks for."""

from __future__ import annotations

import json
from typing import Final

from google.protobuf import json_format, struct_pb2

from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.wire import core, messages
from bookmesh.mesh.wire import listener as wire

# Istio's default text format; UPSTREAM_CLUSTER_RAW, since the plain operator gives the name used in statistics.
_TEXT: Final = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% '
    '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" '
    "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" '
    "%UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% "
    "%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n"
)
_JSON: Final = {
    "start_time": "%START_TIME%",
    "route_name": "%ROUTE_NAME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "connection_termination_details": "%CONNECTION_TERMINATION_DETAILS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "upstream_service_time": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
    "x_forwarded_for": "%REQ(X-FORWARDED-FOR)%",
    "user_agent": "%REQ(USER-AGENT)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "authority": "%REQ(:AUTHORITY)%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_cluster": "%UPSTREAM_CLUSTER_RAW%",
    "upstream_local_address": "%UPSTREAM_LOCAL_ADDRESS%",
    "downstream_local_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
    "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
}


def build(settings: settings_.MeshSettings) -> list[wire.AccessLog]:
    """
    Build one log, or none when the mesh has them switched off.

    Source: MeshConfig `accessLogFile`, `accessLogFormat`, `accessLogEncoding`.
    """
    if not settings.access_log_path:
        return []
    form = _json_format(settings) if settings.access_log_encoding == "JSON" else _text_format(settings)
    log = wire.FileAccessLog(path=settings.access_log_path, log_format=form)
    return [wire.AccessLog(name="envoy.access_loggers.file", typed_config=messages.pack(log))]


def _text_format(settings: settings_.MeshSettings) -> core.SubstitutionFormatString:
    """A line for each request, also when the format has no end of line."""
    text = settings.access_log_format or _TEXT
    text = text if text.endswith("\n") else text + "\n"
    return core.SubstitutionFormatString(text_format_source=core.DataSource(inline_string=text))


def _json_format(settings: settings_.MeshSettings) -> core.SubstitutionFormatString:
    """The format is itself JSON; reading the mesh configuration has made sure of that."""
    wanted = json.loads(settings.access_log_format) if settings.access_log_format else _JSON
    return core.SubstitutionFormatString(json_format=json_format.ParseDict(wanted, struct_pb2.Struct()))
