"""CertificateSigningRequests: what may be asked for, and what may be said about it."""

from __future__ import annotations

import base64
import re
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, names
from bookmesh.kube.schema.causes import Cause

_PEM: Final = re.compile(
    r"\s*-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----\s[A-Za-z0-9+/=\s]+-----END (?:NEW )?CERTIFICATE REQUEST-----\s*"
)
_USAGES: Final = frozenset(
    {"signing", "digital signature", "content commitment", "key encipherment", "key agreement", "any"}
    | {"data encipherment", "cert sign", "crl sign", "encipher only", "decipher only", "server auth"}
    | {"client auth", "code signing", "email protection", "s/mime", "ipsec end system", "ipsec tunnel"}
    | {"ipsec user", "timestamping", "ocsp signing", "microsoft sgc", "netscape sgc"}
)
_SHORTEST_S: Final = 600


def check_request(request: JsonObject, old: JsonObject | None) -> list[Cause]:
    """Check a request and the conditions in its status; once made, what it asks for cannot change."""
    spec = request.get("spec") or {}
    if old is not None and spec != old.get("spec"):
        return [causes.invalid("spec", "object", "field is immutable")]
    found = _check_spec(spec)
    kinds = [entry.get("type") for entry in (request.get("status") or {}).get("conditions") or []]
    if "Approved" in kinds and "Denied" in kinds:
        why = "Approved and Denied conditions are mutually exclusive"
        found.append(causes.invalid("status.conditions", "Denied", why))
    for index, kind in enumerate(kinds):
        if kind in kinds[:index]:
            found.append(causes.duplicate(f"status.conditions[{index}].type", kind))
    return found


def _check_spec(spec: JsonObject) -> list[Cause]:
    found: list[Cause] = []
    text = base64.b64decode(spec.get("request") or "").decode(errors="replace")
    if not _PEM.fullmatch(text):
        found.append(
            causes.invalid("spec.request", spec.get("request"), "PEM block type must be CERTIFICATE REQUEST")
        )
    usages = spec.get("usages") or []
    if not usages:
        found.append(causes.required("spec.usages"))
    for index, usage in enumerate(usages):
        if usage not in _USAGES:
            found.append(causes.not_supported(f"spec.usages[{index}]", usage, sorted(_USAGES)))
    found += _check_signer(spec.get("signerName") or "")
    life_s = spec.get("expirationSeconds")
    if life_s is not None and life_s < _SHORTEST_S:
        why = f"may not specify a duration less than {_SHORTEST_S} seconds (10 minutes)"
        found.append(causes.invalid("spec.expirationSeconds", life_s, why))
    return found


def _check_signer(name: str) -> list[Cause]:
    if not name:
        return [causes.required("spec.signerName")]
    domain, slash, path = name.partition("/")
    if not slash or not path:
        why = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        return [causes.invalid("spec.signerName", name, why)]
    return names.check("spec.signerName", domain, names.dns_subdomain)
