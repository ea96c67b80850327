"""What is seen is what was: recorded states, pictures and films show robot, object and goal where they were.

In:  tasks and robots.   Out: states, pixels, an MP4.
Not here: whether it looks good (that is looked at), the command line (test_cli).
"""

from __future__ import annotations

import sys

import numpy as np
import pytest

from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.config import EnvCfg, for_evaluation
from h2s2r_sim.env.make import make_env
from h2s2r_sim.task import load_task
from h2s2r_sim.view import EpisodeStates, FilmCfg, NoGraphicsError, picture, record_episodes, save_film, task_episode
from h2s2r_sim.view import offscreen as offscreen_module
from h2s2r_sim.view.stage import Stage

SMALL = FilmCfg(size=(160, 120), fps=10, hold=0.2, oversampling=1)


@pytest.fixture(scope="module")
def pushed():
    task = load_task("snackbox_push")
    embodiment = load_embodiment("iiwa14_allegro", task.side)
    return task, embodiment, task_episode(task, embodiment)


@pytest.fixture(scope="module")
def drawing():
    pytest.importorskip("PIL")
    try:
        return offscreen_module.offscreen_backend()
    except NoGraphicsError as error:
        pytest.skip(str(error))


def is_green(pixels: np.ndarray) -> np.ndarray:
    """Where the ghost is: nothing else here is green."""
    red, green, blue = np.moveaxis(pixels.astype(int), -1, 0)
    return (green > red + 25) & (green > blue + 10)


def is_red(pixels: np.ndarray) -> np.ndarray:
    """Where the carton is."""
    red, green, blue = np.moveaxis(pixels.astype(int), -1, 0)
    return (red > 100) & (red > 2 * green) & (red > 2 * blue)


