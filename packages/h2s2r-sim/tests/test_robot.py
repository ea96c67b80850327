"""One simulated robot keeps the contract ``Robot``, moves as the environment's robots do, and shows the object as a camera would.

In:  bundled tasks, robots by name.   Out: conformance; equal motion; poses as old and as noisy as declared.
Not here: the emulated cell (h2s2r-hw), policies that drive it (h2s2r-rl).
"""

from __future__ import annotations

import numpy as np
import pytest

from h2s2r_retarget.embodiment import embodiment_names, load_embodiment
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.testing import check_robot
from h2s2r_schemas.wire import Request, RobotCommand, RobotState
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.engine import EngineError
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.perturbation import NONE, STANDARD, Perturbation
from h2s2r_sim.robot import SimRobot, SimRobotCfg
from h2s2r_sim.task import load_task

PUSH = load_task("snackbox_push")


def robot_of(name: str = "iiwa14_allegro", seed: int = 0, kind: str = "premanip", **cfg: object) -> SimRobot:
    return SimRobot(PUSH, load_embodiment(name), SimRobotCfg(start=StartCfg(kind=kind, pool=1), **cfg), seed)  # type: ignore[arg-type]


class Client:
    """Holds the lease of a robot and streams targets."""

    def __init__(self, robot: SimRobot) -> None:
        self.robot, self.sent = robot, 0
        reply = robot.request(Request(kind="acquire_lease", sequence=0, session="test", client_time=0.0))
        self.lease = {"lease_epoch": reply.lease_epoch, "lease_token": reply.lease_token}
        robot.request(Request(kind="arm", sequence=1, session="test", client_time=0.0, **self.lease))

    def follow(self, joint_pos_target: np.ndarray) -> RobotState:
        self.sent += 1
        self.robot.command(
            RobotCommand(
                robot_hash=self.robot.hello().robot.hash(),
                sequence=self.sent,
                client_time=0.0,
                joint_pos_target=joint_pos_target,
                **self.lease,
            )
        )
        return self.robot.next_state()


@pytest.mark.parametrize("name", embodiment_names())
def test_it_keeps_the_contract_in_a_disturbed_cell(name: str) -> None:
    # At home there is a hand's width of free space around it, as the check asks for.
    check_robot(lambda: robot_of(name, kind="default", perturbation=STANDARD))


def test_it_keeps_the_contract() -> None:
    check_robot(lambda: robot_of("iiwa14_leap", kind="default"))


def test_it_moves_as_a_robot_of_the_environment() -> None:
    """The same start and targets at the same rate: the same motion of joints and object, bit for bit."""
    env = make_env(PUSH, num_envs=2, cfg=EnvCfg(perturbation=NONE, start=StartCfg(pool=1)))
    env.reset(0)
    client = Client(robot_of(state_hz=env.cfg.control_hz, command_hz=(10.0, 15.0)))
    action = np.zeros((2, env.num_actions))
    # Slowly to the left, which pushes the box ahead of the goal but not out of the episode.
    action[:, 1] = 0.4
    for _ in range(15):
        _, _, terminated, _, _ = env.step(action)
        assert not terminated.any()
        state = client.follow(env.episodes.actions.joint_pos_target[0])
        assert state.server_state == "track"
        assert np.array_equal(state.joint_pos, env.now.state.joint_pos[0])
        assert np.array_equal(client.robot.wxyz_xyz_world_object, env.now.state.wxyz_xyz_world_object[0])
    assert np.linalg.norm(client.robot.wxyz_xyz_world_object - PUSH.reference.wxyz_xyz_world_object[0]) > 0.02


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_cell() -> None:
    runs = []
    for seed in (0, 0, 1):
        client = Client(robot_of(perturbation=STANDARD, seed=seed))
        target = client.robot.next_state().joint_pos + 0.05
        states = [client.follow(target) for _ in range(20)]
        runs.append(np.concatenate([states[-1].joint_pos, client.robot.object_state().wxyz_xyz_world_object]))
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_the_camera_is_late_and_its_clock_is_the_robots() -> None:
    robot = robot_of(perturbation=Perturbation(camera_hz=15.0, camera_delay=0.06))
    ages = []
    for _ in range(40):
        now, seen = robot.next_state().time, robot.object_state()
        ages.append(now - seen.capture_time)
        assert seen.object_name == PUSH.object.name
        assert np.allclose(seen.wxyz_xyz_world_object, robot.wxyz_xyz_world_object, atol=1e-3)
    assert min(ages) >= 0.06 - 1e-9 and max(ages) < 0.06 + 1.0 / 15.0 + 1e-9
    assert len(set(np.round(ages, 6))) > 2


def test_what_it_cannot_do_is_said() -> None:
    with pytest.raises(SchemaError, match="not a whole number"):
        robot_of(state_hz=50.0)
    with pytest.raises(EngineError, match="There is no engine 'bullet'"):
        robot_of(engine="bullet")
    client = Client(robot_of())
    refused = client.robot.request(
        Request(kind="load_residual", sequence=2, session="test", client_time=0.0, **client.lease)
    )
    assert (refused.ok, refused.code) == (False, "unsupported")
    client.robot.command(
        RobotCommand(
            robot_hash=client.robot.hello().robot.hash(),
            sequence=1,
            client_time=0.0,
            joint_pos_target=client.robot.hello().robot.home,
            joint_torque_feedforward=np.ones(23),
            **client.lease,
        )
    )
    state = client.robot.next_state()
    assert (state.last_refusal, state.server_state) == ("unsupported", "hold")
