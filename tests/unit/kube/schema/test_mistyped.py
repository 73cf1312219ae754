"""What a real server cannot decode; every text here is what one answered."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.kube.schema import kinds, mistyped, schemas

KNOWN = schemas.Schemas.load()
KINDS = kinds.Kinds()
UNFIT = "json: cannot unmarshal {} into Go struct field {} of type {}"
QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def told(version: str, kind: str, **fields: Any) -> str:
    group, _, name = version.rpartition("/")
    found = KINDS.by_kind(group, name, kind)
    assert found is not None
    try:
        mistyped.check(KNOWN, found, {"apiVersion": version, "kind": kind, **fields})
    except mistyped.MistypedError as error:
        return str(error)
    return ""


def container(**fields: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "a", **fields}]}}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"metadata": ""}, UNFIT.format("string", "Pod.metadata", "v1.ObjectMeta")),
        ({"metadata": {"name": -1}}, UNFIT.format("number", "ObjectMeta.metadata.name", "string")),
        (
            {"metadata": {"labels": []}},
            UNFIT.format("array", "ObjectMeta.metadata.labels", "map[string]string"),
        ),
        ({"metadata": {"labels": {"a": 1}}}, UNFIT.format("number", "ObjectMeta.metadata.labels", "string")),
        ({"spec": True}, UNFIT.format("bool", "Pod.spec", "v1.PodSpec")),
        ({"spec": {"containers": {}}}, UNFIT.format("object", "PodSpec.spec.containers", "[]v1.Container")),
        ({"spec": {"containers": ["a"]}}, UNFIT.format("string", "PodSpec.spec.containers", "v1.Container")),
        (
            container(ports=[{"containerPort": "80"}]),
            UNFIT.format("string", "ContainerPort.spec.containers.ports.containerPort", "int32"),
        ),
        (
            container(ports=[{"containerPort": 3000000000}]),
            UNFIT.format("number 3000000000", "ContainerPort.spec.containers.ports.containerPort", "int32"),
        ),
        (
            container(livenessProbe={"tcpSocket": {"port": []}}),
            UNFIT.format(
                "array", "TCPSocketAction.spec.containers.livenessProbe.ProbeHandler.tcpSocket.port", "int32"
            ),
        ),
        (
            container(envFrom=[{"configMapRef": {"name": 0}}]),
            UNFIT.format(
                "number",
                "ConfigMapEnvSource.spec.containers.envFrom.configMapRef.LocalObjectReference.name",
                "string",
            ),
        ),
        (
            {"spec": {"volumes": [{"name": "v", "csi": ""}]}},
            UNFIT.format("string", "Volume.spec.volumes.VolumeSource.csi", "v1.CSIVolumeSource"),
        ),
        (container(resources={"requests": {"cpu": []}}), QUANTITY),
        ({"metadata": {"name": 1}, **container(resources={"limits": {"cpu": "x"}})}, QUANTITY),
    ],
)
def test_the_first_mistake_in_a_pod_is_told(fields: dict[str, Any], text: str) -> None:
    assert told("v1", "Pod", **fields) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"x": "AQI="}, ""),
        ({"x": "Bad_Value!"}, "illegal base64 data at input byte 3"),
        ({"x": 1}, UNFIT.format("number", "ConfigMap.binaryData", "[]uint8")),
        ({"x": ["a"]}, UNFIT.format("string", "ConfigMap.binaryData", "uint8")),
        ("", UNFIT.format("string", "ConfigMap.binaryData", "map[string][]uint8")),
    ],
)
def test_bytes(data: Any, text: str) -> None:
    assert told("v1", "ConfigMap", binaryData=data) == text


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("2026-01-01T00:00:00Z", ""),
        ("2026-01-01T00:00:00.5+02:00", ""),
        ("", '"" as "2006"'),
        ("Bad_Value!", '"Bad_Value!" as "2006"'),
        ("2026-01-01", '"" as "T"'),
    ],
)
def test_times(time: str, text: str) -> None:
    layout = "2006-01-02T15:04:05Z07:00"
    wanted = f'parsing time "{time}" as "{layout}": cannot parse {text}' if text else ""
    assert told("v1", "Event", firstTimestamp=time) == wanted


def test_what_fits_nulls_and_unknown_fields_are_no_mistakes() -> None:
    assert told("v1", "Pod", spec={"containers": [None], "nodeName": None}, what=1) == ""
    ports = [{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 8080}]
    assert told("v1", "Service", spec={"ports": ports}) == ""
    assert told("v1", "PersistentVolume", spec={"capacity": {"storage": 5}}) == ""
    assert told("v1", "PersistentVolume", spec={"csi": ""}) == UNFIT.format(
        "string", "PersistentVolumeSpec.spec.PersistentVolumeSource.csi", "v1.CSIPersistentVolumeSource"
    )
