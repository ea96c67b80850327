"""What stands between clients and the loops: keys, lease, admission of commands, sockets.

In:  messages of authenticated clients, the loops' status.   Out: targets and orders for the loops, replies, states.
Not here: motion (motion, loops), messages and the client (schemas).
"""
