from __future__ import annotations

import pytest

from bookinfo.service import documents


@pytest.mark.parametrize("service", ["productpage", "details", "reviews", "ratings"])
def test_a_document_has_its_own_paths_and_those_of_all_services(service: str) -> None:
    document = documents.document_for(f"bookinfo.{service}")
    assert document is not None
    assert {"/health", "/livez", "/readyz", "/metrics", "/openapi.json"} < document["paths"].keys()
    assert "Error" in document["components"]["schemas"]


def test_every_reference_leads_somewhere() -> None:
    def references(value: object) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*(references(member) for member in value.values()))
        return set().union(*(references(member) for member in value)) if isinstance(value, list) else set()

    for service in ("productpage", "details", "reviews", "ratings"):
        document = documents.document_for(f"bookinfo.{service}")
        assert document is not None
        for reference in references(document):
            _, components, kind, name = reference.split("/")
            assert name in document[components][kind]


def test_a_package_without_a_document_has_none() -> None:
    assert documents.document_for("bookinfo.no_such_service") is None
    assert documents.document_for("json") is None
