from __future__ import annotations

import ssl
from pathlib import Path

from bookmesh.lab import credentials, keys


def test_a_private_file_is_its_owners_alone(tmp_path: Path) -> None:
    target = tmp_path / "key"
    keys.write_private(target, b"old")
    keys.write_private(target, b"new")
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_the_server_asks_for_certificates_and_the_client_trusts_this_lab_alone(tmp_path: Path) -> None:
    made = credentials.ensure(tmp_path / "pki", addresses=("127.0.0.1",))
    assert made.server_context().verify_mode == ssl.CERT_OPTIONAL
    trusted = made.client_context().get_ca_certs(binary_form=True)
    assert len(trusted) == 1
