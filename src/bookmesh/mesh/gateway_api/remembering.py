"""
Conversion at every push: what stayed the same is the very same object as before, so that later stages see no change.

Call `note` with every change of Services and ConfigMaps, then `convert`. Nothing is converted anew as long as nothing
differs that a conversion looks at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bookmesh.base import overlays
from bookmesh.base.kubernetes import JsonObject
from bookmesh.base.latest import Latest
from bookmesh.mesh.gateway_api import converting, gateway_statuses, parameters
from bookmesh.mesh.gateway_api import inputs as inputs_
from bookmesh.mesh.model import parsing, service_entries
from bookmesh.mesh.registry import registry as registries
from bookmesh.mesh.snapshot import configs as configs_
from bookmesh.mesh.snapshot import credentials as credentials_

Changed = Mapping[tuple[str, str], JsonObject | None]


@dataclass(frozen=True, slots=True)
class _ClassDefaults:
    """A ConfigMap for all Gateways of a class."""

    gateway_class: str
    created: str
    data: Mapping[str, str]


class Converter:
    """Keeps what the conversion needs to know besides the registry, and what it made last."""

    def __init__(self, *, domain: str, root_namespace: str = "istio-system") -> None:
        self._domain = domain
        self._root_namespace = root_namespace
        self._defaults: Mapping[tuple[str, str], _ClassDefaults] = {}
        self._latest_defaults: Latest[Mapping[str, Mapping[str, str]]] = Latest()
        self._addresses: Mapping[tuple[str, str], tuple[str, ...]] = {}
        self._config_maps: Mapping[tuple[str, str], Mapping[str, str]] = {}
        self._given = configs_.collect(())
        self._objects: tuple[parsing.Parsed, ...] = ()
        self._configs = configs_.collect(())
        self._reached: tuple[tuple[str, int], ...] = ()
        self._latest: Latest[converting.Conversion] = Latest()
        self._conversion = converting.Conversion()
        self._made: dict[tuple[str, str, str], parsing.Parsed] = {}

    def note(self, *, services: Changed, config_maps: Changed) -> None:
        """Take changes in, by namespace and name; None for objects that are gone."""
        addresses = {
            key: inputs_.external_addresses(service) if service is not None else None
            for key, service in services.items()
        }
        data = {key: (one.get("data") or {}) if one is not None else None for key, one in config_maps.items()}
        defaults = {
            key: _class_defaults(one) if one is not None else None
            for key, one in config_maps.items()
            if key[0] == self._root_namespace
        }
        self._addresses = overlays.changed(self._addresses, addresses)
        self._config_maps = overlays.changed(self._config_maps, data)
        self._defaults = overlays.changed(self._defaults, defaults)

    def convert(
        self,
        parsed: Iterable[parsing.Parsed],
        registry: registries.Registry,
        credentials: credentials_.Credentials,
    ) -> tuple[configs_.Configs, converting.Conversion]:
        """Convert; gives all objects of Istio's kinds, those of people and those that were made, and the conversion."""
        given = configs_.collect(parsed, self._given)
        difference, self._given = given.since(self._given), given
        of_gateway_api, written = difference.apart(inputs_.is_of_gateway_api)
        self._objects = configs_.spliced(self._objects, of_gateway_api, key=inputs_.age)
        made = self._convert(
            inputs_.Inputs(
                objects=self._objects,
                registry=registry,
                credentials=credentials,
                configs=given.of(service_entries.ServiceEntry),
                external_addresses=self._addresses,
                config_maps=self._config_maps,
                class_defaults=self._latest_defaults.get((self._defaults,), self._by_class),
                domain=self._domain,
            )
        )
        self._configs = self._configs.replaced((*written.gone, *made.gone), (*written.come, *made.come))
        return self._configs, self._conversion

    def _convert(self, inputs: inputs_.Inputs) -> configs_.Difference[parsing.Parsed]:
        """Bring the conversion up to date; gives what it makes otherwise than before."""
        conversion = self._latest.get(self._looked_at(inputs), lambda: converting.convert(inputs))
        if conversion is self._conversion:
            return configs_.Difference()
        self._conversion = conversion
        before, self._made = self._made, {}
        for config in self._conversion.configs:
            key = (type(config.spec).__name__, config.metadata.namespace, config.metadata.name)
            known = before.get(key)
            self._made[key] = known if known is not None and known == config else config
        gone = (one for key, one in before.items() if self._made.get(key) is not one)
        come = (one for key, one in self._made.items() if before.get(key) is not one)
        return configs_.Difference(tuple(gone), tuple(come))

    def _by_class(self) -> Mapping[str, Mapping[str, str]]:
        """The defaults of each class; of several ConfigMaps for one the oldest counts."""
        newest_first = sorted(
            self._defaults.items(), key=lambda item: (item[1].created, item[0]), reverse=True
        )
        return {one.gateway_class: one.data for _, one in newest_first}

    def _looked_at(self, inputs: inputs_.Inputs) -> tuple[object, ...]:
        """What a conversion looks at: of endpoints that is only whether there are any behind Gateways."""
        if not inputs.objects:
            return ()
        registry, reached = inputs.registry, tuple(gateway_statuses.reached(inputs))
        self._reached = self._reached if self._reached == reached else reached
        found = (registry.services, registry.rivals, registry.namespaces, inputs.credentials, inputs.configs)
        beside = (inputs.external_addresses, inputs.config_maps, inputs.class_defaults, self._reached)
        return (inputs.objects, *found, *beside)


def _class_defaults(config_map: JsonObject) -> _ClassDefaults | None:
    """
    Read a ConfigMap of the root namespace; None unless it is for a GatewayClass.

    Source: label `gateway.istio.io/defaults-for-class`.
    """
    metadata = config_map["metadata"]
    name = (metadata.get("labels") or {}).get(parameters.CLASS_DEFAULTS)
    if not name:
        return None
    return _ClassDefaults(name, metadata.get("creationTimestamp", ""), config_map.get("data") or {})
