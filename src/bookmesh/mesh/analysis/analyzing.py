"""Runs all analyzers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bookmesh.base.findings import Finding
from bookmesh.mesh.analysis import (
    conflicting_hosts,
    conflicting_mtls,
    idle_gateways,
    idle_listener_tls,
    idle_peer_authentications,
    missing_credentials,
    missing_delegates,
    missing_gateways,
    missing_hosts,
    missing_subsets,
    parsing_findings,
    unserved_protocols,
    unusable_patches,
)
from bookmesh.mesh.snapshot import snapshot as snapshots

ANALYZERS: Final = (
    parsing_findings.check,
    missing_hosts.check,
    missing_subsets.check,
    missing_gateways.check,
    missing_delegates.check,
    conflicting_hosts.check,
    idle_gateways.check,
    idle_listener_tls.check,
    idle_peer_authentications.check,
    conflicting_mtls.check,
    missing_credentials.check,
    unserved_protocols.check,
    unusable_patches.check,
)


def analyze(snapshot: snapshots.MeshSnapshot) -> list[Finding]:
    """Say all that is wrong, by object in merge order; empty when all is well."""
    return in_order((finding for check in ANALYZERS for finding in check(snapshot)), snapshot)


def in_order(findings: Iterable[Finding], snapshot: snapshots.MeshSnapshot) -> list[Finding]:
    """
    Put what the analyzers found in merge order, each thing once.

    Of what the mesh made itself, from an Ingress say, only the findings it was made with are told: they name fields
    that a person can mend.
    """
    derived = {ref for parsed in snapshot.configs if parsed.is_derived for ref in parsed.refs}
    told = {finding for parsed in snapshot.configs for finding in parsed.findings} | set(snapshot.findings)
    found = [each for each in dict.fromkeys(findings) if each.subject not in derived or each in told]
    position = {parsed.ref: index for index, parsed in enumerate(snapshot.configs)}
    return sorted(found, key=lambda finding: position.get(finding.subject, -1) if finding.subject else -1)
