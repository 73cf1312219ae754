"""Rows of `istioctl proxy-config secret`: certificates that a proxy holds, and whether they are valid now."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from cryptography import x509

from bookmesh.cli.istioctl import dumps
from bookmesh.cli.istioctl.dumps import JsonObject

HEADER: Final = ("RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE")


def rows(dump: dumps.Dump, *, now: datetime) -> Iterator[Sequence[object]]:
    """One row for each secret; one that has not arrived has no certificate."""
    for state, item in dump.secret_items():
        secret = item.get("secret", {})
        name = item.get("name") or secret.get("name", "")
        is_chain = "tls_certificate" in secret
        certificate = _first_certificate(secret)
        kind = "Cert Chain" if is_chain else "CA"
        if certificate is None:
            yield name, kind, state, "false", "", "", ""
            continue
        after, before = certificate.not_valid_after_utc, certificate.not_valid_before_utc
        valid = "true" if before <= now <= after else "false"
        yield name, kind, state, valid, f"{certificate.serial_number:x}", _time(after), _time(before)


def _first_certificate(secret: JsonObject) -> x509.Certificate | None:
    """The leaf of a chain, or the first trusted authority; None when there is none to read."""
    chain = secret.get("tls_certificate", {}).get("certificate_chain", {})
    trusted = secret.get("validation_context", {}).get("trusted_ca", {})
    data = chain or trusted
    try:
        pem = (
            base64.b64decode(data["inline_bytes"])
            if "inline_bytes" in data
            else data["inline_string"].encode()
        )
        return x509.load_pem_x509_certificates(pem)[0]
    except (KeyError, ValueError, binascii.Error):
        return None


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
