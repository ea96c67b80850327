"""The server as processes of an operating system.

In:  a configuration.   Out: a supervisor and its children, who die and are replaced as declared.
Not here: what the loops do (loops), the same loops in one process and virtual time (emulators).
"""
