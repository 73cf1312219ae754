"""
Programs that answer in place of well-known container images: one file an image, each with a `main()`.

Here: small HTTP servers that behave like the original where Istio's tasks look. Never here: anything of kube, mesh or
Bookinfo. They are started as pods, by name; nobody imports them but the fork server, so importing one opens no socket,
starts no thread and reads no environment.
"""
