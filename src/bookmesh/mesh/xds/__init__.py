"""
Serving configuration to Envoys: subscriptions, ack and nack, push order.

The core (`subscriptions`, `session`) is sans-I/O: requests and times in, messages out. `pushing` keeps what one proxy
should have; `server` is a thin gRPC shell around it. Resources are opaque bytes here: nothing may import the model,
the registry or the snapshot. Only `control` imports this package.
"""
