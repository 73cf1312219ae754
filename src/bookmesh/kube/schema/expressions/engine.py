"""
The engine, `cel`, without the command line that its package imports along: 250 modules, of which nothing is used here.

Whoever needs it takes it from here, never by an import of its own: the first import decides.
"""

from __future__ import annotations

import sys
import types
from typing import Final

__all__ = ["OptionalValue", "cel", "stdlib"]

_COMMAND_LINE: Final = "cel.cli"

_has_stand_in = "cel" not in sys.modules
if _has_stand_in:
    sys.modules[_COMMAND_LINE] = types.ModuleType(_COMMAND_LINE)

import cel  # noqa: E402
from cel import OptionalValue, stdlib  # noqa: E402

if _has_stand_in:  # whoever wants the command line gets the real one
    del sys.modules[_COMMAND_LINE]
