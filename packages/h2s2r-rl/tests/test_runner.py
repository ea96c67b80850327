"""The runner knows what the environment's policies know, and starts and goes on only where it may."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_rl.policy import NetworkPolicy
from h2s2r_rl.runner import RunCfg, RunError, run_policy
from h2s2r_rl.runner.mind import Mind, Sight
from h2s2r_schemas.artifacts import PolicySpec
from h2s2r_schemas.codec import encode, load, save
from h2s2r_schemas.errors import RobotFault
from h2s2r_schemas.testing import FirstOrderRobot
from h2s2r_schemas.wire import RobotState
from h2s2r_sim.config import EnvCfg, for_evaluation
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.mdp.goal import GoalCfg
from h2s2r_sim.perturbation import NONE, STANDARD
from h2s2r_sim.robot import SimRobot, SimRobotCfg
from h2s2r_sim.task import load_task

PUSH, ALLEGRO = load_task("snackbox_push"), load_embodiment("iiwa14_allegro")
CFG = EnvCfg(start=StartCfg(pool=4), num_threads=1)


@pytest.fixture(scope="module")
def env():
    made = make_env(PUSH, ALLEGRO, 2, for_evaluation(CFG))
    made.reset(0)
    return made


def spec_of(env):
    size = sum(term.size for term in env.obs_layout)
    return PolicySpec(
        name="test",
        task_name=PUSH.name,
        task_hash=hashlib.sha256(encode(PUSH)).hexdigest(),
        robot_name=ALLEGRO.name,
        robot_hash=env.robot.hash(),
        joint_names=env.robot.joint_names,
        control_hz=env.cfg.control_hz,
        obs_layout=env.obs_layout,
        obs_mean=np.zeros(size),
        obs_std=np.ones(size),
        obs_clip=10.0,
        num_actions=env.num_actions,
        action_map=env.actions.as_data(),
        goal_clock=env.cfg.goal.as_data(),
        onnx_sha256="none",
    )


def policy_of(env, action=0.0):
    """Wants the same all the time."""
    num_actions = env.num_actions
    return NetworkPolicy(
        spec_of(env), lambda obs, memory: (np.full((len(obs), num_actions), action, np.float32), memory)
    )


def sim_robot(seed=0, perturbation=NONE, kind="premanip"):
    cfg = SimRobotCfg(start=StartCfg(kind=kind, pool=1), perturbation=perturbation)
    return SimRobot(PUSH, ALLEGRO, cfg, seed)


def measured(env, step):
    return RobotState(
        robot_hash=env.robot.hash(),
        sequence=step,
        time=step * env.control_dt,
        joint_pos=env.episodes.sensors.joint_pos[0].copy(),
        joint_vel=env.episodes.sensors.joint_vel[0].copy(),
        joint_torque=np.zeros(len(env.robot.joint_names)),
        joint_pos_target=env.episodes.sensors.joint_pos[0].copy(),
        server_state="track",
    )


@pytest.mark.parametrize("clock", ["runs", "waits"])
def test_it_sees_and_means_what_the_environment_does(clock):
    """Given the same measurements, to the last bit, at the headline noise."""
    cfg = for_evaluation(replace(CFG, goal=GoalCfg(clock=clock, wait_distance=0.04)))
    env = make_env(PUSH, ALLEGRO, 2, cfg)
    obs = env.reset(3)
    mind = Mind(spec_of(env), PUSH, ALLEGRO)
    rng = np.random.default_rng(0)

    def sight(step):
        return Sight(
            env.episodes.sensors.wxyz_xyz_world_object[0].copy(),
            step * env.control_dt - env.episodes.sensors.object_age[0],
        )

    # The posture that fingers rest at is where the robot truly started; the runner knows only what is measured.
    assert np.array_equal(env.episodes.sensors.joint_pos[0], env.now.state.joint_pos[0])
    mind.begin(measured(env, 0), sight(0))
    for step in range(40):
        np.testing.assert_allclose(mind.observe(measured(env, step), sight(step)), obs["actor"][:1], atol=1e-6)
        action = rng.uniform(-0.3, 0.3, (2, env.num_actions))
        target = mind.target(action[:1], measured(env, step))
        obs, _, terminated, truncated, _ = env.step(action)
        if (terminated | truncated)[0]:
            break
        np.testing.assert_allclose(target, env.episodes.actions.joint_pos_target[0], atol=1e-9)
        mind.look(sight(step + 1))
        assert mind.goal_index[0] == env.episodes.goal_index[0]
    assert step > 10


class TestARun:
    def test_writes_down_what_happened(self, env, tmp_path):
        robot = sim_robot()
        result = run_policy(
            policy_of(env), robot, robot.object_state, PUSH, ALLEGRO, truth=lambda: robot.wxyz_xyz_world_object, seed=0
        )
        rollout = result.rollout
        assert result.stopped == ""
        # To the end of the reference, the time to settle after it, and the start.
        steps = int(np.ceil(PUSH.reference.duration * 15 - 1e-6)) + 8 + 1
        assert len(rollout.time) == steps
        np.testing.assert_allclose(np.diff(rollout.time), 1 / 15, atol=1e-9)
        assert rollout.goal_time[-1] == pytest.approx(PUSH.reference.duration)
        assert rollout.success is False
        assert rollout.emulated
        save(rollout, tmp_path / "rollout.h2s")
        assert load(tmp_path / "rollout.h2s") == rollout
        # The lease is free again, and the robot stands still.
        state = robot.next_state()
        assert (state.lease_epoch, state.server_state) == (0, "hold")

    def test_moves_the_robot_as_commanded(self, env):
        robot = sim_robot()
        rollout = run_policy(policy_of(env, 0.05), robot, robot.object_state, PUSH, ALLEGRO).rollout
        assert rollout.success is None
        moved = rollout.joint_pos[-1] - rollout.joint_pos[0]
        asked = rollout.joint_pos_target[-2] - rollout.joint_pos[0]
        assert np.abs(moved).max() > 0.1
        assert np.corrcoef(moved, asked)[0, 1] > 0.9

    def test_dry_run_commands_nothing(self, env):
        robot = sim_robot()
        rollout = run_policy(
            policy_of(env, 0.05), robot, robot.object_state, PUSH, ALLEGRO, RunCfg(dry_run=True)
        ).rollout
        state = robot.next_state()
        assert (state.server_state, state.lease_epoch, state.counters) == ("ready", 0, {})
        assert np.abs(rollout.joint_pos[-1] - rollout.joint_pos[0]).max() < 0.02
        assert np.abs(rollout.joint_pos_target[-1] - rollout.joint_pos[0]).max() > 0.05


class TestItDoesNotBegin:
    def refused(self, env, says, robot=None, source=None, task=PUSH, policy=None):
        robot = robot or sim_robot()
        with pytest.raises(RunError, match=says):
            run_policy(policy or policy_of(env), robot, source or robot.object_state, task, ALLEGRO)
        assert robot.next_state().lease_epoch == 0

    def test_on_another_robot(self, env):
        policy = policy_of(env)
        policy.spec = policy.spec.replace(robot_hash="f" * 16)
        self.refused(env, "was trained on robot", policy=policy)
        self.refused(env, "this robot has", robot=FirstOrderRobot(), source=lambda: None)

    def test_for_another_task(self, env):
        self.refused(env, "was trained for task", task=PUSH.replace(name="other"))

    def test_far_from_its_start(self, env):
        self.refused(env, "Bring the robot to its start", robot=sim_robot(kind="default"))

    def test_without_the_object(self, env):
        robot = sim_robot()
        self.refused(env, "not reported yet", robot, lambda: None)
        seen = robot.object_state()
        lost = seen.replace(wxyz_xyz_world_object=np.full(7, np.nan), lost=True, confidence=0.0)
        self.refused(env, "lost", robot, lambda: lost)
        self.refused(env, "s old", robot, lambda: seen.replace(capture_time=-1.0))
        self.refused(env, "reports 'mug'", robot, lambda: seen.replace(object_name="mug"))
        away = seen.wxyz_xyz_world_object + np.array([0, 0, 0, 0, 0.3, 0, 0])
        self.refused(env, "Put it there", robot, lambda: robot.object_state().replace(wxyz_xyz_world_object=away))

    def test_but_single_bad_poses_are_passed_over(self, env):
        robot, asked = sim_robot(), []

        def source():
            asked.append(1)
            seen = robot.object_state()
            away = seen.wxyz_xyz_world_object + np.array([0, 0, 0, 0, 0.3, 0, 0])
            return seen.replace(wxyz_xyz_world_object=away) if len(asked) in (1, 2, 4) else seen

        result = run_policy(policy_of(env), robot, source, PUSH, ALLEGRO)
        assert result.stopped == ""
        assert (
            np.linalg.norm(result.rollout.wxyz_xyz_world_object[0, 4:] - PUSH.reference.wxyz_xyz_world_object[0, 4:])
            < 0.1
        )

    def test_while_somebody_else_has_the_lease(self, env):
        from h2s2r_schemas.wire import Request

        robot = sim_robot()
        robot.request(Request(kind="acquire_lease", sequence=0, session="other", client_time=0.0))
        with pytest.raises(RunError, match="lease_taken"):
            run_policy(policy_of(env), robot, robot.object_state, PUSH, ALLEGRO)


class Stubborn:
    """A simulated robot that goes on standing still, or is gone after some time."""

    def __init__(self, robot, gone_after=np.inf, follows=True):
        self.robot, self.gone_after, self.follows = robot, gone_after, follows

    def __getattr__(self, name):
        return getattr(self.robot, name)

    def command(self, command):
        if self.follows:
            self.robot.command(command)

    def next_state(self):
        state = self.robot.next_state()
        if state.time > self.gone_after:
            raise RobotFault("no_state", "The server has sent no state.", "See whether it runs.")
        return state


class TestItStops:
    def test_before_it_begins_when_nothing_is_followed(self, env):
        robot = Stubborn(sim_robot(), follows=False)
        with pytest.raises(RunError, match="does not follow commands to stay where it is"):
            run_policy(policy_of(env), robot, robot.object_state, PUSH, ALLEGRO)
        assert robot.next_state().lease_epoch == 0

    def test_when_the_robot_is_gone_and_keeps_what_it_saw(self, env):
        robot = Stubborn(sim_robot(), gone_after=1.0)
        result = run_policy(policy_of(env), robot, robot.object_state, PUSH, ALLEGRO)
        assert "cannot be reached any more, no_state" in result.stopped
        assert 0.7 < result.rollout.time[-1] <= 1.0
        assert len(result.thinking) == len(result.rollout.time) and (result.thinking > 0.0).all()

    def test_begins_in_the_rhythm_of_the_policy(self, env):
        robot = sim_robot()
        sent, command = [], robot.command
        robot.command = lambda each: (sent.append(each), command(each))
        rollout = run_policy(policy_of(env, 1.0), robot, robot.object_state, PUSH, ALLEGRO).rollout
        # First where it stands, then the policy's, one period apart.
        assert np.abs(sent[0].joint_pos_target - rollout.joint_pos[0]).max() < 1e-3
        assert np.abs(sent[1].joint_pos_target - rollout.joint_pos[0]).max() > 0.03
        np.testing.assert_allclose(np.diff([each.client_time for each in sent]), 1 / 15, atol=1e-9)

    def test_when_the_object_is_lost_for_long(self, env):
        robot = sim_robot()
        start = []

        def source():
            seen = robot.object_state()
            start.append(seen.capture_time)
            gone = seen.capture_time - start[0] > 1.0
            lost = {"wxyz_xyz_world_object": np.full(7, np.nan), "lost": True, "confidence": 0.0}
            return seen.replace(**lost) if gone else seen

        result = run_policy(policy_of(env), robot, source, PUSH, ALLEGRO, RunCfg(object_age=0.4))
        assert "has not been seen" in result.stopped
        assert 1.2 < result.rollout.time[-1] - result.rollout.time[0] < 1.8
        assert result.rollout.object_age.max() > 0.4
        assert robot.next_state().lease_epoch == 0

    def test_when_somebody_hits_the_emergency_stop(self, env):
        from h2s2r_schemas.wire import Request

        robot = sim_robot()

        def source():
            if robot.object_state().capture_time > 1.0:
                robot.request(Request(kind="estop", sequence=0, session="operator", client_time=0.0))
            return robot.object_state()

        result = run_policy(policy_of(env), robot, source, PUSH, ALLEGRO)
        assert "'estop'" in result.stopped
        assert result.rollout.time[-1] < 1.5


def test_it_starts_at_the_headline_noise(env):
    """Limits of the start leave room for it: nearly all starts of training are allowed."""
    policy, refused = policy_of(env), []
    for seed in range(10):
        robot = sim_robot(seed, STANDARD)
        try:
            run_policy(policy, robot, robot.object_state, PUSH, ALLEGRO, RunCfg(dry_run=True))
        except RunError as error:
            refused.append(str(error))
    assert refused == []
