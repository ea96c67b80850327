"""Messages as bytes: what comes back, what is refused, and that nothing else ever happens.

In:  valid and invalid messages.   Out: equality, or the right ``SchemaError``.
Not here: files (test_files), old versions on disk (test_golden).
"""

from __future__ import annotations

import msgpack
import numpy as np
import pytest

from h2s2r_schemas.artifacts import HandPose, ObjectTrajectory, PolicySpec
from h2s2r_schemas.codec import REGISTRY, Message, decode, encode, upgrade
from h2s2r_schemas.codec.array_bytes import EXT_CODE, array_data, unpack_array
from h2s2r_schemas.codec.array_spec import ArraySpec
from h2s2r_schemas.codec.message import field, message
from h2s2r_schemas.codec.specs import FloatSpec, IntSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.testing.examples import examples
from h2s2r_schemas.testing.fuzz import fuzz
from h2s2r_schemas.wire import ObjectState, RobotState

EXAMPLES = examples()


def opened(made: Message) -> dict:
    """The envelope as a plain mapping, to be changed and packed again."""
    return msgpack.unpackb(encode(made))


def test_there_is_an_example_of_every_message():
    assert set(EXAMPLES) == {cls.__name__ for cls in REGISTRY.values() if cls.__module__.startswith("h2s2r_schemas.")}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_round_trip(name):
    made = EXAMPLES[name]
    again = decode(encode(made))
    assert again == made
    assert encode(again) == encode(made)
    assert decode(encode(made), type(made)) == made


def test_decoded_arrays_are_read_only_aligned_views():
    state = decode(encode(EXAMPLES["RobotState"]), RobotState)
    for array in (state.joint_pos, state.joint_vel):
        assert not array.flags.writeable
        assert array.flags.aligned
        assert array.base is not None


def test_a_message_cannot_be_changed():
    values = np.zeros(4)
    state = EXAMPLES["RobotState"].replace(joint_pos=values)
    values[0] = 1.0
    assert state.joint_pos[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        state.joint_pos[0] = 1.0
    with pytest.raises(AttributeError):
        state.joint_pos = values
    with pytest.raises(TypeError):
        state.counters["x"] = 1


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (0, 7), (1, 2, 3, 1)])
def test_every_dtype_and_shape_survives(dtype, shape):
    array = (np.arange(np.prod(shape, dtype=int)).reshape(shape) % 2).astype(dtype)
    again = unpack_array(array_data(array))
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)
    big_endian = array.astype(array.dtype.newbyteorder(">"))
    np.testing.assert_array_equal(unpack_array(array_data(big_endian)), array)


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda e: e.pop("producer"), "a map of schema, version, producer, fields"),
        (lambda e: e.update(extra=1), "a map of schema, version, producer, fields"),
        (lambda e: e.update(schema="h2s2r.Nothing"), "Unknown schema 'h2s2r.Nothing'; known: h2s2r."),
        (lambda e: e.update(version=0), "whole number from 1"),
        (lambda e: e.update(version=True), "whole number from 1"),
        (lambda e: e.update(version=99, producer="h2s2r-schemas 7.2.0"), "h2s2r-schemas 7.2.0': install that version"),
        (lambda e: e["fields"].update(surprise=1), "'surprise'; allowed: one of object_name"),
        (lambda e: e["fields"].pop("lost"), "lost is missing"),
        (lambda e: e["fields"].update(lost=1), "lost is 1; allowed: true or false"),
        (lambda e: e["fields"].update(confidence=1.5), r"confidence is 1.5; allowed: a finite number in \[0.0, 1.0\]"),
        (lambda e: e["fields"].update(confidence=float("nan")), "confidence is nan"),
        (lambda e: e["fields"].update(sequence=1.0), "sequence is 1.0; allowed: a whole number"),
        (lambda e: e["fields"].update(object_name=""), "object_name is ''"),
        (lambda e: e["fields"].update(wxyz_xyz_world_object=[0.0] * 7), "allowed: a float64 array of shape"),
        (lambda e: e["fields"].update(wxyz_xyz_world_object=pack(np.zeros(7))), "not of length 1"),
        (lambda e: e["fields"].update(wxyz_xyz_world_object=pack(np.eye(7)[0] * -1)), "w ≥ 0"),
        (lambda e: e["fields"].update(wxyz_xyz_world_object=pack(np.eye(7)[0].astype("f4"))), "array of float32"),
        (lambda e: e["fields"].update(wxyz_xyz_world_object=pack(np.ones(6))), r"shape \(6,\)"),
        (lambda e: e["fields"].update(wxyz_xyz_world_object=msgpack.ExtType(2, b"")), "msgpack extension 2"),
    ],
)
@pytest.mark.requirement("D03")
def test_what_is_wrong_is_named(damage, match):
    envelope = opened(EXAMPLES["ObjectState"])
    damage(envelope)
    with pytest.raises(SchemaError, match=match):
        decode(msgpack.packb(envelope))
    with pytest.raises(SchemaError):
        decode(msgpack.packb(envelope), ObjectState)


def pack(array: np.ndarray) -> msgpack.ExtType:
    return msgpack.ExtType(EXT_CODE, array_data(array))


