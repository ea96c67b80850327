"""A correction never exceeds its bounds, whatever the model says; without one, nothing changes.

In:  models that are right, wrong, wild, late.   Out: what would be applied.
Not here: a correction inside a running loop (test_loops).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from h2s2r_hw.bus.records import ARM_STATUS, HAND_STATUS, JOINT_NAMES, ORDERS, RESIDUAL
from h2s2r_hw.bus.slots import Slot
from h2s2r_hw.config import ResidualCfg, ServerCfg
from h2s2r_hw.loops.residual import ResidualLoop
from h2s2r_hw.motion.network import Network
from h2s2r_hw.motion.residual import USUAL_FRACTION, Correction, bounded
from h2s2r_hw.robots import load_robot
from h2s2r_schemas.artifacts.policies import Layer, ResidualSpec
from h2s2r_schemas.codec import save
from h2s2r_schemas.errors import SchemaError

LIMIT = np.array([0.5, 1.0, 10.0, 320.0])
PERIOD = 0.005
WILD = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, 1e308, -1e308, 1e-3, -1.0, 0.5, 1e9])


def adversary(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Corrections of all sizes, every third of them something no model should say."""
    values = rng.normal(size=shape) * 10.0 ** rng.uniform(-6, 6, shape)
    return np.where(rng.random(shape) < 1 / 3, rng.choice(WILD, shape), values)


@pytest.mark.requirement("D26")
def test_every_bound_holds_over_ten_million_evaluations():
    rng, rows = np.random.default_rng(0), 25_000
    bound, rate = 0.15 * LIMIT, 0.015 * LIMIT
    before, evaluations, violations = np.zeros((rows, 4)), 0, 0
    with np.errstate(all="raise"):
        for _ in range(100):
            wanted = adversary(rng, (rows, 4))
            applied, not_finite, large, _ = bounded(wanted, before, bound, rate)
            violations += int((~(np.abs(applied) <= bound)).sum())
            # To the rounding of one subtraction.
            violations += int((np.abs(applied - before) > rate + np.spacing(bound)).sum())
            assert (not_finite == ~np.isfinite(wanted)).all()
            assert (large == (np.isfinite(wanted) & (np.abs(wanted) > bound))).all()
            before, evaluations = applied, evaluations + wanted.size
    assert evaluations >= 10**7 and violations == 0


@pytest.mark.requirement("D26")
def test_a_correction_stays_within_bound_and_rate_through_switching_off_and_other_models():
    rng, cfg = np.random.default_rng(1), ResidualCfg(retry_after=0.05)
    correction, before = Correction(LIMIT, cfg, PERIOD), np.zeros(4)
    rate, largest = USUAL_FRACTION * LIMIT * PERIOD / cfg.ramp_time, np.zeros(4)
    for tick in range(20_000):
        number = tick // 500 + 1
        fraction = (0.15, 0.05, 0.5)[number % 3]
        wanted = adversary(rng, (4,)) if tick % 3 else 0.5 * fraction * LIMIT
        fresh, gain = rng.random() > 0.05, rng.choice([0.0, 0.5, 1.0])
        applied = correction.step(None if tick % 97 == 0 else wanted, number, fraction, gain, fresh)
        assert (np.abs(applied - before) <= rate * (1 + 1e-9)).all()
        assert (np.abs(applied) <= np.maximum(fraction * LIMIT, np.abs(before))).all()
        before, largest = applied, np.maximum(largest, np.abs(applied))
    counts = correction.counts
    assert min(counts.not_finite, counts.rate, counts.stale, counts.fallbacks, counts.active) > 0
    assert (largest > 0.0).all()


@pytest.mark.requirement("D25")
def test_a_zero_model_is_no_model_bit_for_bit():
    correction = Correction(LIMIT, ResidualCfg(), PERIOD)
    for _ in range(10):
        assert not correction.step(np.zeros(4), 1, 0.15, 1.0, True).any()
        assert correction.idle
    assert correction.counts.active == 0


@pytest.mark.requirement("D48")
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_fault_begins_to_take_it_back_in_the_same_tick_and_for_good(wrong):
    cfg = ResidualCfg()
    correction = Correction(LIMIT, cfg, PERIOD)
    for _ in range(100):
        full = correction.step(0.1 * LIMIT, 1, 0.15, 1.0, True)
    assert np.allclose(full, 0.1 * LIMIT)
    broken = 0.1 * LIMIT
    broken[2] = wrong
    values = [correction.step(broken, 1, 0.15, 1.0, True)]
    assert (np.abs(values[0]) < np.abs(full)).all()
    while not correction.idle:
        values.append(correction.step(0.1 * LIMIT, 1, 0.15, 1.0, True))
    assert len(values) * PERIOD <= cfg.fallback_time + PERIOD
    for _ in range(3000):
        correction.step(0.1 * LIMIT, 1, 0.15, 1.0, True)
    assert correction.idle and correction.counts.fallbacks == 1
    correction.step(0.1 * LIMIT, 2, 0.15, 1.0, True)
    assert not correction.idle


