"""A slot gives whole records only, between processes too, whoever is faster and whoever dies.

In:  a writer and readers.   Out: no record that nobody wrote.
Not here: rings and logs (test_ring, test_log).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from h2s2r_hw.bus.slots import HEADER, Slot
from h2s2r_schemas.errors import H2S2RError

DTYPE = np.dtype([("number", "<i8"), ("values", "<f8", (500,)), ("again", "<i8")])
#: Writes as fast as it can: a reader copies during a write again and again.
WRITER = """
import sys, numpy as np
from pathlib import Path
from h2s2r_hw.bus.slots import Slot
dtype = np.dtype([("number", "<i8"), ("values", "<f8", (500,)), ("again", "<i8")])
slot = Slot.attach(Path(sys.argv[1]), dtype)
number = 0
while True:
    number += 1
    slot.record["number"] = slot.record["again"] = number
    slot.record["values"] = number
    slot.write()
"""


def test_a_reader_gets_the_newest_record():
    writer = Slot(DTYPE)
    reader = Slot(DTYPE, writer.buffer)
    assert reader.read() == 0
    for number in (1, 2, 3):
        writer.record["number"] = 10 * number
        assert writer.write() == number
    assert reader.record["number"] == 0
    assert (reader.read(), reader.read()) == (3, 3)
    assert reader.record["number"] == 30


def test_no_torn_record_between_two_processes(tmp_path):
    reader = Slot.create(tmp_path / "slot", DTYPE)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "slot")])
    try:
        end, seen, torn, late = time.monotonic() + 60.0, set(), 0, 0
        while len(seen) < 300 and time.monotonic() < end:
            count = reader.read()
            if count <= 0:
                late += count < 0
                continue
            record = reader.record
            values = record["values"]
            torn += not (record["number"] == record["again"] == values[0] == values[-1] and np.ptp(values) == 0)
            seen.add(int(record["number"]))
    finally:
        writer.kill()
        writer.wait()
    assert (torn, len(seen)) == (0, 300)
    assert late < len(seen)


def test_a_writer_that_dies_within_a_record_leaves_the_last_whole_one():
    writer = Slot(DTYPE)
    writer.record["number"] = 7
    writer.write()
    # What a killed writer has done of its second record.
    writer.buffer[HEADER : HEADER + 8] = b"\xff" * 8
    reader = Slot(DTYPE, writer.buffer)
    assert reader.read() == 1
    assert reader.record["number"] == 7


def test_a_record_that_changes_all_the_time_is_not_given():
    class Hasty(Slot):
        """Somebody finishes a write within every copy."""

        @property
        def _header(self):
            numbers = self.numbers
            numbers[1] += 1
            return numbers

        @_header.setter
        def _header(self, numbers):
            self.numbers = numbers

    assert Hasty(DTYPE).read() == -1


def test_another_layout_is_refused(tmp_path):
    Slot.create(tmp_path / "slot", DTYPE)
    other = np.dtype([("number", "<i8"), ("values", "<i8", (500,)), ("again", "<i8")])
    with pytest.raises(H2S2RError, match="another layout"):
        Slot.attach(tmp_path / "slot", other)
    with pytest.raises(H2S2RError, match="another version"):
        Slot.attach(tmp_path / "slot", np.dtype("<i8"))
    with pytest.raises(H2S2RError, match="Is the server running"):
        Slot.attach(tmp_path / "nothing", DTYPE)
    with pytest.raises(H2S2RError, match="bytes"):
        Slot(DTYPE, memoryview(bytearray(64)))


def test_shared_memory_is_for_its_owner_alone_and_replaced_by_a_new_one(tmp_path):
    old = Slot.create(tmp_path / "slot", DTYPE)
    old.record["number"] = 1
    old.write()
    new = Slot.create(tmp_path / "slot", DTYPE)
    assert (new.read(), old.read()) == (0, 1)
    assert os.stat(tmp_path / "slot").st_mode & 0o077 == 0
