"""The page: one slider of time moves everything that is there.

In:  ``ShownRun``.   Out: ``RunPage``, a running viser server.
Not here: reading a run (shown), how robots, hands and clouds look (the views of the packages).
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event, RLock, Thread
from typing import Any

import numpy as np
import viser

from h2s2r.view.shown import ShownRun
from h2s2r_perception.view.browser import cloud
from h2s2r_perception.view.finding import BONES
from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.view import view_scene
from h2s2r_retarget.view.solids import triangles
from h2s2r_schemas.artifacts import Shape
from h2s2r_sim.mdp.goal import sample
from h2s2r_sim.view import EpisodeStates
from h2s2r_sim.view.camera import find_camera
from h2s2r_sim.view.look import ghost_shapes

#: [s] between steps of the slider, and while playing.
_STEP = 1.0 / 30.0
#: How opaque the object of the recording and the robot of the rehearsal are, so that what is behind shows.
_SEEN, _REHEARSED = 0.45, 0.5
_HAND, _PATH = (20, 160, 220), (230, 90, 20)


class RunPage:
    """A page with a run; it is served until ``stop``, or the process ends.

    Args:
        run: what to show.
        host: address to listen on.
        port: port to listen on; another one if it is taken.
    """

    def __init__(self, run: ShownRun, host: str = "localhost", port: int = 8080) -> None:
        self._run, self._lock, self._stopped = run, RLock(), Event()
        self.server = viser.ViserServer(host=host, port=port, label=f"h2s2r: {run.name}", verbose=False)
        self.server.scene.set_up_direction("+z")
        self._parts: dict[str, _Part] = {}
        self._furnish()
        first, last = run.span
        gui = self.server.gui
        self.time = gui.add_slider("time [s]", min=first, max=max(last, first + _STEP), step=_STEP, initial_value=first)
        self._playing = gui.add_checkbox("play", initial_value=False)
        self.time.on_update(lambda _: self.draw())
        for part in self._parts.values():
            self._controls(part)
        self.draw()
        Thread(target=self._play, daemon=True).start()

    @property
    def port(self) -> int:
        """Where the page is served: http://localhost:PORT."""
        return int(self.server.get_port())

    @property
    def parts(self) -> tuple[str, ...]:
        """What is there to be shown."""
        return tuple(self._parts)

    def stop(self) -> None:
        """End it."""
        self._stopped.set()
        self.server.stop()

    def draw(self) -> None:
        """Everything at the time of the slider."""
        with self._lock, self.server.atomic():
            for part in self._parts.values():
                if part.shown:
                    part.draw(float(self.time.value))

    def _furnish(self) -> None:
        run, scene = self._run, self.server.scene
        if run.task is not None and run.embodiment is not None:
            camera = find_camera(run.task)
            self.server.initial_camera.position = tuple(camera.p_world_eye)
            self.server.initial_camera.look_at = tuple(camera.p_world_lookat)
            for body in run.task.scene.bodies:
                _place(scene.add_frame(f"/scene/{body.name}", show_axes=False), body.wxyz_xyz_world_body)
                _add_shapes(self.server, f"/scene/{body.name}", body.shapes)
            self._parts["reference"] = _Reference(self.server, run)
            for name, episodes in (("policy", run.policy), ("rehearsal", run.rehearsal)):
                if episodes:
                    self._parts[name] = _Robot(self.server, name, run, run.embodiment, episodes)
        if run.finding is not None:
            self._parts["recording"] = _Recording(self.server, run)

    def _controls(self, part: _Part) -> None:
        """Whether a part is shown, and which of its episodes."""
        gui = self.server.gui
        checkbox = gui.add_checkbox(part.name, initial_value=part.shown)

        def show(_: object) -> None:
            part.shown = bool(checkbox.value)
            self.draw()

        checkbox.on_update(show)
        if len(part.titles) > 1:
            choice = gui.add_dropdown(f"{part.name}: episode", part.titles, initial_value=part.titles[0])

            def choose(_: object) -> None:
                part.episode = part.titles.index(choice.value)
                self.draw()

            choice.on_update(choose)

    def _play(self) -> None:
        first, last = self._run.span
        while not self._stopped.wait(_STEP):
            if self._playing.value:
                later = float(self.time.value) + _STEP
                self.time.value = first if later > last else later


class _Part:
    """Something that is shown at any time, or hidden."""

    titles: Sequence[str] = ()
    episode = 0

    def __init__(self, server: viser.ViserServer, name: str, shown: bool = True) -> None:
        self.name, self._server = name, server
        self._root = server.scene.add_frame(f"/{name}", show_axes=False, visible=shown)

    @property
    def shown(self) -> bool:
        return bool(self._root.visible)

    @shown.setter
    def shown(self, shown: bool) -> None:
        self._root.visible = shown

    def draw(self, time: float) -> None:
        """As it is at a time [s] of the recording."""
        raise NotImplementedError