def test_a_recorded_episode_is_what_the_environment_went_through():
    env = make_env("snackbox_push", num_envs=3, cfg=for_evaluation(EnvCfg()))
    rng = np.random.default_rng(0)
    seen = []

    def act(obs):
        now = env.now
        seen.append(
            (now.state.joint_pos.copy(), now.state.wxyz_xyz_world_object.copy(), now.wxyz_xyz_world_goal.copy())
        )
        return rng.uniform(-1.0, 1.0, (3, env.num_actions))

    episodes = record_episodes(env, act, 2, seed=4)
    assert len(episodes) == 2
    for env_id, episode in enumerate(episodes):
        assert 1 < len(episode) <= len(seen)
        for step in (0, len(episode) // 2, len(episode) - 1):
            joint_pos, wxyz_xyz_world_object, wxyz_xyz_world_goal = (each[env_id] for each in seen[step])
            assert np.array_equal(episode.joint_pos[step], joint_pos)
            assert np.array_equal(episode.wxyz_xyz_world_object[step], wxyz_xyz_world_object)
            assert np.array_equal(episode.wxyz_xyz_world_goal[step], wxyz_xyz_world_goal)
        assert episode.dt == pytest.approx(1 / 15)
        assert episode.success is False
        assert any(kind in episode.title for kind in (*env.failure_kinds, "time is up"))
    # Nothing that was recorded belongs to the episode after it.
    jumps = [np.linalg.norm(np.diff(each.wxyz_xyz_world_object[:, 4:], axis=0), axis=-1).max() for each in episodes]
    assert max(jumps) < 0.05


def test_more_episodes_than_environments_are_refused():
    env = make_env("snackbox_push", num_envs=2)
    with pytest.raises(SchemaError, match="3 episodes of 2 environments"):
        record_episodes(env, lambda obs: np.zeros((2, env.num_actions)), 3, seed=0)


def test_states_in_between_lie_in_between():
    T_world_object = SE3.exp(np.array([[0.0, 0, 0, 0, 0, 0], [0.2, 0, 0, 0, 0, 0.4]]))
    episode = EpisodeStates(np.array([[0.0], [1.0]]), T_world_object.wxyz_xyz, T_world_object.wxyz_xyz, dt=0.5)
    middle = episode.at(np.array([-1.0, 0.25, 0.5, 9.0]))
    assert np.allclose(middle.joint_pos[:, 0], [0.0, 0.5, 1.0, 1.0])
    assert np.allclose(SE3(middle.wxyz_xyz_world_object[1]).log()[5], 0.2)
    assert np.allclose(middle.wxyz_xyz_world_goal[[0, 2, 3]], T_world_object.wxyz_xyz[[0, 1, 1]])


@pytest.mark.parametrize(
    ("joint_pos", "poses", "dt"), [(3, 4, 0.1), (0, 0, 0.1), (3, 3, 0.0)], ids=["lengths", "empty", "no time"]
)
def test_what_is_no_episode_is_refused(joint_pos, poses, dt):
    with pytest.raises(SchemaError, match=r"\(T, J\), \(T, 7\), \(T, 7\)"):
        EpisodeStates(np.zeros((joint_pos, 2)), np.zeros((poses, 7)), np.zeros((poses, 7)), dt)


@pytest.mark.parametrize("robot", ["iiwa14_allegro", "iiwa14_leap", "iiwa14_umi"])
def test_the_stage_places_links_as_the_chain_does(robot):
    task = load_task("plate_lift_rack")
    embodiment = load_embodiment(robot, task.side)
    stage = Stage(task, embodiment)
    joint_pos = embodiment.home + 0.05
    stage.place(joint_pos, task.reference.wxyz_xyz_world_object[0], task.reference.wxyz_xyz_world_object[-1])
    palm = stage.data.site_xpos[stage.scene.palm_site]
    assert np.allclose(palm, embodiment.chain.forward(joint_pos, embodiment.palm_frame).translation, atol=1e-6)
    bodies = [stage.scene.object_body, int(stage.scene.model.body("goal").id)]
    ends = task.reference.wxyz_xyz_world_object[[0, -1], 4:]
    assert np.allclose(stage.data.xpos[bodies], ends)


def test_a_picture_shows_object_and_ghost_where_they_are(pushed, drawing):
    task, embodiment, episode = pushed
    start, end = (picture(task, embodiment, episode, time, SMALL) for time in (0.0, episode.duration))
    assert start.shape == (120, 160, 3)
    assert is_red(end).sum() > 100
    assert is_green(end).sum() > 100
    # The carton stands still; its ghost slides away from it, to the robot's left: to the right in the picture.
    columns = [np.median(np.nonzero(mask)[1]) for mask in (is_green(start), is_green(end), is_red(end))]
    assert columns[1] > columns[0] + 15
    assert columns[1] > columns[2] + 15


def test_a_film_has_every_tile_as_long_as_the_longest_episode(pushed, drawing, tmp_path):
    av = pytest.importorskip("av")
    task, embodiment, whole = pushed
    short = whole.at(np.arange(6) / 10)
    told = []
    path = save_film(
        task, embodiment, [short, short, short], tmp_path / "new" / "film.mp4", SMALL, lambda *at: told.append(at)
    )
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == len(told) == 8  # 0.5 s and 0.2 s of standing still, at 10 Hz, both ends included
    assert told[-1] == (8, 8)
    assert frames[0].shape == (240, 320, 3)
    assert is_red(frames[0][:120, 160:]).sum() > 40
    assert is_red(frames[0][120:, :160]).sum() > 40
    assert is_red(frames[0][120:, 160:]).sum() == 0
    assert list(path.parent.iterdir()) == [path]


def test_one_column_plays_episodes_one_after_the_other(pushed, drawing, tmp_path):
    av = pytest.importorskip("av")
    task, embodiment, whole = pushed
    short = whole.at(np.arange(6) / 10)
    cfg = FilmCfg(size=(160, 120), fps=10, hold=0.2, oversampling=1, shadow_size=0, columns=1)
    with av.open(str(save_film(task, embodiment, [short, short], tmp_path / "film.mp4", cfg))) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == 16
    assert frames[0].shape == (120, 160, 3)


def test_what_cannot_be_filmed_is_refused(pushed, tmp_path):
    task, embodiment, episode = pushed
    other = load_embodiment("iiwa14_umi", task.side)
    for robot, episodes, name in (
        (embodiment, [], "x.mp4"),
        (other, [episode], "x.mp4"),
        (embodiment, [episode], "x.gif"),
    ):
        with pytest.raises(SchemaError, match="cannot be made of"):
            save_film(task, robot, episodes, tmp_path / name, SMALL)
    with pytest.raises(SchemaError, match="even and positive"):
        FilmCfg(size=(161, 120))


def test_without_opengl_one_error_says_what_to_install(pushed, tmp_path, monkeypatch):
    pytest.importorskip("PIL")
    task, embodiment, episode = pushed
    monkeypatch.setattr(offscreen_module, "_works", lambda backend: False)
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    offscreen_module.offscreen_backend.cache_clear()
    try:
        with pytest.raises(NoGraphicsError, match=r"libegl1"):
            save_film(task, embodiment, [episode], tmp_path / "x.mp4", SMALL)
        monkeypatch.setenv("MUJOCO_GL", "osmesa")
        with pytest.raises(NoGraphicsError, match="by osmesa does not work \\(MUJOCO_GL asks for it\\)"):
            offscreen_module.offscreen_backend()
    finally:
        offscreen_module.offscreen_backend.cache_clear()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_library_is_named_with_its_extra(pushed, drawing, tmp_path, monkeypatch):
    task, embodiment, episode = pushed
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(NoGraphicsError, match=r"av.*h2s2r-sim\[view\]"):
        save_film(task, embodiment, [episode], tmp_path / "x.mp4", SMALL)
