"""The environment: N robots at one task, stepped together.

In:  ``TaskSpec``, a robot, ``EnvCfg``.   Out: ``VecEnv`` (environment.make_env).
Not here: the functions it is made of (mdp), physics (engines).
"""