class _Recording(_Part):
    """Cloud, object and hand as seen, moved into the world of the task."""

    def __init__(self, server: viser.ViserServer, run: ShownRun) -> None:
        super().__init__(server, "recording")
        assert run.finding is not None
        self._finding, self._mirror, self._drawn = run.finding, run.mirror, -1
        _place(self._root, run.T_new_world.wxyz_xyz)
        self._object: Any = None
        path, model = run.finding.path, run.finding.model
        if path is not None and model is not None:
            self._object = server.scene.add_frame("/recording/object", show_axes=False)
            _add_shapes(server, "/recording/object", model.visual, opacity=_SEEN)
            places = path.wxyz_xyz_world_object[~path.lost, 4:]
            if len(places) > 1:
                lines = np.stack((places[:-1], places[1:]), axis=1)
                server.scene.add_line_segments("/recording/path", lines, _PATH, thickness=0.003)

    def draw(self, time: float) -> None:
        finding, times = self._finding, self._finding.demo.meta.time
        index = int(np.argmin(np.abs(times - time)))
        if index == self._drawn:
            return
        self._drawn = index
        points, colours, at = cloud(finding, index)
        points = points if self._mirror is None else self._mirror.points(points)
        self._server.scene.add_point_cloud("/recording/cloud", points, colours, point_size=0.002)
        entry = finding.object_entry(at)
        if self._object is not None and finding.path is not None:
            self._object.visible = entry is not None and not finding.path.lost[entry]
            if self._object.visible:
                _place(self._object, finding.path.wxyz_xyz_world_object[entry])
        entry, segments = finding.hand_entry(at), np.zeros((1, 2, 3))
        if finding.hand is not None and entry is not None and not finding.hand.lost[entry]:
            segments = finding.hand.p_world_keypoints[entry][np.array(BONES)]
        self._server.scene.add_line_segments("/recording/hand", segments, _HAND, thickness=0.004)


class _Reference(_Part):
    """The object where the task wants it."""

    def __init__(self, server: viser.ViserServer, run: ShownRun) -> None:
        super().__init__(server, "reference")
        assert run.task is not None
        self._reference, self._starts = run.task.reference, run.starts
        self._goal = server.scene.add_frame("/reference/goal", show_axes=False)
        _add_shapes(server, "/reference/goal", ghost_shapes(run.task.object))

    def draw(self, time: float) -> None:
        at = np.clip(time - self._starts, 0.0, self._reference.duration)
        _place(self._goal, sample(self._reference, np.array([at]))[0])


class _Robot(_Part):
    """Robot and object in one of some episodes."""

    def __init__(
        self,
        server: viser.ViserServer,
        name: str,
        run: ShownRun,
        embodiment: Embodiment,
        episodes: Sequence[EpisodeStates],
    ) -> None:
        super().__init__(server, name)
        assert run.task is not None
        self._starts, self._episodes = run.starts, list(episodes)
        self._robots = [view_scene(embodiment, each.joint_pos) for each in episodes]
        self.titles = [f"{number + 1}: {each.title or 'untitled'}" for number, each in enumerate(episodes)]
        opacity = _REHEARSED if name == "rehearsal" else None
        self._object = server.scene.add_frame(f"/{name}/object", show_axes=False)
        _add_shapes(server, f"/{name}/object", run.task.object.visual, opacity)
        robot = self._robots[0]
        self._links = [server.scene.add_frame(f"/{name}/robot/{link}", show_axes=False) for link in robot.links]
        for number, solid in enumerate(robot.solids):
            owner = f"/{name}/robot/{robot.links[solid.link]}/{number}"
            _add_mesh(server, owner, solid.vertices, solid.faces, solid.rgb, opacity)

    def draw(self, time: float) -> None:
        episode, robot = self._episodes[self.episode], self._robots[self.episode]
        at = int(np.clip(round((time - self._starts) / episode.dt), 0, len(episode) - 1))
        for link, wxyz_xyz in zip(self._links, robot.Ts_world_link.wxyz_xyz[at], strict=True):
            _place(link, wxyz_xyz)
        _place(self._object, episode.wxyz_xyz_world_object[at])


def _place(handle: Any, wxyz_xyz: np.ndarray) -> None:
    handle.wxyz, handle.position = wxyz_xyz[:4], wxyz_xyz[4:]


def _add_shapes(server: viser.ViserServer, owner: str, shapes: Sequence[Shape], opacity: float | None = None) -> None:
    for number, shape in enumerate(shapes):
        seen_through = float(shape.rgba[3]) if shape.rgba[3] < 1.0 and opacity is None else opacity
        vertices, faces = triangles(shape)
        _add_mesh(server, f"{owner}/{number}", vertices, faces, shape.rgba, seen_through)


def _add_mesh(
    server: viser.ViserServer, name: str, vertices: np.ndarray, faces: np.ndarray, rgba: Any, opacity: float | None
) -> None:
    red, green, blue = (round(255 * float(each)) for each in rgba[:3])
    server.scene.add_mesh_simple(
        name,
        np.asarray(vertices),
        faces,
        color=(red, green, blue),
        opacity=opacity,
        flat_shading=len(vertices) <= 8,
        side="double",
        cast_shadow=opacity is None,
    )
