from __future__ import annotations

from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.istioctl import dumps


def test_sections_are_found_by_type_and_refused_listeners_left_out() -> None:
    dump = small_dumps.dump()
    assert [one["name"] for one in dump.listeners()] == ["0.0.0.0_9080", "10.96.0.9_5432"]
    assert len(dump.clusters()) == 4
    assert dump.secrets() == {}
    assert list(dump.secret_items()) == []


def test_fields_become_camel_case_and_peoples_keys_stay() -> None:
    before = {
        "filter_metadata": {"istio": {"default_original_port": 1}},
        "typed_per_filter_config": {"envoy.filters.my_fault": {"max_active": 1}},
        "metadata": {"ISTIO_META": {"my_label": "x"}},
        "virtual_hosts": [{"domain_name": 1}],
        "json_format": {"start_time": "%START_TIME%"},
        "static_layer": {"re2.max_program_size": 1},
        "policies": {"ns[a]-policy[my_policy]": {"any_of": 1}},
    }
    after = dumps.camel_case(before)
    assert after == {
        "filterMetadata": {"istio": {"default_original_port": 1}},
        "typedPerFilterConfig": {"envoy.filters.my_fault": {"maxActive": 1}},
        "metadata": {"ISTIO_META": {"my_label": "x"}},
        "virtualHosts": [{"domainName": 1}],
        "jsonFormat": {"start_time": "%START_TIME%"},
        "staticLayer": {"re2.max_program_size": 1},
        "policies": {"ns[a]-policy[my_policy]": {"anyOf": 1}},
    }


def test_the_origin_of_a_route_is_name_and_namespace() -> None:
    assert dumps.origin(small_dumps.route("/", "x")) == "reviews.default"
    assert dumps.origin(small_dumps.route("/", "x", config="/apis/other/v1")) == "<unknown>"
    assert dumps.origin({}) == ""


def test_cluster_names_are_taken_apart() -> None:
    assert dumps.subset_key("outbound|80|v1|a.b") == ("outbound", "80", "v1", "a.b")
    assert dumps.subset_key("PassthroughCluster") == ("", "", "", "PassthroughCluster")
