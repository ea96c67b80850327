"""Hostile bytes against ``decode``: a value or a ``SchemaError``, within bounded memory, and nothing else.

In:  a number of cases and a seed.   Out: ``FuzzReport``.
Not here: fuzzing with coverage feedback, files (their blocks go through the same ``decode``).

Half of the cases are valid messages with some bytes changed, half are valid envelopes around values that do not belong
there. A message that is accepted must survive another round of ``encode`` and ``decode`` unchanged.
"""

from __future__ import annotations

import random
import tracemalloc
from dataclasses import dataclass, field
from typing import Any, Callable

import msgpack
import numpy as np

from h2s2r_schemas.codec import decode, encode
from h2s2r_schemas.codec.array_bytes import EXT_CODE, array_data
from h2s2r_schemas.codec.encoding import MAX_BYTES
from h2s2r_schemas.codec.specs import MAX_ITEMS, is_exactly
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.testing.examples import examples


@dataclass
class FuzzReport:
    """What happened."""

    cases: int = 0
    """Inputs tried."""
    accepted: int = 0
    """Of these, inputs that were a valid message."""
    failures: list[str] = field(default_factory=lambda: [])
    """Inputs (hex, first 64 bytes) that ended in anything but a message or a ``SchemaError``, and how."""
    peak_bytes_above_input: int = 0
    """Largest memory taken by one case beyond its input, over the memory-hungry cases."""


def fuzz(cases: int, seed: int) -> FuzzReport:
    """Try ``cases`` small hostile inputs, and every memory-hungry one once.

    Args:
        cases: how many mutated and constructed inputs to try, about 20 µs each.
        seed: of all random choices.
    """
    rng = random.Random(seed)
    valid = [encode(message) for message in examples().values()]
    valid = [data for data in valid if len(data) < 4096] or valid
    report = FuzzReport()
    for i in range(cases):
        _try(_mutated(rng, valid) if i % 2 else _constructed(rng, valid), report)
    for data in hungry():
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        _try(data, report)
        peak = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()
        report.peak_bytes_above_input = max(report.peak_bytes_above_input, peak)
    return report


def _try(data: bytes, report: FuzzReport) -> None:
    report.cases += 1
    try:
        message = decode(data)
        again = decode(encode(message), type(message))
    except SchemaError:
        return
    except BaseException as error:  # noqa: BLE001 - anything else at all is what this looks for
        report.failures.append(f"{type(error).__name__}: {error} from {data[:64].hex()}")
        return
    report.accepted += 1
    if again != message:
        report.failures.append(f"changed by a round trip: {data[:64].hex()}")


def _mutated(rng: random.Random, valid: list[bytes]) -> bytes:
    data = bytearray(rng.choice(valid))
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        at = rng.randrange(len(data)) if data else 0
        kind = rng.randrange(7)
        if kind == 0 and data:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and data:
            # Markers of msgpack types, and the ends of ranges, are where parsers differ.
            data[at] = rng.choice(
                (0x80, 0x8F, 0x90, 0x9F, 0xC0, 0xC1, 0xC3, 0xC7, 0xC9, 0xCB, 0xD3, 0xDB, 0xDD, 0xDF, 0xFF)
            )
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            data[at:at] = data[at : at + rng.randrange(1, 32)]
        elif kind == 4:
            del data[at : at + rng.randrange(1, 32)]
        elif kind == 5:
            other = rng.choice(valid)
            data[at:] = other[rng.randrange(len(other)) :]
        else:
            data[at : at + 8] = rng.choice(
                (b"\xff" * 8, b"\0" * 8, np.float64(np.nan).tobytes(), _random_bytes(rng, 8))
            )
    return bytes(data)


