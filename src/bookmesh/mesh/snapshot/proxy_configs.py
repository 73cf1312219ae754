"""
Settings with which a proxy is made: of the mesh, of ProxyConfigs, and of the pod's annotation.

What is nearer wins, setting by setting: a ProxyConfig that selects the pod, the annotation, a ProxyConfig of the
namespace, one of the root namespace, the mesh configuration. Of several at the same distance the oldest wins.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import yaml

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.model import parsing, proxy_configs
from bookmesh.mesh.snapshot import proxy_fields
from bookmesh.mesh.snapshot import settings as settings_

ANNOTATION = "proxy.istio.io/config"


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """
    `environment` are variables by name, sorted; `image_type` is a suffix of the image's tag, "" for none;
    `concurrency` are worker threads, 0 for one a CPU, None when nobody says; `drain_s` is how long connections to a
    changed listener may go on, None when nobody says.
    """

    environment: tuple[tuple[str, str], ...] = ()
    image_type: str = ""
    concurrency: int | None = None
    drain_s: int | None = None


def read_annotation(annotations: Mapping[str, str]) -> JsonObject:
    """
    Read the ProxyConfig that a pod brings along; empty without one.

    Raises:
        ValueError: it is not YAML, or not what it should be.
    """
    try:
        config = yaml.safe_load(annotations.get(ANNOTATION) or "") or {}
        proxy_fields.inclusions(config)
        proxy_fields.environment(config)
        proxy_fields.concurrency(config)
        proxy_fields.drain_s(config)
        proxy_fields.topology(config)
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"annotation {ANNOTATION} cannot be read: {error}") from error
    return dict(config)


def settings_for(
    pod: JsonObject, configs: Iterable[parsing.Parsed], settings: settings_.MeshSettings
) -> ProxySettings:
    """
    Put the settings of one pod together; `configs` come in merge order. An annotation that cannot be read counts as
    none: to refuse it is up to injection.
    """
    metadata = pod["metadata"]
    labels, namespace = metadata.get("labels") or {}, metadata.get("namespace", "default")
    found = [(parsed, parsed.spec) for parsed in configs]
    specs = [(p.metadata.namespace, s) for p, s in found if isinstance(s, proxy_configs.ProxyConfig)]
    root = [s for where, s in specs if where == settings.root_namespace and s.selector is None]
    own = [s for where, s in specs if where == namespace != settings.root_namespace and s.selector is None]
    chosen = [
        s
        for where, s in specs
        if where == namespace and s.selector is not None and s.selector.match_labels.items() <= labels.items()
    ]
    annotated: JsonObject = {}
    with contextlib.suppress(ValueError):
        annotated = read_annotation(metadata.get("annotations") or {})
    environment = dict(settings.environment)
    for spec in (*reversed(root), *reversed(own)):
        environment |= spec.environment_variables
    environment |= dict(proxy_fields.environment(annotated))
    for spec in reversed(chosen):
        environment |= spec.environment_variables
    images = [
        s.image.image_type for s in (*chosen, *own, *root) if s.image is not None and s.image.image_type
    ]
    image_type = next(iter(images), "")
    threads = (
        *(spec.concurrency for spec in chosen),
        proxy_fields.concurrency(annotated),
        *(spec.concurrency for spec in (*own, *root)),
        settings.concurrency,
    )
    return ProxySettings(
        environment=tuple(sorted(environment.items())),
        image_type="" if image_type == "default" else image_type,
        concurrency=next((number for number in threads if number is not None), None),
        drain_s=proxy_fields.drain_s(annotated) or settings.drain_s,
    )
