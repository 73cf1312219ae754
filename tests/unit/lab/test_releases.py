from __future__ import annotations

import re

from bookmesh.lab import releases


def test_the_release_is_a_full_version_as_image_tags_are() -> None:
    assert re.fullmatch(r"1\.\d+\.\d+", releases.ISTIO_TAG)
