"""Recordings on disk: what is written is read, what is damaged is refused, and nothing is half there.

In:  tiny recordings of flat pictures.   Out: equality, the right ``SchemaError``.
Not here: pictures of a real or rendered camera (perception, sim), ``inspect`` (test_cli).
"""

from __future__ import annotations

import errno
import functools
import json
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from h2s2r_schemas.demo import DemoWriter, open_demo
from h2s2r_schemas.demo.meta import from_json, to_json
from h2s2r_schemas.demo.pictures import picture_kind
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.testing.examples import examples
from h2s2r_schemas.testing.kills import demo_kills
from h2s2r_schemas.testing.recordings import flat_png, record_tiny, tiny_meta

META = tiny_meta()
RGB, DEPTH, MASK = flat_png(channels=3, value=90), flat_png(bits=16, value=500), flat_png()
#: A JPEG of 8×6 px without its pixels: start, a comment behind a fill byte, a table, the frame header, the end.
JPEG = (
    b"\xff\xd8\xff\xff\xfe\x00\x06note\xff\xc4\x00\x0a\x00\x01\x02\x03\x04\x05\x06\x07\xff\xc0\x00\x11\x08\x00\x06\x00\x08\x03"
    + bytes(9)
    + b"\xff\xd9"
)


@pytest.mark.requirement("H03")
def test_what_is_written_is_read(tmp_path):
    record_tiny(tmp_path / "a")
    demo = open_demo(tmp_path / "a")
    assert len(demo) == 3
    np.testing.assert_array_equal(demo.meta.time, [0.0, 0.1, 0.2])
    assert demo.meta.replace(time=META.time) == META
    frames = list(demo)
    assert [frame.time for frame in frames] == [0.0, 0.1, 0.2]
    assert [frame.depth for frame in frames] == [flat_png(bits=16, value=500 + index) for index in range(3)]
    assert [frame.rgb for frame in frames] == [RGB] * 3
    assert [frame.masks for frame in frames] == [{"object": MASK}, *[{"object": MASK, "hand": MASK}] * 2]
    assert demo[-1] == frames[2]
    assert demo.frames_with_mask("hand") == [1, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    with pytest.raises(IndexError, match="Frame 3 of a recording of 3"):
        demo[3]
    with pytest.raises(SchemaError, match="No masks of 'cup'; this recording has object, hand"):
        demo.frames_with_mask("cup")


def test_a_bop_reader_finds_what_it_expects(tmp_path):
    folder = record_tiny(tmp_path / "a").folder
    cameras = json.loads((folder / "scene_camera.json").read_text())
    assert sorted(cameras) == ["0", "1", "2"]
    assert cameras["2"] == {"cam_K": [10.0, 0.0, 3.5, 0.0, 10.0, 2.5, 0.0, 0.0, 1.0], "depth_scale": 1.0}
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*.png")}
    frames = {f"{kind}/00000{index}.png" for kind in ("rgb", "depth") for index in range(3)}
    masks = {f"mask_visib/00000{index}_00000{number}.png" for index in range(3) for number in range(2)}
    assert names == frames | masks - {"mask_visib/000000_000001.png"}


def test_what_others_put_beside_the_frames_stays_and_does_not_matter(tmp_path):
    with DemoWriter(tmp_path / "a", META) as writer:
        writer.append(0.0, RGB, DEPTH)
        (writer.folder / "scene_gt.json").write_text("{}")
    before = open_demo(tmp_path / "a").hash()
    (tmp_path / "a" / "rgb" / ".DS_Store").write_bytes(b"a file browser was here")
    assert (tmp_path / "a" / "scene_gt.json").read_text() == "{}"
    assert open_demo(tmp_path / "a").hash() == before


@pytest.mark.requirement("H03")
def test_the_hash_tells_recordings_apart(tmp_path):
    first = record_tiny(tmp_path / "a").hash()
    assert record_tiny(tmp_path / "b").hash() == first
    others = [record_tiny(tmp_path / "c", frames=2), record_tiny(tmp_path / "d", meta=META.replace(notes={}))]
    mask = record_tiny(tmp_path / "e")
    (tmp_path / "e/mask_visib/000001_000000.png").unlink()
    pixel = record_tiny(tmp_path / "f")
    (tmp_path / "f/rgb/000001.png").write_bytes(flat_png(channels=3, value=91))
    assert len((tmp_path / "f/rgb/000001.png").read_bytes()) == len(RGB)
    assert len({first, *(demo.hash() for demo in (*others, open_demo(mask.folder), pixel))}) == 5


def test_meta_survives_json_exactly():
    time = np.cumsum(np.random.default_rng(0).random(100))
    for meta in (META.replace(time=time, time_measured=False), examples()["DemoMeta"]):
        assert from_json(to_json(meta), "x") == meta


def test_meta_may_be_written_by_hand():
    text = to_json(META).replace('"fx": 10.0', '"fx": 10').replace('"time": []', '"time": [0, 1, 2.5]')
    assert from_json(text, "x") == META.replace(time=[0.0, 1.0, 2.5])


def test_a_jpeg_is_known_by_its_head(tmp_path):
    kind = picture_kind(JPEG, "x")
    assert (kind.suffix, kind.width, kind.height, kind.bits, kind.channels) == ("jpg", 8, 6, 8, 3)
    with DemoWriter(tmp_path / "a", META) as writer:
        writer.append(0.0, JPEG + bytes(100), DEPTH)
        with pytest.raises(SchemaError, match="is a png; those before are jpg"):
            writer.append(0.1, RGB, DEPTH)
    assert [frame.rgb for frame in open_demo(tmp_path / "a")] == [JPEG + bytes(100)]


REFUSED = [
    ((0.05, RGB, DEPTH), "taken at 0.05 s, the one before at 0.1 s; time must grow"),
    ((float("nan"), RGB, DEPTH), "time must grow"),
    ((float("inf"), RGB, DEPTH), "time must grow"),
    ((0.2, b"GIF89a", DEPTH), "neither a PNG nor a JPEG"),
    ((0.2, RGB[:-4], DEPTH), r"colour picture of frame 2 of a: \d+ bytes .* are cut short"),
    ((0.2, JPEG[:-2], DEPTH), "are cut short"),
    ((0.2, JPEG[:12] + b"\xff\xd9", DEPTH), "are cut short"),
    ((0.2, flat_png(channels=3, width=9), DEPTH), "has 9×6 px; its intrinsics are for 8×6 px"),
    ((0.2, flat_png(channels=3, bits=16), DEPTH), "colour picture of .* 16 bits and 3 channels"),
    ((0.2, MASK, DEPTH), "colour picture of .* 8 bits and 1 channels; a colour picture has 3"),
    ((0.2, RGB, MASK), "png of 8 bits and 1 channels; depth is a 16-bit grey PNG"),
    ((0.2, RGB, JPEG), "jpg of 8 bits and 3 channels"),
    ((0.2, RGB, flat_png(bits=16, height=7)), "depth picture of frame 2 of a has 8×7 px"),
    ((0.2, RGB, DEPTH, {"cup": MASK}), "A mask of 'cup'; this recording has object, hand"),
    ((0.2, RGB, DEPTH, {"hand": DEPTH}), "The mask of 'hand' of frame 2 of a is a png of 16 bits"),
    ((0.2, RGB, DEPTH, {"hand": flat_png(width=4)}), "has 4×6 px"),
]


@pytest.mark.parametrize(("arguments", "match"), REFUSED)
def test_a_frame_that_does_not_fit_is_refused(arguments, match, tmp_path):
    with pytest.raises(SchemaError, match=match), DemoWriter(tmp_path / "a", META) as writer:
        writer.append(0.0, RGB, DEPTH)
        writer.append(0.1, RGB, DEPTH)
        writer.append(*arguments)
    assert list(tmp_path.iterdir()) == []


def test_the_caller_may_go_on_without_the_frames_that_do_not_fit(tmp_path):
    with DemoWriter(tmp_path / "a", META) as writer:
        writer.append(0.0, RGB, DEPTH)
        for arguments, _ in REFUSED[1:]:
            with pytest.raises(SchemaError):
                writer.append(*arguments)
        writer.append(0.3, RGB, DEPTH)
    assert [frame.time for frame in open_demo(tmp_path / "a")] == [0.0, 0.3]


def test_a_full_disk_costs_one_frame_or_all_but_never_leaves_half(tmp_path, monkeypatch):
    def full_at(name):
        def write_bytes(path, data):
            path.open("wb").write(data[:5])
            if path.name == name:
                raise OSError(errno.ENOSPC, "No space left on device")
            path.open("wb").write(data)

        return write_bytes

    with DemoWriter(tmp_path / "a", META) as writer:
        writer.append(0.0, RGB, DEPTH, {"object": MASK})
        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", full_at("000001_000000.png"))
            with pytest.raises(OSError, match="No space left"):
                writer.append(0.1, RGB, DEPTH, {"object": MASK})
    assert len(open_demo(tmp_path / "a")) == 1
    monkeypatch.setattr(Path, "write_bytes", full_at("000000.png"))
    with pytest.raises(OSError, match="No space left"):
        record_tiny(tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_an_existing_folder_is_replaced_only_when_told_and_only_if_it_is_a_recording(tmp_path):
    record_tiny(tmp_path / "a")
    with pytest.raises(SchemaError, match="exists; choose another folder"):
        record_tiny(tmp_path / "a", frames=2)
    assert len(record_tiny(tmp_path / "a", frames=2, overwrite=True)) == 2
    (tmp_path / "b").mkdir()
    with pytest.raises(SchemaError, match="is not a recording"):
        record_tiny(tmp_path / "b", overwrite=True)
    with pytest.raises(SchemaError, match="without frames"):
        record_tiny(tmp_path / "c", frames=0)
    # Also one that appears while this one is recorded.
    with pytest.raises(SchemaError, match="exists; choose"), DemoWriter(tmp_path / "d", META) as writer:
        writer.append(0.0, RGB, DEPTH)
        record_tiny(tmp_path / "d")
    assert len(open_demo(tmp_path / "d")) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "d"]


def test_an_interrupted_replacement_puts_the_old_one_back(tmp_path, monkeypatch):
    old = record_tiny(tmp_path / "a").hash()
    rename = Path.replace

    def interrupted(source, target):
        if source.suffix == ".tmp":
            raise KeyboardInterrupt
        return rename(source, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        record_tiny(tmp_path / "a", frames=1, overwrite=True)
    assert open_demo(tmp_path / "a").hash() == old
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.requirement("H03")
def test_a_kill_leaves_the_old_recording_or_the_new_one():
    counts = demo_kills()
    assert counts["demo_losses"] == 0
    # Between the two renames the old one stands beside its place, and the error says so.
    assert counts["demo_found_beside"] <= 4
    assert min(counts["demo_found_old"], counts["demo_found_new"]) > 20


def test_all_files_are_durable_before_the_name_of_the_folder_is(tmp_path, monkeypatch):
    calls, fsync, rename = [], os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (calls.append(os.fstat(handle).st_ino), fsync(handle)))
    monkeypatch.setattr(Path, "replace", lambda a, b: (calls.append("rename"), rename(a, b)))
    folder = record_tiny(tmp_path / "a").folder
    everything = {path.stat().st_ino for path in [folder, *folder.rglob("*")]}
    assert set(calls[: calls.index("rename")]) == everything
    assert calls[-1] == tmp_path.stat().st_ino


def test_permissions_are_those_of_any_new_folder(tmp_path, request):
    request.addfinalizer(functools.partial(os.umask, os.umask(0o022)))
    folder = record_tiny(tmp_path / "a").folder
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/x").write_bytes(b"")
    assert folder.stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert (folder / "rgb/000000.png").stat().st_mode == (tmp_path / "plain/x").stat().st_mode


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.requirement("D03")
@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda a: (a / "meta.json").unlink(), r"not a recording: it has no meta\.json"),
        (lambda a: (a / "meta.json").write_text("{"), r"not a readable meta\.json"),
        (lambda a: (a / "meta.json").write_bytes(b"\xff\xfe"), r"not a readable meta\.json"),
        (lambda a: (a / "meta.json").write_text("[" * 100_000), r"not a readable meta\.json"),
        (lambda a: (a / "meta.json").write_text("[]"), "a list of 0 entries; a mapping of schema"),
        (lambda a: change(a / "meta.json", '"name": "tiny"', '"name": "tiny", "name": "b"'), "twice in one mapping"),
        (lambda a: (a / "rgb/000001.png").unlink(), r"rgb has 2 pictures for 3 time stamps; 000001\.png is missing"),
        (lambda a: (a / "depth/000003.png").write_bytes(DEPTH), r"4 pictures for 3 .*; 000003\.png is one too many"),
        (lambda a: (a / "rgb/000001.jpg").write_bytes(JPEG), "rgb has 4 pictures for 3 time stamps"),
        (lambda a: (a / "depth").rename(a / "deep"), "depth cannot be read: No such file or directory"),
        (lambda a: (a / "mask_visib/000003_000000.png").write_bytes(MASK), "belongs to no frame"),
        (lambda a: (a / "mask_visib/000000_000002.png").write_bytes(MASK), "belongs to no frame"),
        (lambda a: change(a / "meta.json", '"depth_unit": 0.001', '"depth_unit": 1000.0'), r"depth_unit is 1000\.0"),
        (lambda a: change(a / "meta.json", '"depth_unit": 0.001', '"depth_unit": -0.001'), r"depth_unit is -0\.001"),
        (lambda a: change(a / "meta.json", '"depth_unit": 0.001', '"depth_unit": 1.0'), "another depth scale"),
        (lambda a: change(a / "meta.json", '"fx": 10.0', '"fx": 11.0'), "other intrinsics"),
        (lambda a: change(a / "meta.json", '"fx": 10.0', '"fx": "10"'), "fx is '10'; allowed: a finite number"),
        (lambda a: change(a / "meta.json", '"version": 1', '"version": 2'), "version 2; this software reads"),
        (lambda a: change(a / "meta.json", '"licence"', '"license"'), "'license'; allowed: one of"),
        (lambda a: change(a / "meta.json", "0.2\n", "0.1\n"), "time does not grow at index 2"),
        (lambda a: change(a / "meta.json", "0.2\n", "NaN\n"), "time holds nan"),
        (lambda a: change(a / "meta.json", "0.2\n", '"0.2"\n'), r"time is an array of <U\d+"),
        (lambda a: change(a / "meta.json", "0.2\n", "1" * 400 + "\n"), "time is an array of object"),
        (lambda a: (a / "scene_camera.json").unlink(), "scene_camera.json cannot be read: No such file"),
        (lambda a: (a / "scene_camera.json").write_text("[]"), "is damaged"),
        (lambda a: change(a / "scene_camera.json", '"2"', '"3"'), "is damaged"),
        (lambda a: change(a / "scene_camera.json", "cam_K", "K"), "is damaged"),
    ],
)
def test_a_damaged_recording_is_refused_when_opened(damage, match, tmp_path):
    record_tiny(tmp_path / "a")
    damage(tmp_path / "a")
    with pytest.raises(SchemaError, match=match):
        open_demo(tmp_path / "a")


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("depth/000001.png", b"nothing", r"000001\.png: 7 bytes that start with 6e6f7468696e67 are neither a PNG"),
        ("depth/000001.png", DEPTH[:-1], "cut short"),
        ("depth/000001.png", MASK, "depth is a 16-bit grey PNG"),
        ("rgb/000001.png", flat_png(channels=3, width=16), "has 16×6 px; its intrinsics are for 8×6 px"),
        ("mask_visib/000001_000001.png", RGB, "a mask is a grey PNG"),
    ],
)
def test_a_damaged_picture_is_refused_when_read(name, content, match, tmp_path):
    demo = record_tiny(tmp_path / "a")
    (tmp_path / "a" / name).write_bytes(content)
    assert demo[0].index == 0
    with pytest.raises(SchemaError, match=match):
        demo[1]


def test_a_picture_that_is_gone_or_huge_is_refused_when_read(tmp_path, monkeypatch):
    demo = record_tiny(tmp_path / "a")
    (tmp_path / "a/rgb/000001.png").unlink()
    with pytest.raises(SchemaError, match=r"rgb/000001\.png cannot be read: No such file"):
        demo[1]
    monkeypatch.setattr("h2s2r_schemas.demo.folder.MAX_FILE", len(RGB) - 1)
    with pytest.raises(SchemaError, match="a file of a recording has at most"):
        demo[0]


def test_a_long_recording_is_read_and_written_a_frame_at_a_time(tmp_path):
    # A PNG may hold any bytes in a chunk that readers skip: a flat picture of a megabyte.
    padded = RGB[:33] + (2**20).to_bytes(4, "big") + b"teSt" + bytes(2**20 + 4) + RGB[33:]
    tracemalloc.start()
    with DemoWriter(tmp_path / "a", META) as writer:
        for index in range(40):
            writer.append(float(index), padded, DEPTH)
    assert sum(len(frame.rgb) for frame in open_demo(tmp_path / "a")) > 40 * 2**20
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20
