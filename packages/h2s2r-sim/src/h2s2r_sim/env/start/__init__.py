"""How episodes begin.

In:  task, embodiment, how far starts may be off.   Out: a pool of starts, draws of the world, an archive of own states.
Not here: putting them into engine and sensors (environment).
"""
