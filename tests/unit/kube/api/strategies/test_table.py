"""Strategies belong to kinds that are served."""

from __future__ import annotations

from bookmesh.kube.api import metadata
from bookmesh.kube.api.strategies import table
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import store


def test_every_strategy_has_a_kind() -> None:
    served = kinds.Kinds()
    known = {(kind.group, kind.plural) for kind in served.all()}
    built = table.build(store.Store.open(None), served, metadata.utc_now, schemas=schemas.Schemas.load())
    assert built.keys() <= known
