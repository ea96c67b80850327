"""What goes wrong, and what the server then does: one case of each class here, all of them in `h2s2r-hw faults`.

In:  the whole server on an emulated cell in virtual time.   Out: outcomes as declared.
Not here: a day of it (test_soak), real processes (test_serve).
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import msgpack
import numpy as np
import pytest

from h2s2r_hw.drivers.fri import JOINT_NAMES as ARM_JOINTS
from h2s2r_hw.emulators.rehearsal.cases import CASES
from h2s2r_hw.emulators.rehearsal.faults import FEW, NONE, choose, run_faults
from h2s2r_hw.emulators.rehearsal.judge import run_case
from h2s2r_hw.emulators.rehearsal.observe import WireLimits
from h2s2r_hw.emulators.rehearsal.permitted import Permitted
from h2s2r_hw.emulators.rehearsal.random_motion import RandomMotion, random_motion
from h2s2r_hw.emulators.rehearsal.random_residual import random_residual
from h2s2r_hw.emulators.rehearsal.scene import Scene, settings
from h2s2r_hw.motion.limits import joint_limits
from h2s2r_hw.robots import load_robot
from h2s2r_hw.server.admission import Admission
from h2s2r_hw.server.config import GatewayCfg
from h2s2r_schemas.codec import encode
from h2s2r_schemas.wire import RobotCommand


def test_there_are_enough_cases_of_every_class():
    assert len(CASES) >= 60 and {case.fault for case in CASES} == set(range(1, 20))
    titles = [case.title for case in CASES]
    assert len(set(titles)) == len(titles)
    assert {case.fault for case in CASES if case.title in FEW} == set(range(1, 19))


@pytest.mark.requirement("H26", "H27")
@pytest.mark.parametrize("title", FEW)
def test_the_server_does_what_is_declared(title):
    (case,) = [case for case in CASES if case.title == title]
    assert run_case(case).wrong == []


@pytest.mark.slow
def test_all_cases():
    figures = run_faults(list(CASES), 100_000, 2_000_000)
    assert {name: figures[name] for name in NONE} == dict.fromkeys(NONE, 0)


def test_a_case_that_turns_out_otherwise_fails():
    (case,) = choose("killed while holding")
    verdict = run_case(replace(case, expect={"server_state": "track", "rest_s": (1.0, 2.0)}))
    assert len(verdict.wrong) == 2 and "server_state is 'hold'" in verdict.wrong[0]

    def broken(scene: Scene) -> None:
        raise RuntimeError("no")

    assert run_case(replace(case, play=broken)).wrong == ["RuntimeError: no"]


@pytest.mark.parametrize("check", ["_judge_robot", "_judge_target"])
def test_a_server_that_follows_too_much_is_caught(monkeypatch, check):
    """By what the bytes were, not by what the server thinks of them."""
    (case,) = choose("changed before they are encrypted")
    monkeypatch.setattr(Admission, check, lambda self, *about: None)
    figures = run_faults([case], 0, 0)
    assert figures["bad_accepted"] >= 1 and figures["faults_failed"] == 1


def test_what_the_holder_may_command_is_read_without_the_server():
    robot = load_robot("iiwa14_allegro")
    home = np.clip(np.zeros(23), robot.position_lower, robot.position_upper)

    def bytes_of(**changes) -> bytes:
        about = {"robot_hash": robot.hash(), "lease_epoch": 3, "lease_token": 7, "sequence": 30, "client_time": 5.0}
        return encode(RobotCommand(**{**about, "joint_pos_target": home, **changes}))

    permitted = Permitted(robot, GatewayCfg(), bytes_of(), 29, 5.0)
    elsewhere = home.copy()
    elsewhere[3] = marker = 0.123456789
    beyond = home.copy()
    beyond[3] = 4.0
    good = (bytes_of(), bytes_of(sequence=31), bytes_of(joint_pos_target=elsewhere), bytes_of(use_residual=True))
    assert [permitted.wrong(data) for data in good] == [""] * 4
    assert permitted.wrong(bytes_of(lease_token=8)) == "lease_token"
    assert permitted.wrong(bytes_of(lease_epoch=2)) == "lease_epoch"
    assert permitted.wrong(bytes_of(robot_hash="0" * 16)) == "robot_hash"
    assert permitted.wrong(bytes_of(sequence=29)) == "sequence"
    assert permitted.wrong(bytes_of(client_time=4.8)) == permitted.wrong(bytes_of(client_time=5.6)) == "client_time"
    assert permitted.wrong(bytes_of(joint_pos_target=beyond)) == "joint_pos_target"
    assert permitted.wrong(bytes_of(joint_pos_target=home[:22])) == "joint_pos_target"
    not_a_number = bytes_of(joint_pos_target=elsewhere).replace(
        np.float64(marker).tobytes(), np.float64(np.nan).tobytes()
    )
    assert permitted.wrong(not_a_number) == "joint_pos_target"
    assert permitted.wrong(bytes_of()[:-1]) == permitted.wrong(b"") == "no message at all"
    unknown = msgpack.unpackb(bytes_of())
    unknown["fields"]["more"] = 1
    assert permitted.wrong(msgpack.packb(unknown)) == "unknown fields"


def test_the_same_case_gives_the_same_bytes():
    digests = []
    for _ in range(2):
        with tempfile.TemporaryDirectory(prefix="case") as folder:
            scene = Scene(Path(folder), settings("drop=0.05@1.5"))
            scene.tracking(1.0)
            digests.append(scene.whole.cell.digest())
            scene.close()
    assert digests[0] == digests[1]


def test_what_is_sent_keeps_the_limits_whatever_is_asked():
    figures = random_motion(6000, 5)
    assert figures["limit_violations"] == 0 and figures["limit_guard_holds"] == 0
    assert figures["limit_ticks_tracking"] > 3000 and 0.5 < figures["limit_worst_jerk"] <= 1.0


def test_a_loop_that_jumps_is_caught():
    motion = RandomMotion(5)
    motion.run(400)
    part = motion.loop.part
    # Neither motion nor guard is asked any more.
    part.move = lambda offset: [q + 0.2 for q in part.measured]
    motion.run(3)
    assert motion.judge.violations["velocity"] and motion.judge.violations["jerk"]


def test_many_ticks_are_judged_as_one_by_one():
    rng, limits = np.random.default_rng(1), joint_limits(load_robot("iiwa14_allegro"), ARM_JOINTS)
    sent = np.array(limits.home) + np.cumsum(rng.normal(size=(300, 7)) * 2e-4, axis=0)
    sent[200, 3] = np.nan
    one, many = WireLimits(limits, 0.005), WireLimits(limits, 0.005)
    for judge in (one, many):
        judge.begin(tuple(limits.home))
    for each in sent[:150]:
        one.judge(tuple(each.tolist()))
    for begin in (0, 70):
        many.judge_all(sent[begin : 70 if begin == 0 else 150])
    assert one.violations == many.violations and one.violations["jerk"] > 0 and one.ticks == many.ticks
    assert many.worst == pytest.approx(one.worst)
    many.judge_all(sent[150:])
    assert many.violations["velocity"] >= 2, "a value that is not a number is a violation"


def test_what_was_stopped_goes_on(tmp_path):
    cases, keep, told = choose("killed while holding"), tmp_path / "kept.json", []

    def stop(text: str) -> None:
        told.append(text)
        if "residual" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_faults(cases, 200, 3000, tell=stop, keep=keep)
    assert len(told) == 3 and keep.exists()
    again: list[str] = []
    figures = run_faults(cases, 200, 3000, tell=again.append, keep=keep)
    assert again == told and figures["limit_ticks"] == 200 and figures["residual_violations"] == 0
    assert not keep.exists() and figures["faults_total"] == 1


@pytest.mark.requirement("D26", "D48")
def test_a_correction_stays_within_its_bounds_whatever_the_model_says():
    figures = random_residual(1_000_000, 5)
    assert figures["residual_violations"] == 0 and figures["residual_evaluations"] >= 1_000_000