def test_one_that_is_late_or_saturated_may_try_again():
    cfg = ResidualCfg()
    correction = Correction(LIMIT, cfg, PERIOD)
    for wanted, fresh in ((0.1 * LIMIT, False), (9.0 * LIMIT, True)):
        ticks = 0
        before = correction.counts.fallbacks
        while correction.counts.fallbacks == before:
            correction.step(wanted, 1, 0.15, 1.0, fresh)
            ticks += 1
        assert ticks == 1 if not fresh else ticks * PERIOD < 0.1
        for _ in range(round(cfg.retry_after / PERIOD) - 1):
            correction.step(0.1 * LIMIT, 1, 0.15, 1.0, True)
        assert correction.idle
        for _ in range(3):
            correction.step(0.1 * LIMIT, 1, 0.15, 1.0, True)
        assert not correction.idle


@pytest.mark.requirement("D47")
def test_far_from_its_training_it_does_nothing_and_is_switched_off():
    correction = Correction(LIMIT, ResidualCfg(), PERIOD)
    for _ in range(500):
        correction.step(0.1 * LIMIT, 1, 0.15, 0.0, True)
    assert correction.counts.active == 0 and correction.counts.fallbacks == 1


@pytest.mark.requirement("D51")
def test_another_model_takes_over_without_a_bump():
    cfg = ResidualCfg()
    correction, before = Correction(LIMIT, cfg, PERIOD), np.zeros(4)
    rate = USUAL_FRACTION * LIMIT * PERIOD / cfg.ramp_time
    for tick in range(400):
        number, sign = (1, 1.0) if tick < 200 else (2, -1.0)
        applied = correction.step(0.1 * sign * LIMIT, number, 0.15, 1.0, True)
        assert (np.abs(applied - before) <= rate * (1 + 1e-9)).all()
        before = applied
    assert np.allclose(before, -0.1 * LIMIT)


