"""
Each module has its test where one looks for it: `bookmesh/kube/store/store.py` in `unit/kube/store/test_store.py`.

A module that is tested elsewhere is listed with the place and the reason; a line that matches nothing has to go.
"""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from tests.arch import trees


class Elsewhere(NamedTuple):
    """`modules`: pattern below src; `tests`: a file or folder below tests that covers them."""

    modules: str
    tests: str
    reason: str


ELSEWHERE = (
    *(
        Elsewhere(module, "clients/test_certificates.py", "certificates are good when a server takes them")
        for module in (
            "bookmesh/kube/api/strategies/certificate_requests.py",
            "bookmesh/lab/certificate_signing.py",
        )
    ),
    Elsewhere(
        "bookmesh/kube/api/pod_streams.py",
        "clients/test_kubectl_streams.py",
        "chooses among streams that are real there",
    ),
    Elsewhere(
        "bookmesh/kube/api/serving.py",
        "clients/test_kubectl_streams.py",
        "it listens and serves: what it does is seen by clients",
    ),
    *(
        Elsewhere(f"bookmesh/kube/api/webhooks/{name}.py", "clients/test_webhooks.py", "over real HTTPS")
        for name in ("calling", "chain")
    ),
    *(
        Elsewhere(
            f"bookmesh/kube/api/aggregation/{name}.py",
            "clients/test_aggregation.py",
            "between two real servers",
        )
        for name in ("aggregator", "backends", "local_services", "proxying")
    ),
    Elsewhere(
        "bookmesh/kube/api/service_network.py",
        "clients/test_aggregation.py",
        "what a caller sees of endpoints",
    ),
    *(
        Elsewhere(
            f"bookmesh/kube/schema/expressions/{name}.py",
            "unit/kube/schema/expressions/test_expression.py",
            "functions are seen in expressions: one table of them",
        )
        for name in ("addresses", "amounts", "library", "lists", "texts", "urls")
    ),
    Elsewhere(
        "bookmesh/lab/daemon.py",
        "lab/test_recovery.py",
        "the lab process: namespaces, signals and wiring are real in the lab tests only",
    ),
    Elsewhere(
        "bookmesh/release/exporting/*.py",
        "golden/exports",
        "what they write is compared, and evaluated, there",
    ),
    Elsewhere(
        "bookmesh/release/helm_program.py",
        "lab/test_release_program.py",
        "what counts is what the program does",
    ),
    Elsewhere("bookmesh/lab/wiring.py", "lab", "every lab test runs through it"),
    Elsewhere("bookmesh/lab/nodes.py", "lab", "the node of every lab test is made there"),
    *(
        Elsewhere(
            f"bookmesh/lab/{name}.py", "lab/test_kube_alone.py", "what it puts together is seen by clients"
        )
        for name in ("api_server", "clusters", "serving")
    ),
    Elsewhere(
        "bookmesh/lab/kube_wiring.py", "lab/test_kube_alone.py", "a real process for each extent of a cluster"
    ),
    Elsewhere(
        "bookmesh/pytest_plugin.py",
        "clients/test_pytest_plugin.py",
        "fixtures are seen in somebody's project",
    ),
    Elsewhere("bookmesh/cli/kube.py", "lab/test_kube_alone.py", "a thin front of the lab"),
    Elsewhere(
        "bookmesh/lab/proxy_volumes.py", "lab/test_mtls.py", "a proxy without its volume does not start"
    ),
    Elsewhere(
        "bookmesh/lab/status.py", "lab/test_environment.py", "gathers what the parts of a running lab say"
    ),
    Elsewhere(
        "bookmesh/cli/istioctl/analyzers/*.py",
        "unit/cli/istioctl/analyzers/test_every.py",
        "one table says each message where it belongs, over one world in which all is well",
    ),
    *(
        Elsewhere(
            f"bookmesh/lab/images/{module}.py",
            "unit/lab/images/test_loading.py",
            "seen in what is loaded of good archives and said of bad ones",
        )
        for module in ("archives", "contents", "limits", "problems", "reading")
    ),
    Elsewhere(
        "bookmesh/lab/images/lookups.py",
        "unit/lab/images/test_unpacking.py",
        "where a path leads is seen in what is unpacked there",
    ),
    Elsewhere("bookmesh/cli/images.py", "lab/test_loaded_images.py", "a thin front of the lab"),
    Elsewhere(
        "bookmesh/kube/sandbox/image_roots.py",
        "lab/test_image_roots.py",
        "real namespaces, mounts and processes",
    ),
    Elsewhere("bookmesh/cli/faulting.py", "lab/test_kube_alone.py", "a thin front of the API server's dial"),
    Elsewhere("bookmesh/cli/starting.py", "lab/test_bad_input.py", "a thin front of the lab"),
    Elsewhere("bookmesh/cli/inspecting.py", "lab/test_environment.py", "a thin front of the lab"),
    Elsewhere(
        "bookmesh/kube/controllers/addresses.py",
        "unit/kube/controllers/test_endpoint_slices.py",
        "what it finds is the content of slices and Endpoints, both tables use it",
    ),
    Elsewhere(
        "bookmesh/kube/controllers/deployment_status.py",
        "unit/kube/controllers/test_deployments.py",
        "one table for what a Deployment does and what it reports",
    ),
    Elsewhere(
        "bookmesh/kube/controllers/controller_revisions.py",
        "unit/kube/controllers/test_stateful_sets.py",
        "what it writes down and throws away is in the tables of its two users",
    ),
    Elsewhere(
        "bookmesh/kube/controllers/job_status.py",
        "unit/kube/controllers/test_jobs.py",
        "one table for what a Job does and what it reports",
    ),
    Elsewhere(
        "bookmesh/kube/controllers/owning.py",
        "unit/kube/controllers/test_convergence.py",
        "adoption and wake-ups are seen in whole rollouts",
    ),
    Elsewhere(
        "bookmesh/kube/controllers/rolling.py",
        "unit/kube/controllers/test_convergence.py",
        "its limits are a property of whole rollouts; single steps are in the table of deployments",
    ),
    Elsewhere("bookinfo/details/books.py", "unit/bookinfo/details/test_app.py", "data that the answers show"),
    Elsewhere(
        "bookinfo/preload.py", "unit/bookinfo/test_main.py", "imports only; the lab's pods start from it"
    ),
    Elsewhere(
        "bookinfo/productpage/backends.py", "unit/bookinfo/productpage/test_app.py", "seen through the page"
    ),
    Elsewhere(
        "bookinfo/productpage/products.py",
        "unit/bookinfo/productpage/test_app.py",
        "data that the page shows",
    ),
    Elsewhere(
        "bookinfo/*/settings.py", "unit/bookinfo/service/test_settings.py", "one reader of settings for all"
    ),
    Elsewhere("bookinfo/reviews/texts.py", "unit/bookinfo/reviews/test_app.py", "data that the answers show"),
    Elsewhere(
        "bookinfo/service/health.py", "unit/bookinfo/service/test_application.py", "part of every service"
    ),
    Elsewhere(
        "bookinfo/service/limits.py", "unit/bookinfo/service/test_application.py", "part of every service"
    ),
    Elsewhere(
        "bookinfo/service/telemetry.py", "unit/bookinfo/service/test_application.py", "part of every service"
    ),
    Elsewhere(
        "bookmesh/kube/sandbox/forkserver.py", "lab/test_sandbox.py", "real namespaces, mounts and processes"
    ),
    Elsewhere(
        "bookmesh/kube/sandbox/namespaces.py", "lab/test_sandbox.py", "real namespaces, mounts and processes"
    ),
    Elsewhere(
        "bookmesh/kube/sandbox/nft_expressions.py",
        "unit/kube/sandbox/test_nft.py",
        "seen in the conditions and statements that are made of them",
    ),
    Elsewhere(
        "bookmesh/kube/sandbox/nft_transactions.py",
        "lab/test_node_network.py",
        "what counts is what the kernel does",
    ),
    Elsewhere("bookmesh/kube/sandbox/pausing.py", "lab/test_pods.py", "the first process of a real sandbox"),
    Elsewhere(
        "bookmesh/kube/sandbox/roots.py", "lab/test_sandbox.py", "real namespaces, mounts and processes"
    ),
    Elsewhere(
        "bookmesh/kube/sandbox/sessions.py", "lab/test_sandbox.py", "real namespaces, mounts and processes"
    ),
    Elsewhere(
        "bookmesh/kube/sandbox/syscalls.py", "lab/test_sandbox.py", "real namespaces, mounts and processes"
    ),
    Elsewhere(
        "bookmesh/kube/schema/builtin_kinds.py",
        "unit/kube/schema/test_kinds.py",
        "a table that is parsed there",
    ),
    Elsewhere(
        "bookmesh/kube/schema/defaults/*.py", "unit/kube/schema/test_defaulting.py", "one table of cases"
    ),
    Elsewhere(
        "bookmesh/kube/schema/errors.py", "unit/kube/schema/test_schemas.py", "an exception without behaviour"
    ),
    Elsewhere(
        "bookmesh/kube/schema/protobuf_fields.py", "clients/test_protobuf.py", "read by the decoder alone"
    ),
    Elsewhere(
        "bookmesh/kube/schema/semantics/probes.py", "unit/kube/schema/test_rules.py", "one table of cases"
    ),
    Elsewhere("bookmesh/kube/store/journal.py", "unit/kube/store/test_store.py", "what a store is made of"),
    Elsewhere("bookmesh/kube/store/records.py", "unit/kube/store/test_store.py", "what a store is made of"),
    Elsewhere("bookmesh/lab/standins/*ing.py", "unit/lab/standins/test_httpbin.py", "the parts of httpbin"),
    Elsewhere(
        "bookmesh/mesh/injection/settings.py",
        "unit/mesh/injection/test_injecting.py",
        "names and values only",
    ),
    *(
        Elsewhere(
            f"bookmesh/mesh/gateway_api/{name}.py",
            "golden/gateway_api/test_gateway_api.py",
            "what it decides is seen in whole conversions: one table of cases",
        )
        for name in (
            "backend_tls",
            "backends",
            "classes",
            "conditions",
            "gateway_statuses",
            "inputs",
            "listeners",
            "parents",
            "routes",
            "rules",
        )
    ),
    Elsewhere(
        "bookmesh/mesh/model/gateway_api/*.py",
        "unit/mesh/model/gateway_api/test_models.py",
        "structures; one table of what they refuse",
    ),
    Elsewhere(
        "bookmesh/mesh/model/internal.py",
        "golden/gateway_api/test_gateway_api.py",
        "what conversions add to Istio's structures",
    ),
    Elsewhere(
        "bookmesh/mesh/wire/*.py", "unit/mesh/wire/test_type_urls.py", "they only pass Envoy's types on"
    ),
    Elsewhere(
        "bookmesh/release/carrying_out.py", "golden/releases", "what it does is a story, told case by case"
    ),
    Elsewhere("bookmesh/release/sessions.py", "golden/releases", "the beginning of every story"),
    Elsewhere("bookmesh/release/intentions.py", "golden/releases", "what plans are made of"),
    Elsewhere("bookmesh/release/ports.py", "golden/releases", "protocols, and the data they hand over"),
    Elsewhere("bookmesh/cli/releases.py", "lab/test_releases.py", "a thin front of releases"),
    Elsewhere("bookmesh/mesh/xds/server.py", "protocol/test_server.py", "a thin shell over sockets"),
)


