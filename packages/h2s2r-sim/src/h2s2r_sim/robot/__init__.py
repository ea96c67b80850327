"""One simulated robot behind the ``Robot`` contract, in virtual time.

In:  a task and a robot.   Out: ``SimRobot``.
Not here: many robots that learn (env), the real server and its emulated cell (hw).
"""

from h2s2r_sim.robot.simulated import SimRobot, SimRobotCfg

__all__ = ["SimRobot", "SimRobotCfg"]
