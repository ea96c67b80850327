"""What the devices speak, byte by byte: codecs without sockets, used by the server and by the emulators.

In:  values with units, or bytes.   Out: bytes, or values with units.
Not here: sockets and buses, loops (server), devices that are not there (emulators).
"""
