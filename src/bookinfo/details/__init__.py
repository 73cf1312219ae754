"""
details: what is printed on the back of a book. Knows neither reviews nor ratings.

Imported by `bookinfo.main` only.
"""
