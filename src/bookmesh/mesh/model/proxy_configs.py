"""ProxyConfig (networking.istio.io): settings of proxies, in force when their pods are made."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from bookmesh.mesh.model.base import Model
from bookmesh.mesh.model.matching import WorkloadSelector


class ProxyImage(Model, frozen=True):
    """
    The image of the proxy.

    image_type: The kind of image: default, debug or distroless.
    """

    image_type: Literal["", "default", "debug", "distroless"] = ""


class ProxyConfig(Model, frozen=True):
    """
    Settings of the proxies of a namespace, of the whole mesh (in the root namespace), or of some pods.

    selector: The pods to which it applies; all of the namespace without it.
    concurrency: Worker threads of the proxy; 0 means one for every CPU.
    environment_variables: Variables of the proxy's container.
    image: The image of the proxy.
    """

    selector: WorkloadSelector | None = None
    concurrency: Annotated[int, msgspec.Meta(ge=0, le=2147483647)] | None = None
    environment_variables: dict[str, str] = {}
    image: ProxyImage | None = None
