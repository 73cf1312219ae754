"""BM0213: a Gateway with cipher suites or curves that no proxy has."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base.findings import Finding
from bookmesh.mesh.model import ciphers
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    for parsed, gateway in snapshots.gateways_in(snapshot.configs).values():
        for index, server in enumerate(gateway.servers):
            if server.tls is None:
                continue
            for field, given, usable, known in (
                ("cipherSuites", server.tls.cipher_suites, ciphers.usable_suites, ciphers.SUITES),
                ("ecdhCurves", server.tls.ecdh_curves, ciphers.usable_curves, ciphers.CURVES),
            ):
                odd = [name for name in given if name not in usable(given)]
                if odd:
                    yield Finding(
                        code="BM0213",
                        message=f"{parsed.ref} asks for {', '.join(odd)}, which no proxy has; the others are in force",
                        subject=parsed.ref,
                        where=f"spec.servers[{index}].tls.{field}",
                        known=", ".join(known),
                        severity="warning",
                    )
