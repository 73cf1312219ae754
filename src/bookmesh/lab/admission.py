"""The lab's admission hook: pods that are created get a sidecar where their labels and namespace ask for one."""

from __future__ import annotations

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import admission
from bookmesh.kube.store.records import GroupResource
from bookmesh.kube.store.store import Store
from bookmesh.lab import injection_values
from bookmesh.mesh.injection import settings
from bookmesh.mesh.model import parsing
from bookmesh.mesh.snapshot import configs, mesh_config, proxy_configs
from bookmesh.mesh.snapshot.settings import MeshSettings

_NAMESPACES = GroupResource(kubernetes.NAMESPACES.group, kubernetes.NAMESPACES.plural)
_CONFIG_MAPS = GroupResource(kubernetes.CONFIG_MAPS.group, kubernetes.CONFIG_MAPS.plural)
_PROXY_CONFIGS = GroupResource("networking.istio.io", "proxyconfigs")


class SidecarInjection:
    """Adapts `mesh.injection` to the API server; reads namespaces straight from the store, since hooks are sync."""

    def __init__(self, store: Store, injection: settings.InjectionSettings) -> None:
        self._store = store
        self._settings = injection

    def review(self, request: admission.AdmissionRequest) -> admission.Review:
        """
        Inject into a new pod.

        Raises:
            ApiError: 400, an annotation of the pod, or a value of the installation, cannot be honoured.
        """
        if request.operation != "CREATE" or request.resource != kubernetes.PODS:
            return admission.Review(request.object)
        namespace = self._store.get(_NAMESPACES, "", request.namespace)
        labels = namespace.object["metadata"].get("labels") or {} if namespace else {}
        values = self._store.get(_CONFIG_MAPS, injection_values.NAMESPACE, injection_values.CONFIG_MAP)
        try:
            annotations = injection_values.read_annotations(values.object if values else None)
            pod = injection_values.inject(
                request.object,
                annotations,
                namespace_labels=labels,
                settings=self._settings,
                own=self._proxy_settings(request.object, request.namespace),
            )
        except ValueError as error:
            message = f'admission webhook "sidecar-injector.istio.io" denied the request: {error}'
            raise ApiError(400, "BadRequest", message) from error
        return admission.Review(pod)

    def _proxy_settings(self, pod: JsonObject, namespace: str) -> proxy_configs.ProxySettings:
        """Settings of this pod's proxy, out of ProxyConfigs and the mesh configuration."""
        base = MeshSettings()
        found = self._store.get(_CONFIG_MAPS, base.root_namespace, mesh_config.NAME)
        settings = mesh_config.read(base, found.object if found else None).settings
        stored = [
            parsing.parse(one.object)
            for where in dict.fromkeys((namespace, base.root_namespace))
            for one in self._store.list(_PROXY_CONFIGS, where)
        ]
        placed = {**pod, "metadata": {**pod["metadata"], "namespace": namespace}}
        return proxy_configs.settings_for(placed, sorted(stored, key=configs.merge_order), settings)
