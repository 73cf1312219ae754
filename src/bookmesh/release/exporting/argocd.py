"""Argo CD: an ApplicationSet that makes an Application for each release, and syncs them wave by wave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import yaml

from bookmesh.release.exporting.description import Described, write

COMMENT: Final = """
An ApplicationSet for Argo CD, with progressive syncs: the Applications of a wave are synced when those of the
wave before are healthy, and removed in reverse. Progressive syncs have to be enabled in the ApplicationSet controller.
What it cannot say: that a contract is served. Healthy is what it is with whatever version is there, also before a
sync has begun; routes are not looked at; and Applications that are synced by hand, or rolled back, wait for nobody.
"""
_WAVE: Final = "bookmesh.dev/wave"


def export(releases: Sequence[Described], *, source: str) -> str:
    """`source` is the URL of the repository that has the charts."""
    steps = [
        {"matchExpressions": [{"key": _WAVE, "operator": "In", "values": [str(wave)]}]}
        for wave in sorted({one.wave for one in releases})
    ]
    spec = {
        "goTemplate": True,
        "goTemplateOptions": ["missingkey=error"],
        "generators": [{"list": {"elements": [_element(one) for one in releases]}}],
        "strategy": {"type": "RollingSync", "deletionOrder": "Reverse", "rollingSync": {"steps": steps}},
        "template": _template(source),
    }
    kind = {"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet"}
    return write(COMMENT, {**kind, "metadata": {"name": "releases", "namespace": "argocd"}, "spec": spec})


def _element(one: Described) -> dict[str, Any]:
    return {
        "name": one.release.name,
        "namespace": one.release.namespace,
        "chart": one.chart,
        "wave": str(one.wave),
        "values": yaml.safe_dump(dict(one.values), sort_keys=False) if one.values else "",
    }


def _template(source: str) -> dict[str, Any]:
    helm = {"releaseName": "{{ .name }}", "values": "{{ .values }}"}
    return {
        "metadata": {"name": "{{ .namespace }}-{{ .name }}", "labels": {_WAVE: "{{ .wave }}"}},
        "spec": {
            "project": "default",
            "source": {"repoURL": source, "targetRevision": "HEAD", "path": "{{ .chart }}", "helm": helm},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "{{ .namespace }}"},
            "syncPolicy": {"syncOptions": ["CreateNamespace=true"]},
        },
    }
