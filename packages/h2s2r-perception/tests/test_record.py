"""Recording and live tracking through a recorded camera; the RealSense adapter against its SDK, where that is installed.

In:  made recordings, virtual clocks.   Out: the same pictures again, counted drops, object states with capture times.
Not here: a camera that is plugged in.
"""

import cv2
import numpy as np
import pytest
from scenes_for_tests import Box, faces_rgb, look_at, render

from h2s2r_perception.frames import decode_all
from h2s2r_perception.live import LiveCfg, follow
from h2s2r_perception.record import CameraError, FilmCfg, RealSenseCamera, RecordedCamera, film
from h2s2r_perception.record.film import preview_picture
from h2s2r_schemas.artifacts import Calibration, ObjectModel, Shape
from h2s2r_schemas.demo import DemoMeta, DemoWriter, open_demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

T_WORLD_CAMERA = look_at(np.array([0.05, -0.6, 0.5]), (0.0, 0.0, 0.03))
SIZE = np.array([0.16, 0.07, 0.10])
PERIOD = 0.1


class VirtualClock:
    """A clock that goes on only when somebody waits, or says that time passes."""

    def __init__(self):
        self.moment = 100.0

    def now(self):
        return self.moment

    def sleep_until(self, moment):
        self.moment = max(self.moment, moment)


def where(index):
    return SE3.exp(np.array([-0.05 + 0.004 * index, 0.02, 0.05, 0, 0, 0.3 + 0.01 * index]))


def record(folder, shown, known=True):
    """A box that slides; ``shown`` says in which frames it is in the picture."""
    writer, truth = None, []
    for index, there in enumerate(shown):
        box = Box(tuple(SIZE), where(index), faces_rgb(4))
        frame, _ = render([box] if there else [], T_WORLD_CAMERA, index, PERIOD * index, noise_px=0.05)
        if writer is None:
            calibration = Calibration(
                color=frame.camera, depth=frame.camera, wxyz_xyz_world_camera=T_WORLD_CAMERA.wxyz_xyz if known else None
            )
            meta = DemoMeta(name="made", calibration=calibration, depth_unit=0.001, licence="CC0-1.0")
            writer = DemoWriter(folder, meta).__enter__()
        counts = np.round(frame.depth * 1000).astype(np.uint16)
        writer.append(frame.time, *(cv2.imencode(".png", one)[1].tobytes() for one in (frame.rgb[..., ::-1], counts)))
        truth.append(box.T_world_box)
    writer.__exit__(None, None, None)
    return open_demo(folder), truth


def model():
    shape = Shape(kind="box", size=SIZE)
    square = SIZE**2
    inertia = np.diag(0.3 / 12 * (square.sum() - square))
    return ObjectModel(
        name="box", visual=(shape,), collision=(shape,), mass=0.3, center_of_mass=np.zeros(3), inertia=inertia
    )


class Slow(RecordedCamera):
    """A recorded camera whose reader takes ``took`` [s] over each frame."""

    def __init__(self, demo, clock, took):
        super().__init__(demo, clock)
        self.took, self.clock = took, clock

    def read(self, timeout=1.0):
        taken = super().read(timeout)
        self.clock.moment += self.took
        return taken


# ── recording ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_recorded_is_what_the_camera_saw(tmp_path):
    demo, _ = record(tmp_path / "demo", [True] * 6)
    seen = []
    copy, report = film(
        RecordedCamera(demo, VirtualClock()),
        tmp_path / "copy",
        FilmCfg(licence="CC0-1.0"),
        lambda frame, now: seen.append((now.frames, preview_picture(frame, now).shape)),
    )
    assert (report.frames, report.dropped, report.repeated) == (6, 0, 0) and report.rate_hz == pytest.approx(10.0)
    assert copy.meta.time == pytest.approx(demo.meta.time) and copy.meta.source == "recording made"
    for one, other in zip(decode_all(demo), decode_all(copy), strict=True):
        assert np.abs(one.depth - other.depth).max() < 1e-6
        assert np.abs(one.rgb.astype(int) - other.rgb).mean() < 4.0
    assert seen[-1] == (6, (240, 640, 3))
    assert copy.meta.calibration.T_world_camera.distance(T_WORLD_CAMERA)[0] < 1e-9


def test_dropped_frames_are_counted_and_too_many_are_refused(tmp_path):
    demo, _ = record(tmp_path / "demo", [True] * 9)
    clock = VirtualClock()
    kept, report = film(Slow(demo, clock, 1.5 * PERIOD), tmp_path / "kept", FilmCfg(most_dropped=0.5))
    assert report.frames + report.dropped == 9 and 2 <= report.dropped <= 4 and len(kept) == report.frames
    with pytest.raises(CameraError, match=r"of 9 frames were dropped; 20% are allowed"):
        film(Slow(demo, VirtualClock(), 1.5 * PERIOD), tmp_path / "refused")
    assert not (tmp_path / "refused").exists()