def test_bytes_that_are_no_message():
    good = encode(EXAMPLES["ObjectState"])
    twice = good.replace(b"\xa8sequence\x03", b"\xa4lost\xc2")
    for data in (b"", b"\xc1", good[:-1], good + b"\x00", b"\x00" * 5_000_000, twice):
        with pytest.raises(SchemaError):
            decode(data)
    with pytest.raises(SchemaError, match="names one key twice"):
        decode(twice)
    with pytest.raises(SchemaError, match="This is a ObjectState; a RobotState is wanted"):
        decode(good, RobotState)


@pytest.mark.parametrize("head", [b"\x00", b"\x01\x09" + bytes(38), b"\x63\x01\x00\x00\x01\x00\x00\x00" + bytes(8)])
def test_a_damaged_array_is_refused(head):
    with pytest.raises(SchemaError):
        unpack_array(head)
    with pytest.raises(SchemaError, match="neither 0 nor 1"):
        unpack_array(array_data(np.array([True]))[:-1] + b"\x02")


def test_an_object_array_has_no_form():
    with pytest.raises(SchemaError, match="cannot be stored"):
        array_data(np.array([object()]))
    with pytest.raises(SchemaError, match="array of object"):
        HandPose(side="left", p_world_keypoints=np.full((21, 3), None), confidence=np.ones(21))


def test_lost_frames_hold_nan_and_no_other_does():
    good = EXAMPLES["ObjectTrajectory"]
    poses = good.wxyz_xyz_world_object.copy()
    with pytest.raises(SchemaError, match="frame 1 is lost but holds numbers"):
        good.replace(lost=[False, True, False])
    poses[2] = np.nan
    with pytest.raises(SchemaError, match="frame 2 is not lost but holds NaN"):
        good.replace(wxyz_xyz_world_object=poses)
    assert good.replace(wxyz_xyz_world_object=poses, lost=[False, False, True]).lost[2]
    with pytest.raises(SchemaError, match="does not grow at index 2"):
        good.replace(time=[0.0, 0.2, 0.2])
    with pytest.raises(SchemaError, match="where in this message"):
        good.replace(time=[0.0, 0.2])


def test_a_new_field_takes_its_default_and_an_old_version_is_upgraded():
    @message("test.Upgraded", version=3)
    class Upgraded(Message):
        """Version 1 had ``length_mm``; version 2 had no ``count``."""

        length: float = field(FloatSpec(unit="m"))
        count: int = field(IntSpec(), default=4)

    try:
        upgrade("test.Upgraded", 1)(lambda fields: {"length": fields["length_mm"] / 1000.0})
        upgrade("test.Upgraded", 2)(lambda fields: {**fields, "count": 5})
        old = {
            "schema": "test.Upgraded",
            "version": 1,
            "producer": "h2s2r-schemas 0.1.0",
            "fields": {"length_mm": 20.0},
        }
        assert decode(msgpack.packb(old)) == Upgraded(length=0.02, count=5)
        with pytest.raises(SchemaError, match="lacks what its upgrade needs: 'length_mm'"):
            decode(msgpack.packb({**old, "fields": {}}))
        newest = {**old, "version": 3, "fields": {"length": 0.02}}
        assert decode(msgpack.packb(newest)) == Upgraded(length=0.02)
    finally:
        del REGISTRY["test.Upgraded"]


def test_a_callers_values_are_converted_only_without_loss():
    hand = EXAMPLES["HandPose"]
    assert hand.replace(p_world_keypoints=hand.p_world_keypoints.astype("f4")).p_world_keypoints.dtype == np.float64
    assert hand.replace(time=np.float32(1.5)).time == 1.5
    with pytest.raises(SchemaError, match=r"HandPose.time is True"):
        hand.replace(time=True)
    with pytest.raises(SchemaError, match="array of complex128"):
        hand.replace(confidence=np.ones(21, complex))
    with pytest.raises(SchemaError, match="side is 'up'; allowed: one of left, right"):
        hand.replace(side="up")
    with pytest.raises(SchemaError, match="add up to 7"):
        EXAMPLES["PolicySpec"].replace(obs_mean=np.zeros(6), obs_std=np.ones(6))
    assert isinstance(EXAMPLES["PolicySpec"], PolicySpec)


def test_a_trajectory_takes_poses_and_gives_them_back():
    good = EXAMPLES["ObjectTrajectory"]
    assert (
        ObjectTrajectory(
            object_name="box",
            time=good.time,
            wxyz_xyz_world_object=good.Ts_world_object,
            confidence=good.confidence,
            lost=good.lost,
        )
        == good
    )


@pytest.mark.requirement("D03")
@pytest.mark.filterwarnings("error")
def test_hostile_bytes_end_in_a_message_or_a_schema_error_within_64_mib():
    report = fuzz(cases=20_000, seed=4)
    assert report.failures == []
    assert report.cases > 20_000
    assert report.accepted > 500
    assert report.peak_bytes_above_input < 64 * 2**20


def test_array_allowed_says_shape_and_unit():
    assert ArraySpec(("T", 3), unit="m").allowed == "a float64 array of shape (T, 3) [m]"
