"""The client: talk to a robot server, and send or hear where the object is. Needs the extra ``client`` (pyzmq).

In:  an address, keys.   Out: ``RobotClient``, a ``Robot``; ``Session`` on any ``Robot``; publisher and subscriber of objects.
Not here: the server (h2s2r-hw), what is commanded (rl), where the object is (perception).
"""

from h2s2r_schemas.client.addresses import DEFAULT_ADDRESS
from h2s2r_schemas.client.clock import ClientClock, WallClock
from h2s2r_schemas.client.keys import ClientKeys
from h2s2r_schemas.client.objects import ObjectPublisher, ObjectSubscriber
from h2s2r_schemas.client.robot import RobotClient
from h2s2r_schemas.client.session import Session

__all__ = [
    "DEFAULT_ADDRESS",
    "ClientClock",
    "ClientKeys",
    "ObjectPublisher",
    "ObjectSubscriber",
    "RobotClient",
    "Session",
    "WallClock",
]
