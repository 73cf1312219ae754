from __future__ import annotations

import pytest
from tests.unit.mesh.control import fake_kubernetes


@pytest.fixture
def client():
    return fake_kubernetes.FakeClient()
