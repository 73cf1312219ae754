"""
CertificateSigningRequests: who asks is written down, and an approved request is signed.

On a real cluster a controller signs a moment later; here the approval itself does, so a client never meets a request
that is approved and has no certificate yet. Requests for signers that nobody here plays stay without one.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Final, Protocol

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import authentication, metadata
from bookmesh.kube.api.strategies import base

CLIENT: Final = "kubernetes.io/kube-apiserver-client"
_MASTERS: Final = "system:masters"


class SigningError(Exception):
    """A request that its signer does not sign, such as one with usages that the signer does not give."""


class Signer(Protocol):
    """A port: who has the key of the cluster's authority."""

    def groups_in(self, request: bytes) -> Sequence[str]:
        """The organizations that a PEM request names; raises `SigningError` for what is no request."""
        ...

    def sign(
        self, request: bytes, *, signer_name: str, usages: Sequence[str], lifetime_s: int | None
    ) -> bytes | None:
        """Return a PEM certificate, None for a signer that is somebody else's; raises `SigningError`."""
        ...


class CertificateStrategy(base.Strategy):
    """Signs when a request is approved; without a signer nothing is ever signed."""

    def __init__(self, signer: Signer | None, clock: metadata.Clock) -> None:
        self._signer, self._clock = signer, clock

    def record_user(self, obj: JsonObject, user: authentication.User) -> None:
        spec = obj.get("spec") or {}
        spec["username"], spec["groups"] = user.name, list(user.groups)
        for key in ("uid", "extra"):
            spec.pop(key, None)

    def prepare_create(self, obj: JsonObject) -> None:
        obj["status"] = {}
        spec = obj["spec"]
        if self._signer is None or spec.get("signerName") != CLIENT:
            return
        name = obj["metadata"].get("name", "")
        try:
            is_master = _MASTERS in self._signer.groups_in(_request(spec))
        except (SigningError, ValueError):
            return  # the object's own check says what is wrong
        if is_master:
            why = f"use of {CLIENT} signer with {_MASTERS} group is not allowed"
            message = f'certificatesigningrequests.certificates.k8s.io "{name}" is forbidden: {why}'
            details = {"name": name, "group": "certificates.k8s.io", "kind": "certificatesigningrequests"}
            raise ApiError(403, "Forbidden", message, details=details)

    def prepare_part(self, obj: JsonObject, part: str) -> None:
        """Sign when the approval makes it possible."""
        status = obj.get("status") or {}
        kinds = {entry["type"] for entry in status.get("conditions") or []}
        now = metadata.timestamp(self._clock())
        for entry in status.get("conditions") or []:
            entry.setdefault("lastUpdateTime", now)
            entry.setdefault("lastTransitionTime", now)
        is_due = "Approved" in kinds and not kinds & {"Denied", "Failed"} and not status.get("certificate")
        if part != "approval" or not is_due or self._signer is None:
            return
        spec = obj["spec"]
        try:
            made = self._signer.sign(
                _request(spec),
                signer_name=spec["signerName"],
                usages=spec.get("usages") or (),
                lifetime_s=spec.get("expirationSeconds"),
            )
        except SigningError as error:
            failed = {"type": "Failed", "status": "True", "reason": "SignerValidationFailure"}
            times = {"message": str(error), "lastUpdateTime": now, "lastTransitionTime": now}
            status["conditions"].append({**failed, **times})
            return
        if made is not None:
            status["certificate"] = base64.b64encode(made).decode()


def _request(spec: JsonObject) -> bytes:
    return base64.b64decode(spec.get("request") or "")
