"""What is filled in, kind by kind. Expectations are what `kubectl get -o yaml` shows on a real cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bookmesh.base.kubernetes import copy_json
from bookmesh.kube.schema import defaulting, kinds, schemas, validation
from bookmesh.kube.schema.defaults import pods

Filled = Callable[[str, dict[str, Any]], dict[str, Any]]


@pytest.fixture
def filled(loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind]) -> Filled:
    """Fill an object; fill it again to see that nothing changes; check that the outcome is valid."""

    def fill(name: str, obj: dict[str, Any]) -> dict[str, Any]:
        obj.setdefault("metadata", {"name": "x"})
        defaulting.apply_defaults(loaded, kind_of(name), obj)
        again = copy_json(obj)
        defaulting.apply_defaults(loaded, kind_of(name), again)
        assert again == obj
        assert validation.check(loaded, kind_of(name), obj) == []
        return obj

    return fill


def test_a_deployment_is_filled(filled: Filled, deployment: dict[str, Any]) -> None:
    spec = filled("Deployment", deployment)["spec"]
    pod_spec = spec["template"].pop("spec")
    assert spec == {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}},
    }
    assert pod_spec == {
        "containers": [
            {
                "name": "app",
                "image": "web:1",
                "imagePullPolicy": "IfNotPresent",
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            }
        ],
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    }


def test_what_a_client_says_stays(filled: Filled, deployment: dict[str, Any]) -> None:
    deployment["spec"] |= {"replicas": 0, "strategy": {"type": "Recreate"}, "revisionHistoryLimit": 0}
    spec = filled("Deployment", deployment)["spec"]
    assert (spec["replicas"], spec["strategy"], spec["revisionHistoryLimit"]) == (0, {"type": "Recreate"}, 0)


def test_a_half_given_rolling_update_is_completed(filled: Filled, deployment: dict[str, Any]) -> None:
    deployment["spec"]["strategy"] = {"rollingUpdate": {"maxSurge": 1}}
    assert filled("Deployment", deployment)["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": "25%"},
    }


def test_a_replica_set_has_one_replica(filled: Filled, deployment: dict[str, Any]) -> None:
    deployment["kind"] = "ReplicaSet"
    assert filled("ReplicaSet", deployment)["spec"]["replicas"] == 1


def test_a_pod_is_filled_beyond_its_template(filled: Filled, pod: dict[str, Any]) -> None:
    pod["spec"]["containers"][0]["resources"] = {
        "limits": {"cpu": "1", "memory": "1Gi"},
        "requests": {"cpu": "500m"},
    }
    spec = filled("Pod", pod)["spec"]
    assert spec["enableServiceLinks"] is True
    assert spec["containers"][0]["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
    assert pod["status"] == {"phase": "Pending"}


def test_init_containers_are_containers(filled: Filled, pod: dict[str, Any]) -> None:
    pod["spec"]["initContainers"] = [
        {"name": "i", "image": "x", "restartPolicy": "Always", "startupProbe": {"tcpSocket": {"port": 1}}}
    ]
    container = filled("Pod", pod)["spec"]["initContainers"][0]
    assert container["imagePullPolicy"] == "Always"
    assert container["startupProbe"]["periodSeconds"] == 10


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.2", "IfNotPresent"),
        ("registry:5000/nginx", "Always"),
        ("registry:5000/nginx:1", "IfNotPresent"),
        ("nginx@sha256:abc", "IfNotPresent"),
        ("nginx:latest@sha256:abc", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    assert pods.pull_policy_for(image) == policy


def test_probes_ports_and_references_are_completed(filled: Filled, pod: dict[str, Any]) -> None:
    pod["spec"]["containers"][0] |= {
        "ports": [{"containerPort": 80}],
        "readinessProbe": {"httpGet": {"port": 80}, "timeoutSeconds": 0, "failureThreshold": 5},
        "livenessProbe": {"grpc": {"port": 80}},
        "lifecycle": {"preStop": {"httpGet": {"port": 1}}},
        "env": [
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "B", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        ],
    }
    container = filled("Pod", pod)["spec"]["containers"][0]
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert container["readinessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 5,
    }
    assert container["livenessProbe"]["grpc"] == {"port": 80, "service": ""}
    assert container["lifecycle"]["preStop"]["httpGet"] == {"port": 1, "path": "/", "scheme": "HTTP"}
    assert container["env"][0]["valueFrom"]["fieldRef"]["apiVersion"] == "v1"
    assert container["env"][1]["valueFrom"]["resourceFieldRef"]["divisor"] == "0"


def test_volumes_are_completed(filled: Filled, pod: dict[str, Any]) -> None:
    field = {"path": "n", "fieldRef": {"fieldPath": "metadata.name"}}
    pod["spec"]["volumes"] = [
        {"name": "a"},
        {"name": "b", "configMap": {"name": "c"}},
        {"name": "c", "secret": {"secretName": "s", "defaultMode": 256}},
        {"name": "d", "downwardAPI": {"items": [copy_json(field)]}},
        {
            "name": "e",
            "projected": {
                "sources": [
                    {"serviceAccountToken": {"path": "token"}},
                    {"downwardAPI": {"items": [copy_json(field)]}},
                ]
            },
        },
        {"name": "f", "hostPath": {"path": "/x"}},
    ]
    done = {"path": "n", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}
    assert filled("Pod", pod)["spec"]["volumes"] == [
        {"name": "a", "emptyDir": {}},
        {"name": "b", "configMap": {"name": "c", "defaultMode": 420}},
        {"name": "c", "secret": {"secretName": "s", "defaultMode": 256}},
        {"name": "d", "downwardAPI": {"items": [done], "defaultMode": 420}},
        {
            "name": "e",
            "projected": {
                "sources": [
                    {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
                    {"downwardAPI": {"items": [done]}},
                ],
                "defaultMode": 420,
            },
        },
        {"name": "f", "hostPath": {"path": "/x", "type": ""}},
    ]


def test_a_service_account_has_its_old_name_too(filled: Filled, pod: dict[str, Any]) -> None:
    pod["spec"] |= {"serviceAccountName": "robot", "serviceAccount": "old"}
    spec = filled("Pod", pod)["spec"]
    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("robot", "robot")


def test_a_service_is_filled(filled: Filled) -> None:
    service = filled(
        "Service", {"spec": {"ports": [{"port": 80}, {"port": 81, "name": "b", "targetPort": "http"}]}}
    )
    assert service["spec"] == {
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [
            {"port": 80, "targetPort": 80, "protocol": "TCP"},
            {"port": 81, "name": "b", "targetPort": "http", "protocol": "TCP"},
        ],
    }
    assert service["status"] == {"loadBalancer": {}}


def test_services_that_are_reached_from_outside_have_a_policy_for_it(filled: Filled) -> None:
    spec = filled("Service", {"spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}})["spec"]
    assert (spec["externalTrafficPolicy"], spec["allocateLoadBalancerNodePorts"]) == ("Cluster", True)
    assert filled("Service", {"spec": {"type": "NodePort"}})["spec"]["externalTrafficPolicy"] == "Cluster"
    external = filled("Service", {"spec": {"type": "ExternalName", "externalName": "a.b"}})["spec"]
    assert "ipFamilies" not in external
    assert "internalTrafficPolicy" not in external


def test_client_affinity_has_a_timeout_and_none_has_not(filled: Filled) -> None:
    affine = filled("Service", {"spec": {"sessionAffinity": "ClientIP"}})["spec"]
    assert affine["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}
    stale = {
        "spec": {"sessionAffinity": "None", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 5}}}
    }
    assert "sessionAffinityConfig" not in filled("Service", stale)["spec"]


def test_the_small_kinds_are_filled(filled: Filled) -> None:
    assert filled("Secret", {})["type"] == "Opaque"
    namespace = filled("Namespace", {"metadata": {"name": "shop"}})
    assert namespace["metadata"]["labels"] == {"kubernetes.io/metadata.name": "shop"}
    assert namespace["status"] == {"phase": "Active"}
    endpoint_slice = {"addressType": "IPv4", "endpoints": [], "ports": [{"port": 80}]}
    assert filled("EndpointSlice", endpoint_slice)["ports"] == [{"port": 80, "name": "", "protocol": "TCP"}]


def test_ingresses_and_their_classes(filled: Filled) -> None:
    assert filled("Ingress", {"spec": {}})["status"] == {"loadBalancer": {}}
    spec = {"controller": "a.b/c", "parameters": {"kind": "P", "name": "p"}}
    assert filled("IngressClass", {"spec": spec})["spec"]["parameters"]["scope"] == "Cluster"
    endpoints = filled("Endpoints", {"subsets": [{"ports": [{"port": 80}]}]})
    assert endpoints["subsets"][0]["ports"] == [{"port": 80, "protocol": "TCP"}]
    assert filled("ConfigMap", {"data": {}}) == {"metadata": {"name": "x"}, "data": {}}


def test_a_definition_names_what_follows_from_its_kind(filled: Filled, widget_crd: dict[str, Any]) -> None:
    spec = filled("CustomResourceDefinition", widget_crd)["spec"]
    assert (spec["names"]["singular"], spec["names"]["listKind"]) == ("widget", "WidgetList")
    assert spec["conversion"] == {"strategy": "None"}


def test_an_object_without_spec_is_left_to_validation(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind]
) -> None:
    for name in ("Deployment", "Pod", "CustomResourceDefinition"):
        obj: dict[str, Any] = {"metadata": {"name": "x"}}
        defaulting.apply_defaults(loaded, kind_of(name), obj)
        assert obj == {"metadata": {"name": "x"}}


def test_a_token_request_lasts_an_hour(loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind]) -> None:
    part = kinds.subresource(kind_of("ServiceAccount"), "token")
    assert part is not None
    request: dict[str, Any] = {"spec": {"audiences": []}}
    defaulting.apply_defaults(loaded, kinds.body_kind(part), request)
    assert request["spec"]["expirationSeconds"] == 3600


def test_custom_objects_take_defaults_from_their_schema_at_every_level(
    widgets: tuple[schemas.Schemas, kinds.Kind], widget: Callable[..., dict[str, Any]]
) -> None:
    obj = widget(rules=[{"name": "a"}, {"name": "b", "retry": {"attempts": 5}}])
    defaulting.apply_defaults(*widgets, obj)
    assert obj["spec"] == {
        "hosts": ["a"],
        "mode": "A",
        "rules": [{"name": "a", "retry": {"attempts": 2}}, {"name": "b", "retry": {"attempts": 5}}],
    }


def test_a_default_replaces_a_null_that_is_not_allowed_and_is_never_shared(
    widgets: tuple[schemas.Schemas, kinds.Kind], widget: Callable[..., dict[str, Any]]
) -> None:
    first, second = widget(mode=None, rules=[{"name": "a"}]), widget(rules=[{"name": "a"}])
    defaulting.apply_defaults(*widgets, first)
    assert first["spec"]["mode"] == "A"
    first["spec"]["rules"][0]["retry"]["attempts"] = 9
    defaulting.apply_defaults(*widgets, second)
    assert second["spec"]["rules"][0]["retry"]["attempts"] == 2


def workload(kind: str, deployment: dict[str, Any], **spec: Any) -> dict[str, Any]:
    deployment["kind"] = kind
    deployment["spec"] |= spec
    return deployment


def test_a_job_runs_one_pod_to_its_end(filled: Filled, deployment: dict[str, Any]) -> None:
    del deployment["spec"]["selector"]
    spec = filled("Job", {**workload("Job", deployment), "apiVersion": "batch/v1"})["spec"]
    spec.pop("template")
    assert spec == {
        "parallelism": 1,
        "completions": 1,
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "suspend": False,
        "podReplacementPolicy": "TerminatingOrFailed",
    }


def test_a_job_with_parallelism_alone_is_a_work_queue(filled: Filled, deployment: dict[str, Any]) -> None:
    job = {**workload("Job", deployment, parallelism=2), "apiVersion": "batch/v1"}
    assert "completions" not in filled("Job", job)["spec"]


def test_bindings_know_their_groups(filled: Filled) -> None:
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "roleRef": {"kind": "Role", "name": "reader", "apiGroup": ""},
        "subjects": [
            {"kind": "User", "name": "ann"},
            {"kind": "ServiceAccount", "name": "robot", "namespace": "default"},
        ],
    }
    found = filled("RoleBinding", binding)
    assert found["roleRef"]["apiGroup"] == "rbac.authorization.k8s.io"
    assert [subject.get("apiGroup") for subject in found["subjects"]] == ["rbac.authorization.k8s.io", None]


def test_a_stateful_set_starts_in_order_and_rolls(filled: Filled, deployment: dict[str, Any]) -> None:
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    spec = filled("StatefulSet", workload("StatefulSet", deployment, volumeClaimTemplates=[claim]))["spec"]
    assert (spec["replicas"], spec["podManagementPolicy"]) == (1, "OrderedReady")
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    (claim,) = spec["volumeClaimTemplates"]
    assert (claim["kind"], claim["spec"]["volumeMode"]) == ("PersistentVolumeClaim", "Filesystem")


def test_a_daemon_set_replaces_one_pod_at_a_time(filled: Filled, deployment: dict[str, Any]) -> None:
    spec = filled("DaemonSet", workload("DaemonSet", deployment))["spec"]
    assert spec["updateStrategy"]["rollingUpdate"] == {"maxUnavailable": 1, "maxSurge": 0}


def test_a_cron_job_lets_its_jobs_run_beside_each_other(filled: Filled, deployment: dict[str, Any]) -> None:
    template = {"spec": {"template": deployment["spec"]["template"]}}
    cron_job = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "spec": {"schedule": "@daily", "jobTemplate": template},
    }
    spec = filled("CronJob", cron_job)["spec"]
    assert (spec["concurrencyPolicy"], spec["suspend"]) == ("Allow", False)
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (3, 1)


def test_a_network_policy_is_about_what_it_says(filled: Filled) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "spec": {"podSelector": {}, "egress": [{"ports": [{"port": 80}]}]},
    }
    spec = filled("NetworkPolicy", policy)["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["egress"][0]["ports"] == [{"port": 80, "protocol": "TCP"}]


def test_an_autoscaler_goes_by_the_processor(filled: Filled) -> None:
    autoscaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "maxReplicas": 3,
            "behavior": {"scaleDown": {}},
        },
    }
    spec = filled("HorizontalPodAutoscaler", autoscaler)["spec"]
    assert spec["minReplicas"] == 1
    assert spec["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 80}
    assert spec["behavior"]["scaleDown"]["policies"] == [
        {"type": "Percent", "value": 100, "periodSeconds": 15}
    ]
