from __future__ import annotations

import pytest
import yaml

from bookmesh.cli.istioctl import profiles


@pytest.mark.parametrize(
    ("profile", "gateways"),
    [
        ("default", (True, False)),
        ("demo", (True, True)),
        ("minimal", (False, False)),
        ("empty", (False, False)),
    ],
)
def test_gateways_of_profiles(profile: str, gateways: tuple[bool, bool]) -> None:
    wanted = profiles.build([], [f"profile={profile}"])
    assert (wanted.ingress.is_enabled, wanted.egress.is_enabled) == gateways


def test_files_are_merged_and_set_comes_last() -> None:
    file = """
    kind: IstioOperator
    spec:
      profile: demo
      meshConfig:
        outboundTrafficPolicy: {mode: ALLOW_ANY}
        extensionProviders: [{name: a}]
    """
    wanted = profiles.build([file], ["meshConfig.outboundTrafficPolicy.mode=REGISTRY_ONLY"])
    mesh = yaml.safe_load(wanted.mesh)
    assert wanted.profile == "demo"
    assert mesh["outboundTrafficPolicy"] == {"mode": "REGISTRY_ONLY"}
    assert mesh["extensionProviders"] == [{"name": "a"}]
    assert mesh["accessLogFile"] == "/dev/stdout"


def test_components_switch_gateways() -> None:
    wanted = profiles.build(
        [],
        [
            "components.egressGateways[0].name=istio-egressgateway",
            "components.egressGateways[0].enabled=true",
            "components.ingressGateways[0].enabled=false",
        ],
    )
    assert (wanted.ingress.is_enabled, wanted.egress.is_enabled) == (False, True)


def test_gateways_are_set_up() -> None:
    wanted = profiles.build(
        [],
        [
            "components.ingressGateways[0].label.team=edge",
            "components.ingressGateways[0].k8s.service.type=NodePort",
            "components.ingressGateways[0].k8s.replicaCount=2",
            "components.pilot.k8s.replicaCount=2",
        ],
    )
    assert wanted.ingress == profiles.Gateway(
        is_enabled=True, labels={"team": "edge"}, k8s={"service": {"type": "NodePort"}, "replicaCount": 2}
    )
    assert wanted.egress == profiles.Gateway(is_enabled=False)
    assert wanted.notes == ["components.pilot.k8s changes nothing: the control plane is a part of the lab"]


def test_what_has_no_effect_is_said_or_kept() -> None:
    wanted = profiles.build([], ["hub=x", "values.global.proxy.includeIPRanges=10.0.0.0/8"])
    assert wanted.notes == ["hub changes nothing: a lab pulls no images"]
    assert wanted.values["global"]["proxy"] == {"image": "proxyv2", "includeIPRanges": "10.0.0.0/8"}
    assert profiles.build([], []).values == profiles.VALUES_DEFAULTS


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("profile=ambient", 'profile "ambient" is not supported in a lab; known: default'),
        ("meshConfig.outboundTraficPolicy.mode=X", 'did you mean "outboundTrafficPolicy"'),
        ("meshConfig.whatever=1", "meshConfig has no field whatever"),
        ("values.cni.enabled=true", "values.cni.enabled has no effect in a lab"),
        ("nonsense=1", "unknown field nonsense; known: profile"),
        ("profile", "expected PATH=VALUE"),
        ("components.ztunnel.enabled=true", "component ztunnel is not supported"),
        ("components.egressGateways[0].name=other", "only istio-egressgateway can be installed"),
        (
            "components.egressGateways[0].k8s.replicas=2",
            "k8s.replicas has no effect in a lab; known: affinity",
        ),
        ("components.egressGateways[0].tag=x", "tag has no effect"),
        ("components.egressGateways[3].enabled=true", "there is no item 3"),
        ("[0]=1", "not a path"),
    ],
)
def test_what_a_lab_cannot_do_is_refused(setting: str, message: str) -> None:
    with pytest.raises(profiles.ProfileError) as refused:
        profiles.build([], [setting])
    assert message in str(refused.value)


@pytest.mark.parametrize("text", ["kind: Pod", "a: [", "- 1"])
def test_files_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(profiles.ProfileError):
        profiles.build([text], [])
