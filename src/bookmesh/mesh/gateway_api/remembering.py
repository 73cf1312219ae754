"""
Conversion at every push: what stayed the same is the very same object as before, so that later stages see no change.

Call `note` with every change of Services and ConfigMaps, then `convert`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.gateway_api import converting
from bookmesh.mesh.gateway_api import inputs as inputs_
from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import registry as registries
from bookmesh.mesh.snapshot import credentials as credentials_

Changed = Mapping[tuple[str, str], JsonObject | None]


class Converter:
    """Keeps what the conversion needs to know besides the registry, and what it made last."""

    def __init__(self, *, domain: str) -> None:
        self._domain = domain
        self._addresses: dict[tuple[str, str], tuple[str, ...]] = {}
        self._config_maps: dict[tuple[str, str], Mapping[str, str]] = {}
        self._made: dict[tuple[str, str, str], parsing.Parsed] = {}

    def note(self, *, services: Changed, config_maps: Changed) -> None:
        """Take changes in, by namespace and name; None for objects that are gone."""
        for key, service in services.items():
            addresses = inputs_.external_addresses(service) if service is not None else None
            if addresses is None:
                self._addresses.pop(key, None)
            else:
                self._addresses[key] = addresses
        for key, config_map in config_maps.items():
            if config_map is None:
                self._config_maps.pop(key, None)
            else:
                self._config_maps[key] = config_map.get("data") or {}

    def convert(
        self,
        parsed: Iterable[parsing.Parsed],
        registry: registries.Registry,
        credentials: credentials_.Credentials,
    ) -> tuple[tuple[parsing.Parsed, ...], converting.Conversion]:
        """Convert; gives all objects of Istio's kinds, those of people and those that were made, and the conversion."""
        configs, objects = inputs_.apart(parsed)
        conversion = converting.convert(
            inputs_.Inputs(
                objects=objects,
                registry=registry,
                credentials=credentials,
                configs=configs,
                external_addresses=self._addresses,
                config_maps=self._config_maps,
                domain=self._domain,
            )
        )
        before, self._made = self._made, {}
        for config in conversion.configs:
            key = (type(config.spec).__name__, config.metadata.namespace, config.metadata.name)
            known = before.get(key)
            self._made[key] = known if known is not None and known.digest == config.digest else config
        return (*configs, *self._made.values()), conversion
