"""
What runs for a container image: the catalogue of stand-ins (data), the images that a person loaded, and the resolver
that picks one.

Images are matched by repository and tag; nothing is ever pulled. Loading unpacks an archive, which anybody may have
made, within limits and never outside of the image's own directory. Used by the lab's wiring and `bookmesh image`.
"""
