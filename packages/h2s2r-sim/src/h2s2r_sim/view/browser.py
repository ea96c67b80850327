"""Episodes in the browser: to turn about, to step through, to play.

In:  task, embodiment, ``EpisodeStates``.   Out: ``Viewer``, a running viser server.
Not here: pictures without a browser (film), how robots and hands are shown while retargeting (h2s2r-retarget's view).
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event, RLock, Thread
from typing import Any

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.view import ViewScene, view_scene
from h2s2r_retarget.view.solids import triangles
from h2s2r_schemas.artifacts import Shape, TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.mdp.tracking import TrackedObject
from h2s2r_sim.view.camera import find_camera
from h2s2r_sim.view.episodes import EpisodeStates
from h2s2r_sim.view.extra import extra_module
from h2s2r_sim.view.look import ANCHOR, GOAL_ANCHOR, LINE, POINT, THREAD, ghost_shapes

#: A surface with so few corners is a box: it has edges.
_FEW = 8


class Viewer:
    """A page with one robot, one object, its goal and some episodes; it is served until ``stop``, or the process ends.

    Args:
        task: what was done.
        embodiment: by whom.
        episodes: what happened; the page lets one choose by title.
        host: address to listen on.
        port: port to listen on; another one if it is taken.

    Raises:
        NoGraphicsError: viser is not installed.
        SchemaError: no episode, or another robot's.
    """

    def __init__(
        self,
        task: TaskSpec,
        embodiment: Embodiment,
        episodes: Sequence[EpisodeStates],
        host: str = "localhost",
        port: int = 8080,
    ) -> None:
        joints = len(embodiment.joint_names)
        if not episodes or any(each.joint_pos.shape[1] != joints for each in episodes):
            raise SchemaError(
                f"{len(episodes)} episodes to look at: there is at least one, with the {joints} joints of {embodiment.name}."
            )
        viser = extra_module("viser")
        self._episodes = list(episodes)
        self._robots: list[ViewScene] = [view_scene(embodiment, each.joint_pos) for each in episodes]
        self._tracked = TrackedObject.of(task)
        self._shown, self._lock, self._stopped = 0, RLock(), Event()
        self._server: Any = viser.ViserServer(
            host=host, port=port, label=f"{task.name}, {embodiment.name}", verbose=False
        )
        self._furnish(task)
        self._controls()
        self._draw()
        Thread(target=self._play, daemon=True).start()

    @property
    def port(self) -> int:
        """Where the page is served: http://localhost:PORT."""
        return int(self._server.get_port())

    def stop(self) -> None:
        """End it."""
        self._stopped.set()
        self._server.stop()

    def _furnish(self, task: TaskSpec) -> None:
        """What keeps its shape: it is only moved from frame to frame."""
        scene, camera = self._server.scene, find_camera(task)
        scene.set_up_direction("+z")
        self._server.initial_camera.position = tuple(camera.p_world_eye)
        self._server.initial_camera.look_at = tuple(camera.p_world_lookat)
        for body in task.scene.bodies:
            wxyz_xyz = body.wxyz_xyz_world_body
            scene.add_frame(f"/scene/{body.name}", show_axes=False, wxyz=wxyz_xyz[:4], position=wxyz_xyz[4:])
            self._add_shapes(f"/scene/{body.name}", body.shapes)
        self._object = scene.add_frame("/object", show_axes=False)
        self._add_shapes("/object", task.object.visual or task.object.collision)
        self._goal = scene.add_frame("/goal", show_axes=False)
        self._add_shapes("/goal", ghost_shapes(task.object))
        robot = self._robots[0]
        self._links = [scene.add_frame(f"/robot/{name}", show_axes=False) for name in robot.links]
        for number, solid in enumerate(robot.solids):
            self._add_mesh(f"/robot/{robot.links[solid.link]}/{number}", solid.vertices, solid.faces, (*solid.rgb, 1.0))

    def _add_shapes(self, owner: str, shapes: Sequence[Shape]) -> None:
        for number, shape in enumerate(shapes):
            self._add_mesh(f"{owner}/{number}", *triangles(shape), shape.rgba)

    def _add_mesh(self, name: str, vertices: np.ndarray, faces: np.ndarray, rgba: np.ndarray | Sequence[float]) -> None:
        opaque = rgba[3] >= 1.0
        self._server.scene.add_mesh_simple(
            name,
            np.asarray(vertices),
            faces,
            color=_bytes(rgba),
            opacity=None if opaque else float(rgba[3]),
            flat_shading=len(vertices) <= _FEW,
            side="double",
            cast_shadow=opaque,
        )

    def _controls(self) -> None:
        gui = self._server.gui
        titles = [f"{number + 1}: {each.title or 'untitled'}" for number, each in enumerate(self._episodes)]
        choice = gui.add_dropdown("episode", titles, initial_value=titles[0], visible=len(titles) > 1)
        self._slider = gui.add_slider("step", min=0, max=1, step=1, initial_value=0)
        self._time = gui.add_text("time [s]", "0.00", disabled=True)
        self._playing = gui.add_checkbox("play", initial_value=False)
        self._fit()
        self._slider.on_update(lambda _: self._draw())

        def choose(_: object) -> None:
            with self._lock:
                self._shown = titles.index(choice.value)
                self._fit()
                self._slider.value = 0
                self._draw()

        choice.on_update(choose)

    def _fit(self) -> None:
        """As many steps as the episode has."""
        self._slider.max = max(1, len(self._episodes[self._shown]) - 1)

    def _draw(self) -> None:
        with self._lock, self._server.atomic():
            episode, robot = self._episodes[self._shown], self._robots[self._shown]
            at = min(int(self._slider.value), len(episode) - 1)
            self._time.value = f"{at * episode.dt:.2f}"
            poses = episode.wxyz_xyz_world_object[at], episode.wxyz_xyz_world_goal[at]
            for handle, wxyz_xyz in zip(
                (*self._links, self._object, self._goal), (*robot.Ts_world_link.wxyz_xyz[at], *poses), strict=True
            ):
                handle.wxyz, handle.position = wxyz_xyz[:4], wxyz_xyz[4:]
            self._draw_anchors(*(SE3(each[None]) for each in poses))

    def _draw_anchors(self, T_world_object: SE3, T_world_goal: SE3) -> None:
        scene = self._server.scene
        anchors = self._tracked.placed(T_world_object, T_world_goal).p_world_anchors[0]
        goals = self._tracked.placed(T_world_goal).p_world_anchors[0]
        for name, points, rgba in (("object", anchors, ANCHOR), ("goal", goals, GOAL_ANCHOR)):
            colours = np.tile(_bytes(rgba), (len(points), 1)).astype(np.uint8)
            scene.add_point_cloud(f"/anchors/{name}", points, colours, point_size=2 * POINT, point_shape="circle")
        lines = np.stack([anchors, goals], axis=1)
        scene.add_line_segments("/anchors/errors", lines, _bytes(LINE), thickness=2 * THREAD)

    def _play(self) -> None:
        while not self._stopped.wait(self._episodes[self._shown].dt):
            if self._playing.value:
                self._slider.value = (int(self._slider.value) + 1) % len(self._episodes[self._shown])


def _bytes(rgba: np.ndarray | Sequence[float]) -> tuple[int, int, int]:
    red, green, blue = (round(255 * float(each)) for each in rgba[:3])
    return red, green, blue