def spec(**changes: object) -> ResidualSpec:
    """Two joints, two features, two ticks; 3 hidden units."""
    rng = np.random.default_rng(3)
    fields: dict[str, object] = {
        "name": "friction",
        "robot_hash": "abc",
        "joint_names": ("a", "b"),
        "output": "joint_torque",
        "features": ("joint_pos", "joint_vel"),
        "history": 2,
        "layers": (
            Layer(weight=rng.normal(size=(3, 8)), bias=rng.normal(size=3)),
            Layer(weight=rng.normal(size=(2, 3)), bias=rng.normal(size=2)),
        ),
        "input_mean": rng.normal(size=8),
        "input_std": rng.uniform(0.5, 2.0, 8),
        "input_lower": np.full(8, -1.0),
        "input_upper": np.full(8, 1.0),
        "output_scale": np.array([2.0, 3.0]),
    }
    return ResidualSpec(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("activation", ["tanh", "relu", "elu"])
def test_a_network_is_evaluated_as_its_spec_says(activation):
    model = spec(activation=activation)
    network = Network(model, "abc", ResidualCfg())
    ticks = [
        {"joint_pos": np.array([0.1, 0.2]), "joint_vel": np.array([0.3, 0.4])},
        {"joint_pos": np.array([-0.1, 0.6]), "joint_vel": np.array([0.7, 0.8])},
    ]
    network.evaluate(ticks[0])
    values, gain = network.evaluate(ticks[1])
    # Newest last; within a tick joint by joint, within a joint feature by feature.
    inputs = np.array([0.1, 0.3, 0.2, 0.4, -0.1, 0.7, 0.6, 0.8])
    x = (inputs - model.input_mean) / model.input_std
    hidden = [
        sum(w * v for w, v in zip(row, x, strict=True)) + b
        for row, b in zip(model.layers[0].weight, model.layers[0].bias, strict=True)
    ]
    by_hand = {"tanh": np.tanh, "relu": lambda h: max(h, 0.0), "elu": lambda h: h if h > 0 else np.exp(h) - 1}[
        activation
    ]
    acted = [by_hand(h) for h in hidden]
    out = [
        sum(w * v for w, v in zip(row, acted, strict=True)) + b
        for row, b in zip(model.layers[1].weight, model.layers[1].bias, strict=True)
    ]
    assert np.allclose(values, np.array(out) * model.output_scale) and gain == 1.0


def test_outside_its_training_the_gain_fades_and_not_a_number_has_none():
    network = Network(spec(), "abc", ResidualCfg())

    def gain(value: float) -> float:
        network.forget()
        return network.evaluate({"joint_pos": np.array([value, 0.0]), "joint_vel": np.zeros(2)})[1]

    assert [gain(0.9), gain(1.0), gain(5.0), gain(np.nan), gain(np.inf)] == [1.0, 1.0, 0.0, 0.0, 0.0]
    assert 0.0 < gain(1.2) < 1.0


@pytest.mark.requirement("D27")
def test_what_is_too_large_or_for_others_is_refused():
    cfg = ResidualCfg()
    assert not Network(spec(), "abc", cfg).warning
    assert Network(spec(clamp_fraction=0.21), "abc", cfg).warning
    with pytest.raises(SchemaError, match="60% of a limit; more than 50% is refused"):
        Network(spec(clamp_fraction=0.6), "abc", cfg)
    assert Network(spec(clamp_fraction=0.6), "abc", ResidualCfg(override=True)).warning
    with pytest.raises(SchemaError, match="for robot abc; this one is xyz"):
        Network(spec(), "xyz", cfg)
    with pytest.raises(SchemaError, match="asks for joint_colour"):
        Network(spec(features=("joint_pos", "joint_colour")), "abc", cfg)
    with pytest.raises(SchemaError, match="corrects wheel_vel"):
        Network(spec(output="wheel_vel"), "abc", cfg)


def test_no_layers_are_the_zero_correction():
    values, gain = Network(spec(layers=()), "abc", ResidualCfg()).evaluate(
        {"joint_pos": np.ones(2), "joint_vel": np.ones(2)}
    )
    assert not values.any() and gain == 1.0


class Process:
    """The process of the correction with slots of its own."""

    def __init__(self, folder: Path, cfg: ServerCfg) -> None:
        self.orders, self.arm, self.hand, self.out = Slot(ORDERS), Slot(ARM_STATUS), Slot(HAND_STATUS), Slot(RESIDUAL)
        self.robot, self.said, self.now_ns = load_robot("iiwa14_allegro"), [], 0
        read = [
            Slot(dtype, slot.buffer)
            for dtype, slot in ((ORDERS, self.orders), (ARM_STATUS, self.arm), (HAND_STATUS, self.hand))
        ]
        self.loop = ResidualLoop(cfg, self.robot, folder, *read, self.out, self.said.append)

    def order(self, number: int) -> None:
        self.orders.record["residual_number"] = number
        self.orders.write()
        self.tick()

    def tick(self) -> None:
        """Both parts do a tick, and the process looks."""
        self.now_ns += 5_000_000
        for slot in (self.arm, self.hand):
            slot.record["number"] += 1
            slot.record["time_ns"] = self.now_ns
            slot.write()
        self.loop.act(self.now_ns)


def two_joints(process: Process, joints: tuple[str, str], **changes: object) -> ResidualSpec:
    return spec(robot_hash=process.robot.hash(), joint_names=joints, **changes)


def test_the_process_maps_joints_by_name_and_torques_to_what_each_part_takes(tmp_path):
    cfg = ServerCfg()
    process = Process(tmp_path, cfg)
    joints = ("thumb_joint_1", "iiwa14_joint_3")
    model = two_joints(
        process,
        joints,
        history=1,
        layers=(Layer(weight=np.zeros((2, 4)), bias=np.array([0.01, 2.0])),),
        input_mean=np.zeros(4),
        input_std=np.ones(4),
        input_lower=-np.ones(4),
        input_upper=np.ones(4),
        output_scale=np.ones(2),
    )
    save(model, tmp_path / "7.h2s")
    process.order(7)
    process.tick()
    record = process.out.record
    assert record["residual_number"] == 7 and record["time_ns"] == process.now_ns
    expected = np.zeros(23)
    expected[JOINT_NAMES.index("thumb_joint_1")] = 0.01
    expected[JOINT_NAMES.index("iiwa14_joint_3")] = 2.0 / cfg.residual.stiffness[2]
    assert np.allclose(record["values"], expected)
    assert (record["arm_output"], record["hand_output"]) == (0, 1)
    process.order(0)
    assert record["residual_number"] == 0 and not record["values"].any()


@pytest.mark.requirement("D51")
def test_a_model_that_is_refused_leaves_the_one_before(tmp_path):
    process = Process(tmp_path, ServerCfg())
    save(two_joints(process, ("index_joint_1", "index_joint_2")), tmp_path / "1.h2s")
    save(spec(), tmp_path / "2.h2s")
    save(two_joints(process, ("index_joint_1", "nobody")), tmp_path / "3.h2s")
    (tmp_path / "4.h2s").write_bytes(b"nonsense")
    save(two_joints(process, ("index_joint_1", "index_joint_2"), clamp_fraction=0.3), tmp_path / "6.h2s")
    process.order(1)
    for number in (2, 3, 4, 5):
        process.order(number)
        assert process.out.record["residual_number"] == 1 and process.out.record["refused"] == number
    process.order(6)
    assert process.out.record["residual_number"] == 6
    assert len(process.said) == 5 and "15 % is usual" in process.said[-1]
