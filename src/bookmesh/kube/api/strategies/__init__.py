"""
What a write means for one kind beyond its schema: fields that the server fills in, and how deletion begins.

One file a kind (or family); a kind that is not here behaves as `base.Strategy` does. Strategies change the object they
are handed in place (the verbs give them their own copy) and may read the store; they never write it.
"""
