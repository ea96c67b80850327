"""One lease at a time, and how old a message is.

In:  sequences of grants, uses and silences on a clock of our own.   Out: who holds the lease; ages.
Not here: single commands (test_admission), sockets (test_gateway).
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from h2s2r_hw.server.age import DRIFT, AgeFilter
from h2s2r_hw.server.lease import Client, Lease
from h2s2r_hw.server.rates import RateLimit, RateLimits
from h2s2r_hw.server.refusals import Refused

MS = 1_000_000
TTL = 500 * MS
ANN, BOB, OPERATOR = Client("a" * 40, "ann", False), Client("b" * 40, "bob", False), Client("o" * 40, "op", True)


def new_lease(last_epoch: int = 0) -> Lease:
    tokens = itertools.count(1000)
    return Lease(TTL, lambda: next(tokens), last_epoch)


def granted(lease: Lease, client: Client, session: str = "s", force: bool = False, now_ns: int = 0) -> bool:
    return lease.acquire(client, session, force, TTL, now_ns) is None


@pytest.mark.parametrize("holder", [None, ANN, BOB, OPERATOR])
@pytest.mark.parametrize("asker", [ANN, BOB, OPERATOR])
@pytest.mark.parametrize("same_session", [False, True])
@pytest.mark.parametrize("force", [False, True])
def test_who_gets_it(holder: Client | None, asker: Client, same_session: bool, force: bool):
    lease = new_lease()
    if holder is not None:
        assert granted(lease, holder, "first")
    before = (lease.user, lease.session, lease.epoch, lease.token, lease.used_ns)
    session = "first" if same_session else "second"
    got = granted(lease, asker, session, force, 7 * MS)
    own = holder is None or (holder == asker and same_session)
    assert got == (own or (force and (holder == asker or asker.operator)))
    if got:
        assert (lease.user, lease.session, lease.epoch) == (asker.user, session, before[2] + 1)
        assert lease.token != before[3]
        assert lease.used_ns == 7 * MS
    else:
        assert (lease.user, lease.session, lease.epoch, lease.token, lease.used_ns) == before


def test_epochs_go_on_after_a_restart_and_after_freeing():
    lease = new_lease(last_epoch=41)
    epochs = []
    for _ in range(3):
        assert granted(lease, ANN)
        epochs.append(lease.epoch)
        lease.free()
        assert lease.epoch == 0
    assert epochs == [42, 43, 44]


@pytest.mark.parametrize("client", [ANN, BOB, OPERATOR])
@pytest.mark.parametrize("epoch_off", [-1, 0, 1])
@pytest.mark.parametrize("token_off", [0, 1])
def test_only_the_holder_with_epoch_and_token_may_act(client: Client, epoch_off: int, token_off: int):
    lease = new_lease(5)
    assert granted(lease, ANN)
    refused = lease.check(client, lease.epoch + epoch_off, lease.token + token_off)
    assert (refused is None) == (client == ANN and not epoch_off and not token_off)
    if refused is not None:
        assert refused.code == "no_lease"
        assert str(lease.token) not in refused.cause, "the secret is never told"


def test_nobody_may_act_while_it_is_free():
    lease = new_lease()
    for epoch, token in itertools.product((0, 1), (0, 1000)):
        assert isinstance(lease.check(ANN, epoch, token), Refused)


def test_it_ends_by_silence_and_a_late_message_does_not_prolong_it_beyond_its_making():
    lease = new_lease()
    assert granted(lease, ANN)
    assert not lease.expired(TTL)
    assert lease.expired(TTL + 1)
    lease.keep(300 * MS)
    lease.keep(100 * MS)  # made earlier, received later
    assert not lease.expired(300 * MS + TTL)
    assert lease.expired(300 * MS + TTL + 1)
    lease.free()
    assert not lease.expired(10**12)


def test_a_shorter_life_may_be_asked_for_but_no_longer_one():
    lease = new_lease()
    assert lease.acquire(ANN, "s", False, 100 * MS, 0) is None
    assert lease.expired(100 * MS + 1)
    assert lease.acquire(ANN, "s", False, 10 * TTL, 0) is None
    assert lease.expired(TTL + 1)


def test_old_tokens_are_dead():
    lease = new_lease()
    old = []
    for client in (ANN, BOB, ANN):
        assert granted(lease, client)
        old.append((client, lease.epoch, lease.token))
        lease.free()
    assert granted(lease, ANN)
    assert all(isinstance(lease.check(*each), Refused) for each in old)


# ── ages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("drift", [-1e-4, 0.0, 1e-4])
@pytest.mark.parametrize("start", [-1e6, 0.0, 3e5])
def test_fresh_messages_stay_fresh_for_hours_whatever_the_clocks(drift: float, start: float):
    rng, filter_, worst = np.random.default_rng(7), None, 0.0
    for step in range(20_000):
        made = step * 0.5
        delay = 1e-3 + float(rng.exponential(2e-3))
        client_time, now_ns = start + made * (1.0 + drift), round((made + delay) * 1e9)
        filter_ = filter_ or AgeFilter(client_time, now_ns)
        age = filter_.age(client_time, now_ns)
        worst = max(worst, age - delay)
        filter_.accept(client_time, now_ns)
    # A clock that runs slow looks like a delay that grows; the bound follows it.
    assert worst < 5e-3


@pytest.mark.parametrize("freeze", [0.05, 0.2, 0.5, 5.0])
def test_a_burst_after_a_freeze_has_its_age(freeze: float):
    filter_ = AgeFilter(100.0, 0)
    for step in range(50):
        filter_.accept(100.0 + step / 60, round(step / 60 * 1e9))
    end = 50 / 60 + freeze
    for step in range(50, 50 + round(freeze * 60)):
        made = step / 60
        assert filter_.age(100.0 + made, round(end * 1e9)) == pytest.approx(
            end - made, abs=2.0 * DRIFT * (freeze + 0.1)
        )


def test_a_delay_that_creeps_is_seen_as_age():
    filter_ = AgeFilter(0.0, 0)
    for step in range(600):
        made = step / 60
        now_ns = round(made * 1.05 * 1e9)  # 50 ms more delay for each second
        if filter_.age(made, now_ns) > 0.15:
            break
        filter_.accept(made, now_ns)
    assert made == pytest.approx(3.0, abs=0.1)


def test_a_quicker_message_than_any_before_is_younger_than_zero():
    filter_ = AgeFilter(0.0, 300 * MS)
    assert filter_.age(1.0, 1100 * MS) == pytest.approx(-0.2, abs=1e-3)
    assert filter_.made_ns(1.0, 1100 * MS) == 1100 * MS, "never in the future"
    filter_.accept(1.0, 1100 * MS)
    assert filter_.age(1.2, 1350 * MS) == pytest.approx(0.05, abs=1e-3)
    assert filter_.made_ns(1.2, 1350 * MS) == pytest.approx(1300 * MS, abs=MS)


# ── rates ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_bucket_lets_its_burst_through_and_then_its_rate():
    bucket = RateLimit(100.0, 20, 0)
    assert sum(bucket.allow(0) for _ in range(1000)) == 20
    passed = sum(bucket.allow(step * MS) for step in range(1, 1001))
    assert passed == pytest.approx(100, abs=1)
    assert sum(bucket.allow(3_600_000 * MS) for _ in range(1000)) == 20


def test_one_client_does_not_use_up_what_is_another_ones():
    limits = RateLimits(10.0, 5)
    assert sum(limits.allow("a", 0) for _ in range(100)) == 5
    assert sum(limits.allow("b", 0) for _ in range(100)) == 5
