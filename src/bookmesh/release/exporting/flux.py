"""
Flux: a HelmRelease for each release, with `dependsOn` and, in it, `readyExpr`.

Versions of contracts are annotations of the HelmRelease, as numbers that CEL can compare: 1.2.3 is 1002003. There are
two of each, the lowest and the highest that get traffic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

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
    """`source` is the name of the GitRepository that has the charts."""
    return write(COMMENT, *(_release(one, source) for one in releases))


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


def _release(one: Described, source: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": one.release.name, "namespace": one.release.namespace}
    if one.serves:
        metadata["annotations"] = {
            f"{_PREFIX}/{contract}-{end}": str(number(version))
            for contract, versions in one.serves.items()
            for end, version in (("lowest", versions[0]), ("highest", versions[-1]))
        }
    chart = {
        "spec": {"chart": one.chart, "sourceRef": {"kind": "GitRepository", "name": source}},
    }
    spec: dict[str, Any] = {"interval": "5m", "chart": chart}
    if one.needs:
        spec["dependsOn"] = [
            {
                "name": need.name,
                "namespace": need.namespace,
                "readyExpr": ready_expression([each for each in one.requires if each.release == need]),
            }
            for need in one.needs
        ]
    if one.values:
        spec["values"] = dict(one.values)
    kind = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease"}
    return {**kind, "metadata": metadata, "spec": spec}
