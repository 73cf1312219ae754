"""An operator as people write it with kopf: `kopf run --standalone --namespace NS greetings.py`."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

import kopf
import kubernetes

GROUP, VERSION, PLURAL = "example.com", "v1", "greetings"


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.posting.level = logging.INFO
    settings.persistence.finalizer = "example.com/operator"
    kubernetes.config.load_kube_config()
    kubernetes.client.CoreV1Api()  # imports what it needs now, and not while a handler waits for it


@kopf.on.create(GROUP, VERSION, PLURAL)
def create(spec: kopf.Spec, name: str, namespace: str, patch: kopf.Patch, body: kopf.Body, **_: Any) -> str:
    child: dict[str, Any] = {"metadata": {"name": name}, "data": {"text": spec["text"]}}
    kopf.adopt(child)
    kubernetes.client.CoreV1Api().create_namespaced_config_map(namespace, child)
    patch.status["text"] = spec["text"]
    kopf.info(body, reason="Greeted", message=f"said {spec['text']}")
    return f"made {name}"


@kopf.on.update(GROUP, VERSION, PLURAL, field="spec.text")
def update(old: str, new: str, name: str, namespace: str, patch: kopf.Patch, **_: Any) -> None:
    change = {"data": {"text": new}}
    kubernetes.client.CoreV1Api().patch_namespaced_config_map(name, namespace, change)
    patch.status["text"] = f"{new}, no longer {old}"


@kopf.on.delete(GROUP, VERSION, PLURAL)
def delete(name: str, namespace: str, **_: Any) -> None:
    body = {"metadata": {"name": f"farewell-{name}"}}
    with contextlib.suppress(kubernetes.client.ApiException):  # kopf may ask again while the daemon ends
        kubernetes.client.CoreV1Api().create_namespaced_config_map(namespace, body)


@kopf.on.resume(GROUP, VERSION, PLURAL)
def resume(patch: kopf.Patch, **_: Any) -> None:
    patch.status["resumed"] = True


@kopf.timer(GROUP, VERSION, PLURAL, interval=0.5)
def tick(status: kopf.Status, patch: kopf.Patch, **_: Any) -> None:
    patch.status["ticks"] = status.get("ticks", 0) + 1


@kopf.daemon(GROUP, VERSION, PLURAL, cancellation_polling=0.5)
def watch_over(stopped: kopf.DaemonStopped, name: str, namespace: str, **_: Any) -> None:
    core = kubernetes.client.CoreV1Api()
    body = {"metadata": {"name": f"watched-{name}"}}
    with contextlib.suppress(kubernetes.client.ApiException):  # it is there from before
        core.create_namespaced_config_map(namespace, body)
    stopped.wait()
    core.delete_namespaced_config_map(f"watched-{name}", namespace)
