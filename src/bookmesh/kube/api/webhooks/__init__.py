"""
Admission webhooks: programs that are asked over HTTPS about requests, and may change or refuse them.

Which webhooks there are (`configurations`), which of them want to hear of a request (`matching`), what they are asked
and answer (`reviews`), how they are reached (`calling`), and in which order (`chain`). Only `calling` does I/O.
"""
