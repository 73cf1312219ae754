"""Which release of Istio the lab follows: the tag of the images that pods show."""

from __future__ import annotations

from typing import Final

ISTIO_TAG: Final = "1.28.0"
