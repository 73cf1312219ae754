from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.istioctl import dumps, secrets
from bookmesh.mesh.identity import authority


def test_certificates_show_serial_times_and_validity(tmp_path: Path) -> None:
    issued = authority.CertificateAuthority.open(tmp_path).issue(namespace="default", service_account="a")
    chain = base64.b64encode(issued.chain).decode()
    item = {"name": "default", "secret": {"tls_certificate": {"certificate_chain": {"inline_bytes": chain}}}}
    dump = dumps.parse(
        {
            "configs": [
                small_dumps.named(
                    "SecretsConfigDump", dynamic_active_secrets=[item, {"name": "kubernetes://x"}]
                )
            ]
        }
    )
    now = datetime.now(UTC)
    first, second = secrets.rows(dump, now=now)
    assert tuple(first)[:4] == ("default", "Cert Chain", "ACTIVE", "true")
    assert str(first[5]).startswith(f"{now + timedelta(hours=24):%Y-%m-%dT}")
    assert tuple(second) == ("kubernetes://x", "CA", "ACTIVE", "false", "", "", "")
    late = next(iter(secrets.rows(dump, now=now + timedelta(days=30))))
    assert late[3] == "false"
