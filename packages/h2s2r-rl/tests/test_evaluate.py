import numpy as np
import pytest

from h2s2r_rl.evaluate import evaluate, judge
from h2s2r_rl.evaluate.stages import Stages, stages
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.testing.fakes.robot import fake_robot_spec
from h2s2r_schemas.testing.fakes.vec_env import fake_task
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.mdp.goal import sample
from h2s2r_sim.task import load_task


class Still:
    """Does nothing, and remembers what was asked of it."""

    def __init__(self, num_actions):
        self.num_actions, self.batches, self.resets = num_actions, [], []

    def reset(self, env_ids=None):
        self.resets.append(env_ids)

    def act(self, obs):
        self.batches.append(len(obs))
        return np.zeros((len(obs), self.num_actions))


class Scripted:
    """An environment whose episodes last and end as told: lengths (N) [steps], successes (N)."""

    failure_kinds = ("dropped", "missed")
    num_actions = 1

    def __init__(self, lengths, successes):
        self.num_envs = len(lengths)
        self._lengths, self._successes = np.array(lengths), np.array(successes)
        self.seed = None
        self.task, self.robot = fake_task(), fake_robot_spec()
        self._at_last = np.repeat(self.task.reference.wxyz_xyz_world_object[-1:], len(lengths), 0)
        self._at_last[:, 4] += 0.01 * np.arange(len(lengths))

    def reset(self, seed=None):
        self.seed, self._age = seed, np.zeros(self.num_envs, dtype=int)
        return {"actor": np.zeros((self.num_envs, 2)), "critic": np.zeros((self.num_envs, 2))}

    def step(self, action):
        self._age += 1
        ended = self._age == self._lengths
        self._age[ended] = 0
        extras = {
            "success": ended & self._successes,
            "failure": np.where(ended & ~self._successes, np.arange(self.num_envs) % 2, -1),
            "wxyz_xyz_world_object": self._at_last,
        }
        obs = {"actor": np.zeros((self.num_envs, 2)), "critic": np.zeros((self.num_envs, 2))}
        return obs, np.zeros(self.num_envs), ended & ~self._successes, ended & self._successes, extras


def test_short_episodes_do_not_count_more_often():
    # The one that fails is over ten times as fast as the one that succeeds: half of the episodes are still each one's.
    env = Scripted([2, 20], [False, True])
    found = judge(Still(1), env, episodes=10, seed=4)
    assert (found.episodes, found.successes, found.failures) == (10, 5, {"dropped": 5})
    assert found.success == 0.5
    assert env.seed == 4


def test_counts_every_kind_and_how_near_successes_came():
    found = judge(Still(1), Scripted([1, 1, 1, 1], [False, False, True, False]), episodes=8, seed=0)
    assert found.failures == {"missed": 4, "dropped": 2}
    assert found.successes == 2
    assert found.position_error == pytest.approx(0.02)
    assert found.rotation_error == pytest.approx(0.0, abs=1e-6)


def test_number_of_episodes_need_not_divide():
    found = judge(Still(1), Scripted([3, 3, 3], [True, True, False]), episodes=4, seed=0)
    assert (found.episodes, found.successes) == (4, 3)


def test_policy_forgets_ended_episodes():
    policy = Still(1)
    judge(policy, Scripted([1, 3], [True, True]), episodes=2, seed=0)
    assert policy.resets[0] is None
    assert [list(each) for each in policy.resets[1:]] == [[0], [0], [0, 1]]


def test_every_step_can_be_seen():
    steps = []
    judge(Still(1), Scripted([2, 2], [True, True]), 2, 0, look=lambda *step: steps.append(step))
    assert len(steps) == 2
    assert steps[-1][1].all()


def test_interval_belongs_to_the_figures():
    found = judge(Still(1), Scripted([1, 1], [True, False]), episodes=20, seed=0)
    low, high = found.interval
    assert low < found.success < high


def test_a_robot_that_stands_still_fails_in_the_real_environment():
    found = evaluate(
        Still(11), "snackbox_push", cfg=EnvCfg(start=StartCfg(pool=32), num_threads=1), episodes=6, seed=123
    )
    assert (found.episodes, found.successes) == (6, 0)
    assert sum(found.failures.values()) == 6
    assert np.isnan(found.position_error)
    # Nothing to slide to before the end, which is success.
    assert found.stages == {"1_slide": 0}


@pytest.mark.requirement("H34")
@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("snackbox_push", ["slide"]),
        ("snackbox_push_pivot", ["slide", "tip"]),
        ("pitcher_pour", ["lift"]),
        ("plate_pivot_lift_rack", ["slide", "tip", "lift", "put_down"]),
    ],
)
def test_stages_are_read_off_the_reference(task, names):
    found = stages(load_task(task))
    assert [name for name, _ in found] == names
    ends = [end for _, end in found]
    assert ends == sorted(ends) and ends[-1] == 1.0


@pytest.mark.requirement("H34")
def test_an_episode_came_through_what_the_object_was_at_the_end_of():
    task = load_task("plate_pivot_lift_rack")
    (_, slid), (_, tipped), (_, lifted), _ = stages(task)
    watched = Stages(task, num_envs=5)
    at = sample(task.reference, np.array([0.0, slid, tipped, lifted, 1.0]) * task.reference.duration)
    watched.see(at)
    # Back on the table, what was lifted had been lifted all the same.
    watched.see(np.repeat(at[:1], 5, 0))
    passed = [watched.passed(env_id, success=env_id == 4) for env_id in range(5)]
    assert passed == [0, 1, 2, 3, 4]
    assert watched.counts(passed) == {"1_slide": 4, "2_tip": 3, "3_lift": 2, "4_put_down": 1}
    watched.forget(np.array([2]))
    assert [watched.passed(env_id, success=False) for env_id in (1, 2, 3)] == [1, 0, 3]


def test_no_episode_is_refused():
    with pytest.raises(SchemaError, match="at least 1"):
        evaluate(Still(11), "snackbox_push", episodes=0)
