"""
Envoy's message types by name, loaded when somebody asks for them: there are some six hundred modules of them.

The name of a type tells its package and not its module, so all modules of the package are loaded.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from typing import Any, Final

# Envoys of today read none of the old versions, of which there still are modules.
_OLD: Final = re.compile(r"envoy\..*\.v[12](alpha[0-9]*)?\.")
_NAME: Final = re.compile(r"(envoy|xds|udpa|google\.protobuf)(\.[A-Za-z_][A-Za-z0-9_]*)+")


@functools.cache
def find(full_name: str) -> Any | None:
    """The class of a message such as `envoy.config.cluster.v3.Cluster`; None when there is none of that name."""
    if _NAME.fullmatch(full_name) is None or _OLD.match(full_name):
        return None
    package_name, _, name = full_name.rpartition(".")
    try:
        package = importlib.import_module(package_name)
    except ImportError:
        return None
    for module in pkgutil.iter_modules(getattr(package, "__path__", ())):
        if module.name.endswith("_pb2"):
            found = getattr(importlib.import_module(f"{package_name}.{module.name}"), name, None)
            if getattr(getattr(found, "DESCRIPTOR", None), "full_name", None) == full_name:
                return found
    return None


def find_by_url(type_url: str) -> Any | None:
    """The same for the type of an Any, `type.googleapis.com/NAME`."""
    return find(type_url.rpartition("/")[2])
