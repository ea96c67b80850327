"""Logs carry the conditions under which they were made, and nothing that has no meaning.

In:  a ``MotionLog`` with every label set.   Out: the same labels from its file, or the right ``SchemaError``.
Not here: metrics segmented by these labels (rl), other messages (test_encoding).
"""

from __future__ import annotations

import msgpack
import numpy as np
import pytest

from h2s2r_schemas.artifacts import LogContext, MotionLog
from h2s2r_schemas.codec import decode, encode, load, open_writer, save
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.testing.examples import examples

LOG = examples()["MotionLog"]
CONTEXT = LogContext(
    robot_serial="a1",
    hardware_revision="r03",
    firmware="cabinet 1.17, hand 2.1",
    payload_class="heavy",
    zone="aisle_4",
    temperature_band="cold",
    gripper="allegro_v4",
    labels={"floor": "epoxy", "shift": "night"},
)


@pytest.mark.requirement("D39")
def test_the_four_labels_and_free_ones_survive(tmp_path):
    save(LOG.replace(context=CONTEXT), tmp_path / "log.h2s")
    context = load(tmp_path / "log.h2s", MotionLog).context
    assert (context.payload_class, context.zone, context.temperature_band, context.gripper) == (
        "heavy",
        "aisle_4",
        "cold",
        "allegro_v4",
    )
    assert dict(context.labels) == {"floor": "epoxy", "shift": "night"}
    assert context == CONTEXT


@pytest.mark.requirement("D39")
@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"zone": 4}, r"zone is 4; allowed: text"),
        ({"temperature_band": None}, r"temperature_band is None; allowed: text"),
        ({"labels": {"floor": 3.0}}, r"labels\['floor'\] is 3.0; allowed: text"),
        ({"labels": {7: "x"}}, "a key of .*labels is 7; allowed: text"),
        ({"labels": ["floor"]}, "labels is a list of 1 entries; allowed: a mapping"),
    ],
)
def test_a_label_that_is_no_text_is_refused_from_a_caller_and_from_a_file(changes, match):
    with pytest.raises(SchemaError, match=match):
        CONTEXT.replace(**changes)
    envelope = msgpack.unpackb(encode(CONTEXT))
    envelope["fields"].update(changes)
    with pytest.raises(SchemaError):
        decode(msgpack.packb(envelope), LogContext)


@pytest.mark.requirement("D39")
def test_a_label_of_an_unknown_kind_is_refused_unless_it_is_a_free_one():
    envelope = msgpack.unpackb(encode(CONTEXT))
    envelope["fields"]["humidity"] = "dry"
    with pytest.raises(SchemaError, match=r"A field of LogContext is 'humidity'; allowed: one of .*zone"):
        decode(msgpack.packb(envelope))


@pytest.mark.requirement("D39")
def test_a_log_without_a_context_does_not_exist():
    envelope = msgpack.unpackb(encode(LOG))
    del envelope["fields"]["context"]
    with pytest.raises(SchemaError, match=r"MotionLog\.context is missing, and it has no default"):
        decode(msgpack.packb(envelope))


def test_a_lost_tick_shows_as_a_gap_and_never_as_a_step_back():
    assert np.diff(LOG.sequence).tolist() == [1, 2]
    with pytest.raises(SchemaError, match="sequence does not grow at index 2"):
        LOG.replace(sequence=[10, 11, 11])
    with pytest.raises(SchemaError, match="time does not grow at index 1"):
        LOG.replace(time=[0.0, 0.0, 0.1])


def test_what_is_known_only_at_the_end_comes_from_the_last_stretch(tmp_path):
    log = examples()["MotionLog"].replace(outcome="unknown")
    with open_writer(tmp_path / "x.h2s") as writer:
        writer.append(log)
        writer.append(log.replace(time=log.time + 1.0, sequence=log.sequence + 10, outcome="failure"))
    assert load(tmp_path / "x.h2s").outcome == "failure"
