"""The whole chain as one command, and the gates that keep its parts apart.

In:  a recording, or nothing.   Out: what the verb promises.
Not here: any step of the chain itself (packages/).
"""
