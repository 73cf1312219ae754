"""
What runs for a container image: the catalogue of stand-ins (data) and the resolver that reads it.

Images are matched by repository and tag; nothing is ever pulled. Used by the lab's wiring only.
"""
