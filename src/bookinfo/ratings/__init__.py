"""
ratings: how many stars each reviewer gave. Knows neither texts nor colours.

Imported by `bookinfo.main` only.
"""
