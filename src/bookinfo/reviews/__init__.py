"""
reviews: what readers wrote about a book; with stars from ratings, in the versions that show them.

Imported by `bookinfo.main` only.
"""
