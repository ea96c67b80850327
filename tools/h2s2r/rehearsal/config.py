"""How a policy is rehearsed.

In:  nothing.   Out: ``RehearsalCfg``; the server's settings for a robot.
Not here: doing it (cell, episode, rehearse).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from h2s2r_hw.config import ArmCfg, HandCfg, MotionCfg, ServerCfg
from h2s2r_hw.drivers.allegro import JOINT_NAMES as HAND_JOINTS
from h2s2r_hw.drivers.fri import JOINT_NAMES as ARM_JOINTS
from h2s2r_hw.server.config import GatewayCfg
from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.mdp.actions import ActionCfg
from h2s2r_sim.perturbation import LEVELS

#: What is said of a success: the policy saw nothing but the simulator before.
WORDS = "zero-shot to the emulated robot"

#: Gains differ from the model by up to a tenth, and what moves overshoots.
_BEYOND = 1.2


@dataclass(frozen=True)
class RehearsalCfg:
    """Episodes in lock-step, each in a cell of its own."""

    episodes: int = 10
    """How many."""
    seed: int = 2_000_000
    """Of the first cell; the others have those after it. Everything that is drawn depends on it alone."""
    noise: str = "standard"
    """How the cells differ from the model: a level of ``h2s2r_sim.perturbation``."""
    tracked: bool = False
    """Whether object poses come from h2s2r-perception, which tracks the object in pictures of the twin; otherwise they are the
    true ones with the noise of training."""
    workers: int = 1
    """Cells at a time, each in a process of its own with a process for its policy."""

    def __post_init__(self) -> None:
        if min(self.episodes, self.workers) < 1 or self.seed < 0:
            raise SchemaError(
                f"episodes {self.episodes} and workers {self.workers} are at least 1, seed {self.seed} at least 0."
            )
        if self.noise not in LEVELS:
            raise SchemaError(f"There is no noise level {self.noise!r}; there are: {', '.join(LEVELS)}.")


def can_be_emulated(embodiment: Embodiment) -> str:
    """Why a robot cannot be emulated; empty if it can."""
    missing = [name for name in (*ARM_JOINTS, *HAND_JOINTS) if name not in embodiment.joint_names]
    if not missing:
        return ""
    return (
        f"No rehearsal: the emulated cell is a KUKA LBR iiwa with an Allegro hand, and {embodiment.name} has no joint "
        f"{missing[0]}."
    )


def server_cfg(embodiment: Embodiment) -> ServerCfg:
    """The server as it is set up once commissioning is signed off, for a robot with the gains that the policy knows.

    States come 60 times a second, so that every fourth is one of the policy's steps. The limits of contact are those of the
    training: a policy's targets lead the arm by ``ActionCfg.arm_lead`` at most, so with these soft gains it lags and presses by
    no more than that; what goes beyond is a collision. The server's own 60 N·m about the arm's first three joints, which are for
    one that moves freely, stopped 10 of 22 episodes of a policy that pushes a box (``h2s2r demo --seed 1``).
    """
    at = [embodiment.joint_names.index(name) for name in HAND_JOINTS]
    arm = [embodiment.joint_names.index(name) for name in ARM_JOINTS]
    lead = _BEYOND * ActionCfg().arm_lead
    pressed = tuple(min(lead * float(embodiment.kp[joint]), float(embodiment.torque_limit[joint])) for joint in arm)
    return ServerCfg(
        arm=ArmCfg(off_target=lead, external_torque_limit=pressed),
        hand=HandCfg(
            side=embodiment.side,
            kp=tuple(float(embodiment.kp[joint]) for joint in at),
            kd=tuple(float(embodiment.kd[joint]) for joint in at),
            current_fraction=1.0,
        ),
        motion=MotionCfg(speed_scale=1.0),
        gateway=replace(GatewayCfg(), state_hz=60.0),
    )
