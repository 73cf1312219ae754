"""
The mesh's certificate authority: its root lives in a directory, so that restarts do not change who is trusted.

`ca-key.pem` is readable by its owner only and is made so before anything is written to it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bookmesh.mesh.identity import certificates, spiffe
from bookmesh.mesh.identity.certificates import KeyPair, WorkloadCertificate

Clock = Callable[[], datetime]
_KEY_FILE: Final = "ca-key.pem"
_CERTIFICATE_FILE: Final = "ca-cert.pem"


def current_time() -> datetime:
    return datetime.now(UTC)


class CertificateAuthority:
    """Issues workload certificates for one trust domain."""

    def __init__(
        self, root: KeyPair, *, trust_domain: str = spiffe.TRUST_DOMAIN, clock: Clock = current_time
    ) -> None:
        self.trust_domain = trust_domain
        self.root_pem = root.certificate_pem()
        self._root = root
        self._clock = clock

    @classmethod
    def open(
        cls, directory: Path, *, trust_domain: str = spiffe.TRUST_DOMAIN, clock: Clock = current_time
    ) -> CertificateAuthority:
        """
        Load the root kept in `directory`, or make a new one there; the directory is made if missing.

        Raises:
            ValueError: what is kept there is damaged, or its validity has ended.
            OSError: the directory cannot be read or written.
        """
        key_file, certificate_file = directory / _KEY_FILE, directory / _CERTIFICATE_FILE
        now = clock()
        if certificate_file.exists():
            try:
                root = certificates.load_key_pair(certificate_file.read_bytes(), key_file.read_bytes())
            except (ValueError, FileNotFoundError) as error:
                raise ValueError(f"the certificate authority in {directory} is damaged: {error}") from error
            if root.certificate.not_valid_after_utc <= now:
                raise ValueError(f"the certificate authority in {directory} is no longer valid: remove it")
        else:
            root = certificates.build_root(trust_domain, now=now)
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The certificate comes last: it says that the key is complete.
            _write(key_file, root.key_pem(), mode=0o600)
            _write(certificate_file, root.certificate_pem(), mode=0o644)
        return cls(root, trust_domain=trust_domain, clock=clock)

    def issue(self, *, namespace: str, service_account: str) -> WorkloadCertificate:
        """Issue a certificate, valid for 24 hours, to the pods that run as a service account."""
        identity = spiffe.workload_id(
            namespace=namespace, service_account=service_account, trust_domain=self.trust_domain
        )
        return certificates.build_leaf(self._root, identity, now=self._clock())


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that is whole or not there, and never readable by more than `mode` allows."""
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
