"""Recordings on disk: what is written is read, whole or not at all, and every disagreement is named.

In:  tiny recordings made here.   Out: the same frames, or the right ``SchemaError``.
Not here: real recordings and other formats (perception).
"""

from __future__ import annotations

import json
import struct
import zlib

import numpy as np
import pytest

from h2s2r_schemas.artifacts import Calibration, CameraIntrinsics
from h2s2r_schemas.cli import main
from h2s2r_schemas.demo import DemoMeta, DemoWriter, open_demo
from h2s2r_schemas.demo.meta import from_json, to_json
from h2s2r_schemas.demo.pictures import picture_kind
from h2s2r_schemas.errors import SchemaError

CAMERA = CameraIntrinsics(width=8, height=6, fx=10.0, fy=10.0, cx=3.5, cy=2.5)
META = DemoMeta(
    name="push",
    calibration=Calibration(
        color=CAMERA, depth=CAMERA, wxyz_xyz_world_camera=np.array([0.5, -0.5, 0.5, -0.5, 0.1, 0, 0.8])
    ),
    depth_unit=0.001,
    licence="CC0-1.0",
    mask_names=("object", "hand"),
    source="made in a test",
    notes={"seed": "3"},
)


def png(width=8, height=6, bits=16, colour=0, value=500) -> bytes:
    """A flat PNG, written by hand: 16-bit grey, 8-bit grey or 8-bit colour."""
    row = struct.pack(">H", value) * width if bits == 16 else bytes([value % 256]) * width * (3 if colour == 2 else 1)
    chunks = b""
    for kind, data in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)),
        (b"IDAT", zlib.compress((b"\0" + row) * height)),
        (b"IEND", b""),
    ):
        chunks += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunks


#: The head of a JPEG of 8×6 px: start, a comment, the frame header.
JPEG = b"\xff\xd8\xff\xfe\x00\x06note\xff\xc0\x00\x11\x08\x00\x06\x00\x08\x03" + bytes(9)
RGB, MASK = png(bits=8, colour=2, value=90), png(bits=8, value=255)


def record(folder, frames=3, meta=META, **options):
    with DemoWriter(folder, meta, **options) as writer:
        for index in range(frames):
            masks = {"object": MASK, "hand": MASK} if index else {"object": MASK}
            writer.append(0.1 * index, RGB, png(value=500 + index), masks)


@pytest.mark.requirement("H03")
def test_what_is_written_is_read(tmp_path):
    record(tmp_path / "a")
    demo = open_demo(tmp_path / "a")
    assert len(demo) == 3
    np.testing.assert_array_equal(demo.meta.time, [0.0, 0.1, 0.2])
    assert demo.meta.replace(time=META.time) == META
    frames = list(demo)
    assert [frame.depth for frame in frames] == [png(value=500 + index) for index in range(3)]
    assert [sorted(frame.masks) for frame in frames] == [["object"], ["hand", "object"], ["hand", "object"]]
    assert demo[-1] == frames[2]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    with pytest.raises(IndexError, match="Frame 3 of a recording of 3"):
        demo[3]


def test_a_bop_reader_finds_what_it_expects(tmp_path):
    record(tmp_path / "a")
    cameras = json.loads((tmp_path / "a/scene_camera.json").read_text())
    assert cameras["2"] == {"cam_K": [10.0, 0.0, 3.5, 0.0, 10.0, 2.5, 0.0, 0.0, 1.0], "depth_scale": 1.0}
    names = sorted(path.relative_to(tmp_path / "a").as_posix() for path in (tmp_path / "a").rglob("*.png"))
    assert names[:2] == ["depth/000000.png", "depth/000001.png"]
    assert "mask/000001_000001.png" in names
    assert "rgb/000002.png" in names


def test_the_hash_tells_recordings_apart(tmp_path):
    for name in "ab":
        record(tmp_path / name)
    record(tmp_path / "c", frames=2)
    hashes = [open_demo(tmp_path / name).hash() for name in "abc"]
    assert hashes[0] == hashes[1] != hashes[2]


def test_meta_survives_json_exactly():
    meta = META.replace(time=np.cumsum(np.random.default_rng(0).random(100)))
    assert from_json(to_json(meta), "x") == meta


