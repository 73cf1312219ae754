"""
API aggregation: groups of the API that other servers answer for, as APIServices register them.

Here: which there are, whether they answer, what they serve, and passing requests on to them over TLS as somebody whom
they trust. Nothing here knows what a group is about.
"""