def below_source(path: Path) -> str:
    return path.relative_to(trees.SOURCE).as_posix()


def mirror_of(path: Path) -> Path:
    parts = path.relative_to(trees.SOURCE).parts
    folders = parts[1:-1] if parts[0] == "bookmesh" else parts[:-1]
    return trees.TESTS.joinpath("unit", *folders, f"test_{path.name}")


def code_modules() -> list[Path]:
    """List the modules that hold code: a package's docstring and imports need no test."""
    return [path for path in trees.modules(trees.SOURCE) if path.name not in ("__init__.py", "__main__.py")]


def test_every_module_is_tested_where_one_looks_for_it() -> None:
    missing = [
        f"{below_source(path)}: no {trees.inside(mirror_of(path))}"
        for path in code_modules()
        if not mirror_of(path).exists()
        and not any(fnmatch(below_source(path), each.modules) for each in ELSEWHERE)
    ]
    assert missing == []


def test_every_exception_is_needed_and_says_where_the_tests_are() -> None:
    for each in ELSEWHERE:
        matched = [path for path in code_modules() if fnmatch(below_source(path), each.modules)]
        assert matched, f"{each.modules} matches no module"
        assert any(not mirror_of(path).exists() for path in matched), f"{each.modules} has its tests in place"
        assert (trees.TESTS / each.tests).exists(), f"{each.tests} does not exist"
        assert each.reason
