"""
Bookinfo: four small HTTP services (productpage, details, reviews, ratings) that stand in for Istio's sample.

Here: the application and nothing else. Never here: Kubernetes, Envoy or anything of the lab; `bookinfo` and
`bookmesh` do not import each other, because Bookinfo is user code. Nothing in this package may open a socket, start
a thread or an event loop, or read the environment while it is imported: processes are forked from one that has
imported it already.
"""
