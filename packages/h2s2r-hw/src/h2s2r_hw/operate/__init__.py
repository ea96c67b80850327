"""What an operator looks at and does, by any ``Robot``.

In:  a ``Robot`` or a ``Session`` on one.   Out: text, finished motions, checks.
Not here: the command line (cli), the server (server).
"""
