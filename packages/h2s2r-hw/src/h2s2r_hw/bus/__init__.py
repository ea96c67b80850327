"""What the processes of the server tell each other, without one ever waiting for another.

In:  fixed records.   Out: the newest of them (slots), all of them (ring), files (log).
Not here: what the records mean to a loop (loops), messages with clients (server).
"""
