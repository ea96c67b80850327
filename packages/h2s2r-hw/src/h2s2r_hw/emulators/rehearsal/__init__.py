"""The whole server and the whole emulated cell in one process and virtual time: what its failures are tested in.

In:  settings, what goes wrong when, a client's script.   Out: what happened, to the last byte, the same every time.
Not here: the server itself, which runs unchanged; its processes (h2s2r_hw.processes).
"""
