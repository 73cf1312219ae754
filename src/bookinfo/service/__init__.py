"""
What the four services share: settings, lifecycle, health, telemetry, headers, limits, calls to other services.

Here: mechanism only. Never here: a book, a review, a star, or the name of a particular service. The packages
`productpage`, `details`, `reviews` and `ratings` import this one and never each other.
"""
