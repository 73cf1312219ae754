"""Service-account tokens: real JWTs (ES256), bound to a pod when there is one, as a real API server issues them."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bookmesh.base.kubernetes import JsonObject

ISSUER = "https://kubernetes.default.svc.cluster.local"
_SHORTEST_S = 600
_LASTING_S = 10 * 365 * 24 * 3600


class TokenIssuer:
    """Signs and checks tokens with the lab's service-account key."""

    def __init__(self, key_file: Path) -> None:
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{key_file} does not hold an elliptic-curve key")
        self._key = key
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._key_id = hashlib.sha256(public).hexdigest()[:16]

    def issue(
        self,
        *,
        namespace: str,
        service_account: str,
        bound: JsonObject | None,
        audiences: Sequence[str],
        expiration_s: int,
    ) -> tuple[str, datetime.datetime]:
        """
        Sign a token for `system:serviceaccount:<namespace>:<service_account>`.

        Args:
            bound: an object (a Pod, Secret or Node) without which it is good no more.
            audiences: who may accept it; empty means the API server.
            expiration_s: wanted life time; at least 600 s are given.

        Returns:
            The JWT and the UTC time at which it ends.
        """
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        expires = now + datetime.timedelta(seconds=max(expiration_s, _SHORTEST_S))
        kept: dict[str, Any] = {"namespace": namespace, "serviceaccount": {"name": service_account}}
        if bound:
            metadata = bound["metadata"]
            kind = bound.get("kind", "Pod").lower()
            kept[kind] = {"name": metadata["name"], "uid": metadata.get("uid", "")}
        claims = {
            "iss": ISSUER,
            "sub": f"system:serviceaccount:{namespace}:{service_account}",
            "aud": list(audiences) or [ISSUER],
            "iat": now,
            "nbf": now,
            "exp": expires,
            "kubernetes.io": kept,
        }
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._key_id}), expires

    def issue_lasting(self, namespace: str, service_account: str, secret: JsonObject) -> str:
        """Sign a token for a Secret, which holds it for as long as it is there: ten years."""
        token, _ = self.issue(
            namespace=namespace,
            service_account=service_account,
            bound={**secret, "kind": "Secret"},
            audiences=(),
            expiration_s=_LASTING_S,
        )
        return token

    def claims_of(self, token: str) -> dict[str, Any] | None:
        """What a bearer token says; None when it is not ours, has ended or is for somebody else."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._key.public_key(), algorithms=["ES256"], audience=ISSUER, issuer=ISSUER
            )
        except jwt.InvalidTokenError:
            return None
        return claims