def test_a_jpeg_is_known_by_its_head(tmp_path):
    kind = picture_kind(JPEG, "x")
    assert (kind.suffix, kind.width, kind.height, kind.bits, kind.channels) == ("jpg", 8, 6, 8, 3)
    with DemoWriter(tmp_path / "a", META) as writer:
        writer.append(0.0, JPEG, png())
    assert open_demo(tmp_path / "a")[0].rgb == JPEG


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((0.05, RGB, png()), "taken at 0.05 s, the one before at 0.1 s; time must grow"),
        ((float("nan"), RGB, png()), "time must grow"),
        ((0.2, b"GIF89a", png()), "neither a PNG nor a JPEG"),
        ((0.2, JPEG[:12], png()), "neither a PNG nor a JPEG, or cut short"),
        ((0.2, png(bits=8, colour=2, width=9), png()), "has 9×6 px; its intrinsics are for 8×6 px"),
        ((0.2, RGB, png(bits=8)), "png of 8 bits and 1 channels; depth is a 16-bit grey PNG"),
        ((0.2, RGB, JPEG), "jpg of 8 bits and 3 channels"),
        ((0.2, RGB, png(), {"cup": MASK}), "A mask of 'cup'; this recording has object, hand"),
    ],
)
def test_a_frame_that_does_not_fit_leaves_no_recording(arguments, match, tmp_path):
    with pytest.raises(SchemaError, match=match), DemoWriter(tmp_path / "a", META) as writer:
        writer.append(0.0, RGB, png())
        writer.append(0.1, RGB, png())
        writer.append(*arguments)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_replaced_only_when_told_and_only_if_it_is_a_recording(tmp_path):
    record(tmp_path / "a")
    with pytest.raises(SchemaError, match="exists; choose another folder"):
        record(tmp_path / "a", frames=2)
    record(tmp_path / "a", frames=2, overwrite=True)
    assert len(open_demo(tmp_path / "a")) == 2
    (tmp_path / "b").mkdir()
    with pytest.raises(SchemaError, match="is not a recording"):
        record(tmp_path / "b", overwrite=True)
    with pytest.raises(SchemaError, match="without frames"):
        record(tmp_path / "c", frames=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda a: (a / "meta.json").unlink(), "not a recording: it has no meta.json"),
        (lambda a: (a / "meta.json").write_text("{"), "not a readable meta.json"),
        (lambda a: (a / "rgb/000001.png").unlink(), "rgb has 2 pictures for 3 time stamps; first difference: 000001"),
        (lambda a: (a / "depth/000003.png").write_bytes(png()), "depth has 4 pictures for 3 time stamps"),
        (lambda a: (a / "rgb/000001.jpg").write_bytes(JPEG), "a frame twice"),
        (lambda a: change(a / "meta.json", '"depth_unit": 0.001', '"depth_unit": 1000.0'), "depth_unit is 1000.0"),
        (
            lambda a: change(a / "meta.json", '"depth_unit": 0.001', '"depth_unit": 1.0'),
            "other intrinsics or depth scale",
        ),
        (lambda a: change(a / "meta.json", '"fx": 10.0', '"fx": 11.0'), "other intrinsics or depth scale"),
        (lambda a: change(a / "meta.json", '"version": 1', '"version": 2'), "version 2; this software reads"),
        (lambda a: change(a / "meta.json", '"licence"', '"license"'), "'license'; allowed: one of"),
        (lambda a: change(a / "meta.json", '"float64"', '"object"'), "not a readable meta.json"),
        (lambda a: (a / "scene_camera.json").unlink(), "missing or damaged"),
        (lambda a: (a / "scene_camera.json").write_text("[]"), "missing or damaged"),
    ],
)
def test_a_damaged_recording_is_refused_when_opened(damage, match, tmp_path):
    record(tmp_path / "a")
    damage(tmp_path / "a")
    with pytest.raises(SchemaError, match=match):
        open_demo(tmp_path / "a")


def test_a_damaged_picture_is_refused_when_read(tmp_path):
    record(tmp_path / "a")
    (tmp_path / "a/depth/000001.png").write_bytes(b"nothing")
    demo = open_demo(tmp_path / "a")
    assert demo[0].index == 0
    with pytest.raises(SchemaError, match=r"000001\.png starts with 6e6f7468696e67: neither a PNG"):
        demo[1]


def test_a_recording_can_be_inspected(tmp_path, capsys):
    record(tmp_path / "a")
    assert main(["inspect", str(tmp_path / "a"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["what"], found["frames"], found["seconds"]) == ("Demo", 3, pytest.approx(0.2))
    assert found["median_hz"] == pytest.approx(10.0)
    assert found["meta"]["calibration"]["color"]["width"] == 8
    (tmp_path / "a/rgb/000001.png").write_bytes(b"")
    assert main(["inspect", str(tmp_path / "a")]) == 2