def test_a_camera_that_misbehaves(tmp_path):
    demo, _ = record(tmp_path / "demo", [True] * 5)

    class Stutters(RecordedCamera):
        last = None

        def read(self, timeout=1.0):
            self.last = super().read(timeout) if self.last is None or self.last.number != 2 else self.last
            again, self.last = self.last, None if self.last is not None and self.last.number == 2 else self.last
            return again

    class Jumps(RecordedCamera):
        def read(self, timeout=1.0):
            from dataclasses import replace

            taken = super().read(timeout)
            return replace(taken, capture_time=50.0) if taken and taken.number == 3 else taken

    class Blind(RecordedCamera):
        def read(self, timeout=1.0):
            from dataclasses import replace

            taken = super().read(timeout)
            return taken and replace(taken, frame=replace(taken.frame, depth=0 * taken.frame.depth))

    class Dead(RecordedCamera):
        def read(self, timeout=1.0):
            return None

    for camera, says in [(Jumps, "clock jumped"), (Blind, "Depth was measured in 0%"), (Dead, "gave no frame")]:
        with pytest.raises(CameraError, match=says):
            film(camera(demo, VirtualClock()), tmp_path / camera.__name__)
        assert not (tmp_path / camera.__name__).exists()
    late = RecordedCamera(demo, VirtualClock())
    late.start()
    late.read()
    with pytest.raises(CameraError, match="no frame within"):
        late.read(timeout=0.01)
    _, short = film(RecordedCamera(demo, VirtualClock()), tmp_path / "short", FilmCfg(seconds=0.25))
    assert short.frames == 3


# ── live ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("H28")
def test_live_states_carry_capture_time_and_come_back_after_a_loss(tmp_path):
    shown = [True] * 4 + [False] * 5 + [True] * 5
    demo, truth = record(tmp_path / "demo", shown)
    states = []
    clock = VirtualClock()
    report = follow(RecordedCamera(demo, clock), model(), None, states.append, LiveCfg(start_over=0.3))
    assert report.frames == 14 and report.missed == 0 and [state.sequence for state in states] == list(range(14))
    assert [state.capture_time for state in states] == pytest.approx(100.0 + PERIOD * np.arange(14))
    for state, there in zip(states, shown, strict=True):
        assert state.object_name == "box"
        if not there:
            assert state.lost and state.confidence == 0 and np.isnan(state.wxyz_xyz_world_object).all()
    found = [index for index, state in enumerate(states) if not state.lost]
    assert set(range(4)) <= set(found) and {12, 13} <= set(found)
    assert report.registered >= 1 and report.lost == 14 - len(found)
    for index in found:
        apart = states[index].T_world_object.translation - truth[index].translation
        assert np.linalg.norm(apart) < 0.008


def test_a_slow_tracker_misses_frames_and_says_so(tmp_path):
    demo, _ = record(tmp_path / "demo", [True] * 7)
    states = []
    report = follow(Slow(demo, VirtualClock(), 2.5 * PERIOD), model(), None, states.append)
    assert report.frames + report.missed == 7 and report.missed >= 3 and len(states) == report.frames


def test_live_without_a_place_for_the_camera(tmp_path):
    demo, _ = record(tmp_path / "demo", [True] * 2, known=False)
    with pytest.raises(SchemaError, match="where the camera is"):
        follow(RecordedCamera(demo, VirtualClock()), model(), None, print)
    states = []
    follow(RecordedCamera(demo, VirtualClock()), model(), T_WORLD_CAMERA, states.append, frames=1)
    assert len(states) == 1


@pytest.mark.requirement("H28")
def test_live_states_arrive_over_a_socket(tmp_path):
    pytest.importorskip("zmq")
    from h2s2r_schemas.client.objects import ObjectPublisher, ObjectSubscriber

    demo, _ = record(tmp_path / "demo", [True] * 3)
    address = f"ipc://{tmp_path}/objects"
    publisher, subscriber = ObjectPublisher(address), ObjectSubscriber(address)
    try:
        heard = []

        def publish(state):
            # The first messages of a new connection may be missed: say it until it is heard.
            for _ in range(100):
                publisher.publish(state)
                got = subscriber.latest(0.05)
                if got is not None and got.sequence == state.sequence:
                    heard.append(got)
                    return

        sent = []
        follow(
            RecordedCamera(demo, VirtualClock()), model(), None, lambda state: (sent.append(state), publish(state))[0]
        )
    finally:
        publisher.close()
        subscriber.close()
    assert [state.capture_time for state in heard] == [state.capture_time for state in sent] and len(sent) == 3
    assert heard[2].wxyz_xyz_world_object == pytest.approx(sent[2].wxyz_xyz_world_object)


# ── RealSense ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_file_of_a_realsense(tmp_path):
    (tmp_path / "film.mp4").write_bytes(b"")
    for name in ("film.mp4", "absent.bag"):
        with pytest.raises(CameraError, match="no file of a RealSense"):
            RealSenseCamera(tmp_path / name)


