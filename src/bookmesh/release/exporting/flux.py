"""
Flux: a HelmRelease for each release, with `dependsOn` and, in it, `readyExpr`.

Versions of contracts are annotations of the HelmRelease, as numbers that CEL can compare: 1.2.3 is 1002003. There are
two of each, the lowest and the highest that get traffic.

Values with a null in them, by which Helm takes a default away, are in a ConfigMap: who updates an object drops nulls in
it. Its name has a digest of the values, so that another value is another generation of the HelmRelease, as without it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from bookmesh.release.contracts import Requirement
from bookmesh.release.exporting.description import Described, write
from bookmesh.release.ranges import Condition, Version

COMMENT: Final = """
HelmReleases for Flux: each waits until those that it depends on are ready as they are declared now, and declare a
version of the contract that it can live with.
What it cannot say: what pods serve. Flux sees the objects below: not the routes of the cluster, and not a chart that
has changed while its HelmRelease has not. Versions from different alternatives of a range are not taken together.
"""
_PREFIX: Final = "contract.bookmesh.dev"
_STEP: Final = 1000


def export(releases: Sequence[Described], *, source: str) -> str:
    """`source` is the GitRepository that has the charts: its name, or its namespace, a slash and its name."""
    return write(COMMENT, *(document for one in releases for document in _documents(one, source)))


def number(version: Version) -> int:
    """A version as one number that has the same order, as long as its parts are below 1000."""
    major, minor, patch = version
    return (major * _STEP + minor) * _STEP + patch


def ready_expression(needs: Sequence[Requirement]) -> str:
    """The CEL expression that holds when a HelmRelease `dep` is ready, and declares what is needed."""
    parts = [
        "dep.metadata.generation == dep.status.observedGeneration",
        'dep.status.conditions.exists(one, one.type == "Ready" && one.status == "True")',
    ]
    parts += [
        f"({' || '.join(_alternative(need.contract, one) for one in need.versions.alternatives)})"
        for need in needs
    ]
    return " && ".join(parts)


def _alternative(contract: str, conditions: Sequence[Condition]) -> str:
    return " && ".join(part for condition in conditions for part in _comparisons(contract, condition))


def _comparisons(contract: str, condition: Condition) -> Iterator[str]:
    """Both ends of what is served have to be inside."""
    lowest, highest = (
        f'int(dep.metadata.annotations["{_PREFIX}/{contract}-{end}"])' for end in ("lowest", "highest")
    )
    bound = number(condition.version)
    if not condition.sign:
        yield f"{lowest} >= {bound}"
        yield f"{highest} < {bound + _STEP ** (3 - condition.length)}"
    elif condition.sign == "=":
        yield f"{lowest} == {bound}"
        yield f"{highest} == {bound}"
    else:
        yield f"{lowest if '>' in condition.sign else highest} {condition.sign} {bound}"


def _documents(one: Described, source: str) -> Iterator[dict[str, Any]]:
    """A HelmRelease, behind a ConfigMap with its values where it needs one."""
    if not _has_null(one.values):
        yield _release(one, source, {"values": dict(one.values)} if one.values else {})
        return
    text = yaml.safe_dump(dict(one.values), sort_keys=False)
    name = f"{one.release.name}-values-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
    yield {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": one.release.namespace},
        "data": {"values.yaml": text},
    }
    yield _release(one, source, {"valuesFrom": [{"kind": "ConfigMap", "name": name}]})


def _has_null(values: object) -> bool:
    if isinstance(values, Mapping):
        return any(_has_null(one) for one in values.values())
    if isinstance(values, list | tuple):
        return any(_has_null(one) for one in values)
    return values is None


def _release(one: Described, source: str, values: dict[str, Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": one.release.name, "namespace": one.release.namespace}
    if one.serves:
        metadata["annotations"] = {
            f"{_PREFIX}/{contract}-{end}": str(number(version))
            for contract, versions in one.serves.items()
            for end, version in (("lowest", versions[0]), ("highest", versions[-1]))
        }
    spec: dict[str, Any] = {"interval": "5m", "chart": {"spec": _chart(one, source)}}
    if one.needs:
        spec["dependsOn"] = [
            {
                "name": need.name,
                "namespace": need.namespace,
                "readyExpr": ready_expression([each for each in one.requires if each.release == need]),
            }
            for need in one.needs
        ]
    spec |= values
    kind = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease"}
    return {**kind, "metadata": metadata, "spec": spec}


def _chart(one: Described, source: str) -> dict[str, Any]:
    """Without a strategy, only another version number of the chart would be a change."""
    namespace, _, name = source.rpartition("/")
    reference = {"kind": "GitRepository", "name": name} | ({"namespace": namespace} if namespace else {})
    return {"chart": one.chart, "reconcileStrategy": "Revision", "sourceRef": reference}
