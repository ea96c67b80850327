"""The goal moves along the reference as configured; ablations aim where they say."""

from __future__ import annotations

import numpy as np
import pytest

from h2s2r_schemas.artifacts import TaskSpec, anchor_error, object_error
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.mdp.goal import GoalCfg, GoalPath, sample
from h2s2r_sim.mdp.tracking import TrackedObject, tracking_error
from h2s2r_sim.task import load_task, task_names

DT = 1.0 / 15.0


@pytest.fixture(scope="module")
def task() -> TaskSpec:
    return load_task("snackbox_push")


def path_of(task: TaskSpec, **cfg: object) -> GoalPath:
    return GoalPath(GoalCfg(**cfg), task.reference, DT, TrackedObject.of(task))


@pytest.mark.requirement("H07")
def test_the_path_is_the_reference_at_the_policys_times(task: TaskSpec) -> None:
    path = path_of(task)
    assert (path.last - 1) * DT < path.duration <= path.last * DT + 1e-9
    assert np.allclose(path.reference.wxyz_xyz_world_object[0], task.reference.wxyz_xyz_world_object[0], atol=1e-12)
    assert np.allclose(path.reference.wxyz_xyz_world_object[-1], task.reference.wxyz_xyz_world_object[-1], atol=1e-12)
    middle = sample(task.reference, task.reference.time[10:11] + 0.0)
    assert np.allclose(middle, task.reference.wxyz_xyz_world_object[10:11], atol=1e-12)
    halfway = sample(task.reference, (task.reference.time[40:41] + task.reference.time[41:42]) / 2)
    expected = 0.5 * (task.reference.wxyz_xyz_world_object[40, 4:] + task.reference.wxyz_xyz_world_object[41, 4:])
    assert np.allclose(halfway[0, 4:], expected, atol=1e-12)


@pytest.mark.requirement("H25")
def test_a_running_clock_runs_and_a_waiting_one_waits(task: TaskSpec) -> None:
    runs, waits = path_of(task), path_of(task, clock="waits", wait_distance=0.05)
    index, error = np.array([0, 3, runs.last]), np.array([0.2, 0.01, 0.2])
    assert runs.advance(index, error).tolist() == [1, 4, runs.last]
    assert waits.advance(index, error).tolist() == [0, 4, waits.last]
    assert runs.phase(index).tolist() == [0.0, 3 / runs.last, 1.0]


@pytest.mark.requirement("H41")
def test_ablations_of_the_target(task: TaskSpec) -> None:
    full, fixed = path_of(task), path_of(task, target="fixed")
    line, few = path_of(task, target="interpolated"), path_of(task, target="downsampled", num_waypoints=3)
    for path in (fixed, line, few):
        assert np.array_equal(path.reference.wxyz_xyz_world_object, full.reference.wxyz_xyz_world_object)
        assert np.allclose(path.target.wxyz_xyz_world_object[-1], full.target.wxyz_xyz_world_object[-1])
    assert np.ptp(fixed.target.wxyz_xyz_world_object, axis=0).max() == 0.0
    steps = np.diff(line.target.wxyz_xyz_world_object[:, 4:], axis=0)
    assert np.allclose(steps, steps[0])
    assert len(np.unique(few.target.wxyz_xyz_world_object, axis=0)) == 3


def test_data_round_trip_and_unknown_keys() -> None:
    cfg = GoalCfg(clock="waits", target="fixed")
    assert GoalCfg.from_data(cfg.as_data()) == cfg
    with pytest.raises(SchemaError, match="runs, waits"):
        GoalCfg(clock="stops")
    with pytest.raises(SchemaError, match="GoalCfg"):
        GoalCfg.from_data({"speed": 2.0})


@pytest.mark.parametrize("name", task_names())
def test_errors_are_those_of_the_definition_of_success(name: str) -> None:
    """Computed once and shared, they agree with the law in schemas, symmetry included."""
    task = load_task(name)
    tracked, rng = TrackedObject.of(task), np.random.default_rng(0)
    wxyz = rng.normal(size=(200, 4))
    T_world_object = SE3.from_parts(wxyz, rng.normal(size=(200, 3)))
    T_world_goal = SE3.from_parts(rng.normal(size=(200, 4)), rng.normal(size=(200, 3)))
    placed = tracked.placed(T_world_object, T_world_goal)
    error = tracking_error(placed, T_world_goal.wxyz_xyz, tracked.placed(T_world_goal).p_world_anchors)
    position, rotation = object_error(T_world_object, T_world_goal, task.object.symmetry)
    anchor = anchor_error(T_world_object, T_world_goal, task.anchor_points, task.object.symmetry)
    assert np.allclose(error.position, position, atol=1e-9)
    assert np.allclose(error.rotation, rotation, atol=1e-6)
    assert np.allclose(error.anchor, anchor, atol=1e-9)