def sdk():
    return pytest.importorskip("pyrealsense2", exc_type=ImportError)


def test_a_lens_model_that_undoes_distortion_becomes_one_that_makes_it():
    from types import SimpleNamespace

    from h2s2r_perception.record.realsense import intrinsics_of

    models = SimpleNamespace(none=0, brown_conrady=1, modified_brown_conrady=2, inverse_brown_conrady=3, ftheta=4)
    rs = SimpleNamespace(distortion=models)
    lens = {"width": 640, "height": 480, "fx": 385.0, "fy": 384.5, "ppx": 321.0, "ppy": 238.0}
    inverse = [-0.055, 0.065, 0.0006, -0.0004, -0.021]
    camera = intrinsics_of(SimpleNamespace(**lens, coeffs=inverse, model=3), rs)
    # The SDK's deprojection of a pixel (rs2_deproject_pixel_to_point), and where OpenCV draws that point.
    x, y = (600 - 321.0) / 385.0, (440 - 238.0) / 384.5
    r2 = x * x + y * y
    k1, k2, p1, p2, k3 = inverse
    scale = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    point = np.array([[x * scale + 2 * p1 * x * y + p2 * (r2 + 2 * x * x), 0.0, 1.0]])
    point[0, 1] = y * scale + 2 * p2 * x * y + p1 * (r2 + 2 * y * y)
    drawn = cv2.projectPoints(point, np.zeros(3), np.zeros(3), camera.matrix(), camera.distortion)[0].ravel()
    assert drawn == pytest.approx((600, 440), abs=0.1)
    assert np.linalg.norm(drawn - (385.0 * point[0, 0] + 321.0, 384.5 * point[0, 1] + 238.0)) > 1.0
    with pytest.raises(CameraError, match="not known here"):
        intrinsics_of(SimpleNamespace(**lens, coeffs=inverse, model=4), rs)


def test_a_camera_that_is_not_plugged_in():
    sdk()
    with pytest.raises(CameraError, match="does not start"):
        RealSenseCamera().start()


def test_a_file_that_the_sdk_recorded(tmp_path):
    """A device made of software is recorded by the SDK, and its file read back through it."""
    rs = sdk()
    device, path = rs.software_device(), tmp_path / "film.db3"
    device.register_info(rs.camera_info.name, "made of software")
    device.register_info(rs.camera_info.serial_number, "0")
    lens = rs.intrinsics()
    lens.width, lens.height, lens.fx, lens.fy, lens.ppx, lens.ppy = 64, 48, 60.0, 60.0, 31.5, 23.5
    lens.model = rs.distortion.brown_conrady
    sensors, streams = [], []
    for name, stream, kind, size in (
        ("Stereo Module", rs.stream.depth, rs.format.z16, 2),
        ("RGB Camera", rs.stream.color, rs.format.rgb8, 3),
    ):
        video = rs.video_stream()
        video.type, video.index, video.uid, video.width, video.height = stream, 0, size, 64, 48
        video.fps, video.bpp, video.fmt, video.intrinsics = 30, size, kind, lens
        sensor = device.add_sensor(name)
        if stream == rs.stream.depth:
            sensor.add_read_only_option(rs.option.depth_units, 0.0005)
        streams.append(sensor.add_video_stream(video))
        sensors.append(sensor)
    nothing = rs.extrinsics()
    nothing.rotation, nothing.translation = [1, 0, 0, 0, 1, 0, 0, 0, 1], [0, 0, 0]
    streams[0].register_extrinsics_to(streams[1], nothing)
    recorder = rs.recorder(str(path), device)
    for sensor, profile in zip(recorder.query_sensors(), streams, strict=True):
        sensor.open(profile)
        sensor.start(lambda frame: None)
    depth, colour = np.full((48, 64), 1200, np.uint16), np.full((48, 64, 3), (10, 200, 90), np.uint8)
    for number in range(5):
        for sensor, profile, pixels, size in zip(sensors, streams, (depth, colour), (2, 3), strict=True):
            frame = rs.software_video_frame()
            frame.pixels, frame.bpp, frame.stride = pixels, size, 64 * size
            frame.timestamp, frame.domain = 1000.0 + 40.0 * number, rs.timestamp_domain.hardware_clock
            frame.frame_number, frame.profile = number, profile.as_video_stream_profile()
            if size == 2:
                frame.depth_units = 0.0005
            sensor.on_video_frame(frame)
    for sensor in recorder.query_sensors():
        sensor.stop()
        sensor.close()
    del recorder, device
    demo, report = film(RealSenseCamera(path), tmp_path / "demo")
    assert report.frames >= 4 and demo.meta.source == "made of software 0"
    frame = next(decode_all(demo))
    assert frame.depth == pytest.approx(0.6) and frame.camera.fx == 60.0
    assert np.abs(frame.rgb.astype(int) - (10, 200, 90)).max() <= 3
    assert np.diff(demo.meta.time) == pytest.approx(0.04)
