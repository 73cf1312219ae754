"""
Marks for tests with clients that leave connections for the garbage collector to close.

What they leave is collected before their test ends, so that no other test is blamed for it.
"""

from __future__ import annotations

import pytest

TOLERATED = [
    pytest.mark.usefixtures("leaks_collected"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