def _constructed(rng: random.Random, valid: list[bytes]) -> bytes:
    """A valid message in which one or two field values were exchanged for others, at any depth."""
    envelope = msgpack.unpackb(rng.choice(valid))
    if rng.random() < 0.1:
        envelope[rng.choice(list(envelope))] = _value(rng, 2)
    fields: Any = envelope.get("fields")
    for _ in range(rng.choice((1, 1, 2))):
        if not is_exactly(fields, dict) or not fields:
            break
        name = rng.choice(list(fields))
        if is_exactly(fields[name], dict) and rng.random() < 0.5:
            fields = fields[name]
        elif rng.random() < 0.1:
            del fields[name]
        elif rng.random() < 0.1:
            fields[rng.choice(("T", "", "extra", "x" * 100))] = _value(rng, 1)
        else:
            fields[name] = _value(rng, 3)
    packed: bytes = msgpack.packb(envelope)
    return packed


def _value(rng: random.Random, depth: int) -> Any:
    leaves: tuple[Callable[[], Any], ...] = (
        lambda: None,
        lambda: rng.choice((True, False)),
        lambda: rng.choice((0, -1, 1, 2**31, 2**63, 2**64 - 1, -(2**63))),
        lambda: rng.choice((0.0, -0.0, 1.5, 1e308, float("nan"), float("inf"), float("-inf"), 5e-324)),
        lambda: rng.choice(("", "a", "left", "T", "\0", "ü" * 10, "x" * 5000)),
        lambda: msgpack.ExtType(EXT_CODE, _array(rng)),
        lambda: msgpack.ExtType(rng.randrange(128), _random_bytes(rng, rng.randrange(24))),
    )
    if depth and rng.random() < 0.3:
        items = [_value(rng, depth - 1) for _ in range(rng.randrange(4))]
        return items if rng.random() < 0.5 else {rng.choice(("a", "b", 1, None)): item for item in items}
    return rng.choice(leaves)()


def _array(rng: random.Random) -> bytes:
    shape = [rng.choice((0, 1, 3, 7, 21, 23)) for _ in range(rng.randrange(4))]
    array = np.full(
        shape, rng.choice((0, 1, 2, 100)), dtype=rng.choice(("f8", "f8", "f8", "f4", "i8", "i4", "u1", "?"))
    )
    if array.size and array.dtype.kind == "f" and rng.random() < 0.3:
        array.flat[rng.randrange(array.size)] = rng.choice((np.nan, np.inf, -1.0, 3e38))
    data = bytearray(array_data(array))
    if rng.random() < 0.3:
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def _random_bytes(rng: random.Random, count: int) -> bytes:
    return bytes(rng.getrandbits(8) for _ in range(count))


def hungry() -> list[bytes]:
    """Inputs of up to ``MAX_BYTES`` made to take as much memory as they can."""
    pack: Callable[[Any], bytes] = msgpack.packb
    empty_array = pack(msgpack.ExtType(EXT_CODE, array_data(np.zeros(0))))
    wide_text = pack("\U0001f40d" + "x" * 16000)
    leaves = (b"\x80", b"\x90", b"\xc0", pack("ab"), pack(300), pack(1.5), empty_array, wide_text)
    inputs = [b"\xde" + (MAX_ITEMS).to_bytes(2, "big") * 1000, b"\xdf\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff"]
    for leaf in leaves:
        inputs.append(_nested(leaf, deep=True))
        inputs.append(_nested(leaf, deep=False))
    return [data[:MAX_BYTES] for data in inputs]


def _nested(leaf: bytes, deep: bool) -> bytes:
    """Full lists of ``leaf``: each the last item of the one before, or all next to each other two levels down."""
    header = b"\xdc" + MAX_ITEMS.to_bytes(2, "big")
    level = header + leaf * min(MAX_ITEMS - 1, MAX_BYTES // len(leaf))
    if deep:
        return level * min(500, MAX_BYTES // len(level)) + leaf
    block = header + (level + leaf) * min(MAX_ITEMS, MAX_BYTES // len(level) + 1)
    return header + block * (MAX_BYTES // len(block) + 1)
