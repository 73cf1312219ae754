"""
Strategic merge patch agrees with Go: `kubectl patch --local` is the oracle, on seeded random objects and patches.

Go leaves directives standing inside list elements that are new; such outcomes have nothing to compare with and are
counted, so that they cannot take over.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bookmesh.base.kubernetes import JsonObject, copy_json
from bookmesh.kube.schema import kinds, patching, schemas

CASES = 24
SEEDS = (3, 41)
KEYS = {
    "containers": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "volumes": "name",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
}
REQUIRED = {"spec", "template", "metadata", "containers", "image", "port", "containerPort", "mountPath", "ip"}


class Generator:
    """Random objects of three kinds, and patches made from other random objects of the same kind."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def case(self) -> tuple[JsonObject, JsonObject]:
        """Return an object and a patch for it."""
        kind = self.random.choice(("Deployment", "Pod", "Service"))
        return self.object(kind), self.patch(self.object(kind), kind)

    def letter(self) -> str:
        return self.random.choice("abcdef")

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def distinct(self, make: Callable[[], JsonObject], key: str, fewest: int = 0) -> list[JsonObject]:
        made = [make() for _ in range(self.random.randint(max(fewest, 0), 4))]
        return list({each[key]: each for each in made}.values()) or [make() for _ in range(fewest)]

    def labels(self) -> JsonObject:
        return {self.letter(): self.letter() for _ in range(self.random.randint(0, 3))}

    def object(self, kind: str) -> JsonObject:
        finalizers = [f"f/{each}" for each in self.random.sample("abcd", self.random.randint(0, 3))]
        metadata = {"name": "x", "labels": self.labels(), "finalizers": finalizers}
        if kind == "Pod":
            return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": self.pod_spec()}
        if kind == "Service":
            spec = {"selector": self.labels(), "ports": self.distinct(self.service_port, "port", 1)}
            return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec}
        template = {"metadata": {"labels": {"a": "b"}}, "spec": self.pod_spec()}
        spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
        return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}

    def service_port(self) -> JsonObject:
        number = self.random.choice((80, 81, 82))
        return {"port": number, "name": self.letter(), "targetPort": self.random.choice((8080, "http"))}

    def pod_spec(self) -> JsonObject:
        spec: JsonObject = {"containers": self.distinct(self.container, "name", 1)}
        if self.chance(0.6):
            spec["volumes"] = self.distinct(self.volume, "name")
        if self.chance(0.4):
            spec["imagePullSecrets"] = self.distinct(lambda: {"name": self.letter()}, "name")
        if self.chance(0.4):
            spec["tolerations"] = [{"key": self.letter(), "operator": "Exists"}]
        if self.chance(0.4):
            spec["nodeSelector"] = self.labels()
        if self.chance(0.3):
            spec["hostAliases"] = self.distinct(self.alias, "ip")
        return spec

    def alias(self) -> JsonObject:
        return {"ip": f"1.1.1.{self.random.randint(0, 3)}", "hostnames": [self.letter()]}

    def volume(self) -> JsonObject:
        source: JsonObject = self.random.choice(({"emptyDir": {}}, {"configMap": {"name": "c"}}))
        return {"name": self.letter(), **source}

    def container(self) -> JsonObject:
        made: JsonObject = {"name": self.letter(), "image": f"i:{self.random.randint(0, 3)}"}
        if self.chance(0.6):
            made["env"] = self.distinct(
                lambda: {"name": self.letter().upper(), "value": str(self.random.randint(0, 3))}, "name"
            )
        if self.chance(0.5):
            made["ports"] = self.distinct(
                lambda: {"containerPort": self.random.choice((80, 81, 82)), "name": f"p{self.letter()}"},
                "containerPort",
            )
        if self.chance(0.4):
            made["volumeMounts"] = self.distinct(
                lambda: {"mountPath": f"/{self.letter()}", "name": self.letter()}, "mountPath"
            )
        if self.chance(0.3):
            made["args"] = [self.letter()]
        return made

    def patch(self, value: Any, kind: str) -> Any:
        """Thin `value` out and sprinkle directives over it."""
        if not isinstance(value, dict):
            return value
        patch: JsonObject = {}
        for key, each in value.items():
            if key in ("apiVersion", "kind", "name", "selector") or self.chance(0.3):
                continue
            if key not in REQUIRED and self.chance(0.1):
                patch[key] = None
            elif key == "finalizers" and self.chance(0.5):
                patch["$deleteFromPrimitiveList/finalizers"] = each[:1]
            elif isinstance(each, list) and each and isinstance(each[0], dict) and self.merge_key(key, kind):
                patch |= self.list_patch(key, each, kind)
            elif isinstance(each, dict):
                patch[key] = self.patch(each, kind)
                if key in ("labels", "nodeSelector") and self.chance(0.15):
                    patch[key]["$patch"] = "replace"
            else:
                patch[key] = each
        return patch

    def merge_key(self, key: str, kind: str) -> str | None:
        if key == "ports":
            return "port" if kind == "Service" else "containerPort"
        return KEYS.get(key)

    def list_patch(self, key: str, elements: list[JsonObject], kind: str) -> JsonObject:
        merge_key = self.merge_key(key, kind)
        assert merge_key is not None
        changes: list[JsonObject] = []
        for each in elements:
            identity = {merge_key: each[merge_key]}
            is_deletion = self.chance(0.2)
            changes.append(
                {**identity, "$patch": "delete"} if is_deletion else {**self.patch(each, kind), **identity}
            )
        if self.chance(0.1):
            changes.insert(0, {"$patch": "replace"})
        patch: JsonObject = {key: changes}
        if self.chance(0.5):
            order = [{merge_key: each[merge_key]} for each in changes if "$patch" not in each]
            if self.chance(0.1):
                self.random.shuffle(order)  # often no longer the order of the patch: an error
            patch[f"$setElementOrder/{key}"] = order
        return patch


