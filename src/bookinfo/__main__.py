"""`python -m bookinfo SERVICE`: run one of the four services, or all."""

from __future__ import annotations

from bookinfo.main import main

if __name__ == "__main__":
    main()
