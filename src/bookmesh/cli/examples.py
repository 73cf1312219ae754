"""What people type: examples for each command, which its help shows before the options."""

from __future__ import annotations

import inspect
from typing import Final

import click

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "up": (
        "bookmesh up --bookinfo                  a lab with Bookinfo in it",
        "bookmesh up -f routes.yaml              and your own YAML",
        "bookmesh up --name second               another lab beside the first",
    ),
    "kube": (
        "bookmesh kube up                        API server, controllers and a node; then kubectl",
        'eval "$(bookmesh kube env)"             kubectl, Helm and Python clients in this shell use it',
        "bookmesh kube status                    addresses, pods and problems",
    ),
    "kube up": (
        "bookmesh kube up                        pods run, as sandboxed processes",
        "bookmesh kube up --no-node              Deployments make pods, which stay Pending; runs on any machine",
        "bookmesh kube up --api-only             objects alone, up in a second",
    ),
    "kube fault add": (
        "bookmesh kube fault add --verb list --resource pods --code 410 --rate 0.1    one list in ten is too old",
        "bookmesh kube fault add --verb update --code 409 --count 3                   the next three conflict",
        "bookmesh kube fault add --delay 200ms                                        everything takes longer",
    ),
    "kube fault remove": ("bookmesh kube fault remove 1",),
    "kube env": ('eval "$(bookmesh kube env)"',),
    "kube down": ("bookmesh kube down --name second",),
    "app": (
        "bookmesh app                            http://127.0.0.1:9080, until Ctrl-C",
        "bookmesh app --reviews v1 --port 0      without stars, on a free port",
    ),
    "status": (
        "bookmesh status                         for people; exit code 1 when there is a problem",
        "bookmesh status -o json | jq .findings  for programs",
    ),
    "env": (
        'eval "$(bookmesh env)"                  kubectl and istioctl in this shell use the lab',
        "bookmesh env --shell fish | source      the same for fish",
        'eval "$(bookmesh env --simulated-internet)"   and curl reaches https://httpbin.org of the lab',
    ),
    "kubectl": (
        "bookmesh kubectl get pods",
        "bookmesh kubectl --name second apply -f routes.yaml",
    ),
    "kubeconfig": (
        "bookmesh kubeconfig > lab.yaml",
        "bookmesh kubeconfig --merge             kubectl --context bookmesh-default, beside your clusters",
    ),
    "explain": (
        "bookmesh explain GET http://reviews:9080/reviews/0 --from productpage-v1 -H end-user=jason",
        "bookmesh explain GET http://shop.example.com/ --from istio-ingressgateway -n istio-system",
        "bookmesh explain GET http://127.97.0.1/productpage       the address of a gateway: no --from",
        "bookmesh explain CONNECT tcp://mongo:27017 --from ratings-v2",
        "bookmesh explain CONNECT tls://db.example.com --from ratings-v2 -f routes.yaml",
    ),
    "task": (
        "bookmesh task list                      all tasks",
        "bookmesh task show request-routing      its steps, expectations and YAML",
        "bookmesh task run request-routing",
    ),
    "task list": (
        "bookmesh task list -k egress            those whose name contains egress",
        "bookmesh task list -o json | jq -r '.[].key'",
    ),
    "task show": ("bookmesh task show request-routing | less",),
    "task run": (
        "bookmesh task run request-routing",
        "bookmesh task run fault-injection --report report.html       a page to look at afterwards",
        "bookmesh task run mirroring --target kind-shop               on a cluster of your kubeconfig",
    ),
    "task verify": (
        "bookmesh task verify request-routing mirroring",
        "bookmesh task verify 'traffic-management/egress/*' --report report.html",
        "bookmesh task verify --all --jobs 8",
    ),
    "test": (
        "bookmesh test docs/guides/checkout/canary.yaml              the case of the guide",
        "bookmesh test tests/mesh/*.yaml -o junit > junit.xml        for CI; -o github for annotations",
        "bookmesh test canary.yaml --keep                            keep the namespace when it fails",
        "bookmesh test canary.yaml --target my-cluster               on a cluster of your kubeconfig",
    ),
    "image": (
        "bookmesh image load shop.tar                        after: docker save shop:1.0 -o shop.tar",
        "bookmesh image load build/layout --as shop:1.0      a folder in the OCI layout",
        "bookmesh image list                                 which images were loaded",
    ),
    "image load": (
        "bookmesh image load shop.tar                        of docker save, or an oci-archive; also .gz and .zst",
        "bookmesh image load build/layout --as shop:1.0      a folder in the OCI layout, and its name",
    ),
    "image list": (
        "bookmesh image list                                 all that were loaded",
        "bookmesh image list shop:1.0 nginx                  what answers for these names",
    ),
    "image remove": ("bookmesh image remove shop:1.0",),
    "release": (
        "bookmesh release plan releases.yaml      the order, and what would change",
        "bookmesh release apply releases.yaml",
        "bookmesh release status                  whether all requirements are served",
    ),
    "release plan": ("bookmesh release plan releases.yaml --target kind-shop",),
    "release apply": (
        "bookmesh release apply releases.yaml",
        "bookmesh release apply releases.yaml --timeout 600 --target kind-shop",
    ),
    "release status": ("bookmesh release status -n shop",),
    "release rollback": (
        "bookmesh release rollback reviews 3       to revision 3; helm history reviews lists them",
    ),
    "release uninstall": ("bookmesh release uninstall productpage reviews",),
    "release export": ("bookmesh release export releases.yaml --to helmfile",),
    "logs": (
        "bookmesh logs --tail 20 -f              the log of the lab; for pods: bookmesh kubectl logs POD",
    ),
    "doctor": ("bookmesh doctor                         exit code 3 when this machine cannot run a lab",),
    "down": (
        "bookmesh down",
        "bookmesh down --name second",
        "bookmesh down --all                     every lab of this user",
    ),
    "istioctl": (
        "bookmesh istioctl proxy-status",
        "bookmesh istioctl proxy-config routes deploy/productpage-v1 --name 9080",
        "bookmesh istioctl analyze --use-kube=false routes.yaml",
        "bookmesh istioctl install --set profile=demo -y",
    ),
    "istioctl install": (
        "istioctl install -y                                     the default profile: istiod and an ingress gateway",
        "istioctl install --set profile=demo -y                  also an egress gateway, and access logs",
        "istioctl install -y --set meshConfig.outboundTrafficPolicy.mode=REGISTRY_ONLY",
        "istioctl install -y -f operator.yaml                    an IstioOperator file; - for standard input",
    ),
    "istioctl uninstall": ("istioctl uninstall --purge -y",),
    "istioctl kube-inject": ("istioctl kube-inject -f deployment.yaml | kubectl apply -f -",),
    "istioctl proxy-status": (
        "istioctl proxy-status                                   all proxies of the mesh",
        "istioctl proxy-status productpage-v1-7d9-x2z.default    one of them, and what it refuses",
    ),
    "istioctl proxy-config": (
        "istioctl proxy-config cluster deploy/productpage-v1 --fqdn reviews",
        "istioctl proxy-config route deploy/productpage-v1 --name 9080 -o json",
        "istioctl proxy-config listener --file config_dump.json  what an Envoy answered before",
        "istioctl proxy-config log deploy/ratings-v1 --level rbac:debug,http:info",
    ),
    "istioctl analyze": (
        "istioctl analyze                                        the namespace of the context",
        "istioctl analyze routes.yaml rules                      as if these files and folders were applied",
        "istioctl analyze --use-kube=false routes.yaml           files alone, without a cluster",
        'istioctl analyze -S "IST0103=Pod default/mypod"         without this message',
    ),
    "istioctl dashboard": (
        "istioctl dashboard prometheus                           until Ctrl-C",
        "istioctl dashboard envoy deploy/ratings-v1 --port 15001",
    ),
    "istioctl experimental": (
        "istioctl experimental describe pod productpage-v1-7d9-x2z",
        "istioctl experimental envoy-stats deploy/ratings-v1 --output prom",
    ),
    "istioctl version": ("istioctl version --remote=false",),
    "completion": (
        'eval "$(bookmesh completion bash)"      in ~/.bashrc',
        "bookmesh completion fish > ~/.config/fish/completions/bookmesh.fish",
    ),
}


class Group(click.Group):
    """A group of commands whose help has their examples."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        return attach(f"{self.name} {cmd_name}", command) if command else None


def attach(name: str, command: click.Command) -> click.Command:
    """Put the examples of a command into its help, between what it does and its options."""
    lines = EXAMPLES.get(name, ())
    block = "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
    if lines and block not in (command.help or ""):
        # What click would do later finds no common indent any more, once there are lines without.
        command.help = f"{inspect.cleandoc(command.help or '')}\n\n{block}"
    return command
