"""``check_policy`` passes correct policies, and catches each way of being wrong by the name of its clause.

In:  the fake policy, and small changes of it.   Out: nothing, or the ``ContractError`` of the right clause.
Not here: real implementations (rl), which run the same check in their own tests.
"""

from __future__ import annotations

import numpy as np
import pytest
from faults_for_tests import Faults, assert_caught, clauses_of

from h2s2r_schemas.contracts import Policy
from h2s2r_schemas.errors import ContractError
from h2s2r_schemas.testing import RecurrentPolicy, check_policy, clause_names

# ── correct policies ────────────────────────────────────────────────────────────────────────────────────────────────


class Forgetful(RecurrentPolicy):
    """Without memory."""

    def act(self, obs):
        action = super().act(obs)
        self.memory[:] = 0.0
        return action


class Single(RecurrentPolicy):
    """Answers in float32, as networks do."""

    def output(self, memory):
        return super().output(memory).astype(np.float32)


@pytest.mark.parametrize("kind", [RecurrentPolicy, Forgetful, Single])
@pytest.mark.parametrize("like", [None, np.zeros(0)])
def test_a_correct_policy_passes(kind, like):
    check_policy(kind, like)


def test_a_correct_policy_on_tensors_passes():
    torch = pytest.importorskip("torch")

    class OnTensors(RecurrentPolicy):
        def act(self, obs):
            return torch.from_numpy(super().act(obs.numpy()))

    check_policy(OnTensors, torch.zeros(0))
    with pytest.raises(ContractError, match=r"Policy.actions.*of the kind of obs"):
        check_policy(Mixed, torch.zeros(0))


class Mixed(RecurrentPolicy):
    """Takes tensors, returns NumPy arrays."""

    def act(self, obs):
        return super().act(obs.numpy())


# ── faulty policies ─────────────────────────────────────────────────────────────────────────────────────────────────

FAULTY = faulty = Faults("Policy")


@faulty("spec", "has changed")
class SpecChanges(RecurrentPolicy):
    def reset(self, env_ids=None):
        super().reset(env_ids)
        self.spec = self.spec.replace(training={"resets": self.spec.training.get("resets", 0) + 1})


@faulty("spec", "is a dict")
class SpecOfAnotherType(RecurrentPolicy):
    def __init__(self):
        self.spec = {"num_actions": 3}


@faulty("actions", "span")
class ActionsTooLarge(RecurrentPolicy):
    def output(self, memory):
        return 1.5 * super().output(memory)


@faulty("actions", "nan")
class ActionsNotANumber(RecurrentPolicy):
    def output(self, memory):
        return np.log(super().output(memory))


@faulty("actions", "span", "for observations that span")
class ActionsLargeForLargeObservations(RecurrentPolicy):
    def act(self, obs):
        return super().act(obs) * np.maximum(1.0, np.abs(obs).max() / 1e3)


@faulty("actions", "shape (5, 4)", "(5, 3)")
class TooManyActions(RecurrentPolicy):
    def output(self, memory):
        return np.concatenate((super().output(memory), memory[:, :1]), 1)


@faulty("actions", "shape (3,)")
class OnlyTheFirstRow(RecurrentPolicy):
    def output(self, memory):
        return super().output(memory)[0]


@faulty("actions", "int64")
class WholeNumbers(RecurrentPolicy):
    def output(self, memory):
        return np.rint(super().output(memory)).astype(np.int64)


@faulty("batch", "took 4 rows after 5")
class AnyNumberOfRows(RecurrentPolicy):
    def act(self, obs):
        if self.memory is not None:
            self.memory = self.memory[: len(obs)]
        return super().act(obs)


@faulty("batch", "raised ValueError")
class AnotherErrorForAnotherNumberOfRows(RecurrentPolicy):
    def act(self, obs):
        try:
            return super().act(obs)
        except ContractError as error:
            raise ValueError("operands could not be broadcast together") from error


@faulty("arrays", "act() changed obs")
class NormalisesInPlace(RecurrentPolicy):
    def normalised(self, obs):
        obs -= self.spec.obs_mean.astype(obs.dtype)
        return obs


@faulty("arrays", "actions returned earlier have changed")
class OneOutputBuffer(RecurrentPolicy):
    buffer = None

    def output(self, memory):
        if self.buffer is None or len(self.buffer) != len(memory):
            self.buffer = np.zeros((len(memory), 3))
        self.buffer[:] = super().output(memory)
        return self.buffer


