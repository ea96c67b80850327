"""Names that the cell and the policy's process agree on.

In:  nothing.   Out: the policy's name, the channels it reads.
Not here: addresses and keys, which a cell makes anew (cell).
"""

from __future__ import annotations

from h2s2r_schemas.client.addresses import STATES, own_channels
from h2s2r_schemas.client.objects import OBJECTS

#: Name of the policy's process in the group of lock-step, and of its client at the server.
POLICY = "policy"
#: Messages that it reads.
CHANNELS = (STATES, *own_channels(POLICY), OBJECTS)