def without_empty(value: Any) -> Any:
    """Drop what kubectl adds or drops by decoding into Go types: nulls, empty lists and zero structs."""
    if isinstance(value, dict):
        dropped = (None, [], {"loadBalancer": {}})
        noise = ("creationTimestamp", "status", "resources", "strategy")
        kept = {key: without_empty(each) for key, each in value.items() if each not in dropped}
        return {
            key: each
            for key, each in kept.items()
            if not (key in noise and not each) and not _is_empty_map(key, each)
        }
    if isinstance(value, list):
        return [without_empty(each) for each in value]
    return value


def _is_empty_map(key: str, value: Any) -> bool:
    return value == {} and key in ("labels", "nodeSelector", "selector")


def go(
    binary: Path, directory: Path, current: JsonObject, patch: JsonObject
) -> subprocess.CompletedProcess[str]:
    file = directory / "current.json"
    file.write_text(json.dumps(current))
    argv = [binary, "patch", "--local", "-f", file, "--type=strategic", "-p", json.dumps(patch), "-o", "json"]
    environment = {"HOME": str(directory), "PATH": "/usr/bin:/bin"}
    return subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=30, check=False)


def ours(current: JsonObject, patch: JsonObject) -> JsonObject | None:
    group, _, version = current["apiVersion"].rpartition("/")
    kind = kinds.Kinds().by_kind(group, version, current["kind"])
    assert kind is not None
    before = copy_json({"current": current, "patch": patch})
    try:
        return patching.apply_strategic_merge_patch(SCHEMAS, kind, current, patch)
    except patching.PatchError:
        return None
    finally:
        assert {"current": current, "patch": patch} == before


SCHEMAS = schemas.Schemas.load()


@pytest.mark.parametrize("seed", SEEDS)
def test_random_patches_come_out_as_in_go(kubectl_binary: Path, tmp_path: Path, seed: int) -> None:
    generator, compared, leftovers = Generator(seed), 0, 0
    for _ in range(CASES):
        current, patch = generator.case()
        answer = go(kubectl_binary, tmp_path, current, patch)
        if answer.returncode:
            assert ours(current, patch) is None, answer.stderr
        elif any(
            f'"${directive}' in answer.stdout for directive in ("setElementOrder", "patch", "deleteFrom")
        ):
            leftovers += 1
        else:
            compared += 1
            assert without_empty(ours(current, patch)) == without_empty(json.loads(answer.stdout)), (
                current,
                patch,
            )
    assert compared >= CASES * 2 // 3
    assert leftovers <= CASES // 4