@faulty("arrays", "after the caller wrote into")
class RemembersTheCallersObservation(RecurrentPolicy):
    before = None

    def reset(self, env_ids=None):
        super().reset(env_ids)
        if env_ids is None:
            self.before = None
        elif self.before is not None:
            self.before = self.before.copy()
            self.before[list(env_ids)] = 0.0

    def act(self, obs):
        action = super().act(obs)
        if self.before is not None:
            action = np.clip(action + 0.1 * self.before[:, :3], -1.0, 1.0)
        self.before = obs
        return action


@faulty("arrays", "after the caller wrote into")
class RemembersTheCallersAction(RecurrentPolicy):
    def output(self, memory):
        self.memory = super().output(memory) @ np.eye(3, self.spec.hidden_size)
        return self.memory[:, :3]


@faulty("determinism", "gave other actions")
class Samples(RecurrentPolicy):
    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng(0)

    def output(self, memory):
        return np.tanh(memory @ self.to_action + self.rng.normal(scale=0.1, size=(len(memory), 3)))


@faulty("determinism", "gave other actions")
class SamplesLate(Samples):
    """Only from the fourth step on."""

    steps = 0

    def reset(self, env_ids=None):
        super().reset(env_ids)
        self.steps = self.steps if env_ids is not None else 0

    def output(self, memory):
        self.steps += 1
        return super().output(memory) if self.steps > 3 else RecurrentPolicy.output(self, memory)


@faulty("reset", "depend on what was before")
class ResetForgetsNothing(RecurrentPolicy):
    def reset(self, env_ids=None):
        if self.memory is not None and env_ids is not None:
            super().reset(env_ids)


@faulty("reset", "depend on what was before")
class ResetForgetsHalf(RecurrentPolicy):
    def reset(self, env_ids=None):
        if env_ids is None and self.memory is not None:
            self.memory[:, :4] = 0.0
        else:
            super().reset(env_ids)

    def act(self, obs):
        if self.memory is not None and len(self.memory) != len(obs):
            self.memory = None
        return super().act(obs)


@faulty("reset", "after reset([])")
class NoRowsMeansAllRows(RecurrentPolicy):
    def reset(self, env_ids=None):
        super().reset(env_ids or None)


@faulty("reset", "changed the actions of rows [0, 2, 4]")
class SomeRowsMeansAllRows(RecurrentPolicy):
    def reset(self, env_ids=None):
        super().reset(None if env_ids is None or len(env_ids) else [])


@faulty("reset", "changed the actions of rows [0, 2, 4]")
class ResetsAsManyRowsFromTheFirst(RecurrentPolicy):
    def reset(self, env_ids=None):
        super().reset(None if env_ids is None else range(len(env_ids)))


@faulty("reset", "as if they remembered")
class SomeRowsMeansNoRows(RecurrentPolicy):
    def reset(self, env_ids=None):
        super().reset(None if env_ids is None else [])


@faulty("rows", "row 0 acts differently")
class NormalisesOverTheBatch(RecurrentPolicy):
    def normalised(self, obs):
        return (obs - obs.mean(0)) / (obs.std(0) + 1.0)


@faulty("rows", "row 0 acts differently")
class MixesMemory(RecurrentPolicy):
    def output(self, memory):
        return super().output(0.9 * memory + 0.1 * memory.mean(0))


@faulty("rows", "in another order")
class RowsKnowTheirNumber(RecurrentPolicy):
    def output(self, memory):
        return 0.9 * super().output(memory) + 0.01 * np.arange(len(memory))[:, None]


@faulty("rows", "given alone")
class OneRowIsSomethingElse(RecurrentPolicy):
    def output(self, memory):
        return super().output(memory) * (0.5 if len(memory) == 1 else 1.0)


@pytest.mark.parametrize(("kind", "clause", "words", "options"), FAULTY)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_faulty_policy_is_caught_by_the_right_clause(kind, clause, words, options):
    assert_caught(lambda: check_policy(kind, **options), clause, words)


def test_every_clause_has_a_policy_that_breaks_it():
    assert sorted(clauses_of(FAULTY)) == sorted(clause_names(Policy))
