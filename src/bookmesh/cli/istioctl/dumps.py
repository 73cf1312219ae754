"""Envoy's config dump taken apart, and its JSON with the field names that istioctl prints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

JsonObject = dict[str, Any]

_SNAKE: Final = re.compile(r"_([a-z0-9])")
# people's own keys, at any depth
_FREE_FORM: Final = frozenset(
    {"filter_metadata", "metadata_match", "json_format", "typed_json_format", "static_layer"}
)
# people's own keys, and protobuf's fields below them; where it is a list, as with other filters, it has no keys
_MAPS: Final = frozenset(
    {
        "context_extensions",
        "custom_tags",
        "labels",
        "policies",
        "providers",
        "requirement_map",
        "typed_extension_protocol_options",
        "typed_filter_metadata",
        "typed_per_filter_config",
    }
)
_LAYERS_OF_SECRETS: Final = ("dynamic_active_secrets", "dynamic_warming_secrets", "static_secrets")


@dataclass(frozen=True, slots=True)
class Dump:
    """The sections of one `config_dump?include_eds`, by the last part of their type."""

    sections: Mapping[str, JsonObject]

    def clusters(self) -> list[JsonObject]:
        return list(
            self._items("ClustersConfigDump", ("dynamic_active_clusters", "static_clusters"), "cluster")
        )

    def routes(self) -> list[JsonObject]:
        layers = ("dynamic_route_configs", "static_route_configs")
        return list(self._items("RoutesConfigDump", layers, "route_config"))

    def assignments(self) -> list[JsonObject]:
        layers = ("dynamic_endpoint_configs", "static_endpoint_configs")
        return list(self._items("EndpointsConfigDump", layers, "endpoint_config"))

    def listeners(self) -> list[JsonObject]:
        """Active listeners; one that Envoy refused shows as it was before."""
        section = self.sections.get("ListenersConfigDump", {})
        dynamic = [
            item["active_state"]["listener"]
            for item in section.get("dynamic_listeners", [])
            if "active_state" in item
        ]
        return dynamic + [item["listener"] for item in section.get("static_listeners", [])]

    def bootstrap(self) -> JsonObject:
        return self.sections.get("BootstrapConfigDump", {})

    def secrets(self) -> JsonObject:
        return self.sections.get("SecretsConfigDump", {})

    def secret_items(self) -> Iterator[tuple[str, JsonObject]]:
        """Yield (ACTIVE | WARMING, item) for every secret that has a name."""
        for layer in _LAYERS_OF_SECRETS:
            for item in self.secrets().get(layer, []):
                yield "WARMING" if "warming" in layer else "ACTIVE", item

    def _items(self, section: str, layers: tuple[str, ...], inner: str) -> Iterator[JsonObject]:
        for layer in layers:
            for item in self.sections.get(section, {}).get(layer, []):
                if inner in item:
                    yield item[inner]


def parse(dump: JsonObject) -> Dump:
    """Take apart what Envoy answers to `config_dump`."""
    return Dump({config["@type"].rpartition(".")[2]: config for config in dump.get("configs", [])})


def camel_case(value: Any) -> Any:
    """Rename fields as protobuf's JSON has them; keys that are data, not fields, stay."""
    if isinstance(value, list):
        return [camel_case(item) for item in value]
    if not isinstance(value, dict):
        return value
    renamed = {}
    for key, item in value.items():
        if key in _FREE_FORM or (key == "metadata" and "filter_metadata" not in (item or {})):
            inner = item
        elif key in _MAPS and isinstance(item, dict):
            inner = {name: camel_case(each) for name, each in item.items()}
        else:
            inner = camel_case(item)
        renamed[_camel(key)] = inner
    return renamed


def plain(message: JsonObject) -> JsonObject:
    """A message without the type that Envoy's dump has beside its fields."""
    return {key: value for key, value in message.items() if key != "@type"}


def origin(message: JsonObject) -> str:
    """`NAME.NAMESPACE` of the object that Istio's metadata names as where a route or cluster comes from; "" if none."""
    path = config_path(message)
    pieces = path.split("/")
    if path.startswith("/apis/") and len(pieces) == 8:
        return f"{pieces[7]}.{pieces[5]}"
    return "<unknown>" if path else ""


def config_path(message: JsonObject) -> str:
    """`/apis/networking.istio.io/v1/namespaces/NS/virtual-service/NAME`, or ""."""
    metadata = message.get("metadata", {}).get("filter_metadata", {}).get("istio", {})
    return str(metadata.get("config", ""))


def subset_key(name: str) -> tuple[str, str, str, str]:
    """Take `outbound|9080|v1|reviews…` apart: direction, port, subset, host; other names are a host alone."""
    parts = name.split("|")
    if len(parts) != 4:
        return "", "", "", name
    return parts[0], parts[1], parts[2], parts[3]


def _camel(key: str) -> str:
    return _SNAKE.sub(lambda match: match[1].upper(), key)
