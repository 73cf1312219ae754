"""Legacy lists of resources as parts of an aggregated document."""

from __future__ import annotations

from tests.unit.kube.api.aggregation.test_registrations import registration

from bookmesh.kube.api.aggregation import discovering


def test_a_legacy_list_becomes_resources_with_their_parts() -> None:
    dogs = {"name": "dogs", "singularName": "dog", "namespaced": True, "kind": "Dog", "verbs": ["get"]}
    scale = {"name": "dogs/scale", "group": "autoscaling", "version": "v1", "kind": "Scale", "verbs": ["get"]}
    reviews = {"name": "bites/review", "namespaced": False, "kind": "Bite", "verbs": ["create"]}
    found = discovering.from_legacy(
        {"resources": [{**dogs, "shortNames": ["dg"], "categories": ["pets"]}, scale, reviews]},
        registration(),
    )
    assert found == [
        {
            "resource": "dogs",
            "responseKind": {"group": "pets.example.com", "version": "v1", "kind": "Dog"},
            "scope": "Namespaced",
            "singularResource": "dog",
            "verbs": ["get"],
            "shortNames": ["dg"],
            "categories": ["pets"],
            "subresources": [
                {
                    "subresource": "scale",
                    "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
                    "verbs": ["get"],
                }
            ],
        },
        {
            "resource": "bites",
            "scope": "Cluster",
            "verbs": [],
            "subresources": [
                {
                    "subresource": "review",
                    "responseKind": {"group": "pets.example.com", "version": "v1", "kind": "Bite"},
                    "verbs": ["create"],
                }
            ],
        },
    ]
