"""
Everything that most services need, imported by naming this module: for a process that forks one child a pod.

Nothing happens but imports: no thread, socket or event loop, and the environment is not read.
"""

from __future__ import annotations

import bookinfo.details.app
import bookinfo.main
import bookinfo.productpage.app
import bookinfo.ratings.app
import bookinfo.reviews.app  # noqa: F401 - importing is the purpose
