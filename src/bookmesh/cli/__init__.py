"""
The command `bookmesh`: arguments in, messages out, no logic of its own.

stdout is data, stderr is everything else. Exit codes: 0 done, 1 ran and failed, 2 misuse, 3 this machine cannot.
"""
