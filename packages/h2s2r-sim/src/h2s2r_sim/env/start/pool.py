"""Where episodes start: robot configurations and object poses, solved and checked before they are needed.

In:  task, embodiment, how far starts may be off.   Out: a pool of starts, none of them in contact.
Not here: retargeting the human's hand (retarget), how far a reference slides (slide), states of earlier episodes (archive).

The hand goes with the object: the palm's pose relative to it is the pre-manipulation pose, found by inverse kinematics for
each displaced object. Starts that cannot be reached, or in which anything touches, are drawn again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.solve import Solver, SolverCfg
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.errors import H2S2RError, SchemaError
from h2s2r_schemas.se3 import SE3, quaternions
from h2s2r_sim.env.start.premanip import Premanip, find_start
from h2s2r_sim.mdp import events
from h2s2r_sim.perturbation import Perturbation
from h2s2r_sim.task.anchors import surface_points

STARTS = ("premanip", "unmoved", "default", "overhead", "far")
#: How deep (K) [m] the robot is in anything, and the object in the scene: as ``Engine.overlap``.
Overlap = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


class StartError(H2S2RError):
    """Hardly any start of a task can be reached without touching something."""


@dataclass(frozen=True)
class StartCfg:
    """Where the robot is when an episode begins."""

    kind: str = "premanip"
    """``premanip``: at the human's hand pose just before contact, relative to the object. ``unmoved``: that
    pose where the human had it, wherever the object is, for baselines that see nothing. For ablations: ``default``, the
    robot's home; ``overhead``, above the object; ``far``, the pre-manipulation pose drawn back."""
    pool: int = 1500
    """How many starts are solved ahead; episodes draw from them."""
    far: float = 0.15
    """[m] how far ``far`` is drawn back, and how high the fingertips of ``overhead`` are above the object."""
    max_overlap: float = 0.001
    """[m] the object may be in what it rests on. The robot touches nothing, itself included."""
    max_position_error: float = 0.002
    """[m] of the palm, above which a start counts as out of reach."""
    max_rotation_error: float = float(np.deg2rad(2.0))
    """[rad] likewise."""
    min_valid: float = 0.25
    """Share of the draws that must be usable; below it the task is refused."""
    slid: float = 0.0
    """Share of the starts that are moved along the part of the reference in which the object slides, each by a random number of
    policy steps, where the robot can go along with nothing touching; 0 for none."""

    def __post_init__(self) -> None:
        if self.kind not in STARTS or self.pool < 1 or not 0.0 <= self.slid <= 1.0:
            raise SchemaError(
                f"Start {self.kind!r} is one of {', '.join(STARTS)}; pool {self.pool} is at least 1; slid {self.slid} lies in "
                "[0, 1]."
            )


@dataclass(frozen=True)
class StartPool:
    """M starts."""

    joint_pos: np.ndarray
    """(M, J) [rad; m]."""
    wxyz_xyz_world_object: np.ndarray
    """(M, 7)."""
    object_size: np.ndarray
    """(M) factor on the object's lengths that this start was found free for."""
    goal_index: np.ndarray
    """(M) where on the reference it is: 0 but for starts that were slid along it."""
    share_valid: float
    """How many of the draws were usable."""


def build_pool(
    task: TaskSpec,
    embodiment: Embodiment,
    cfg: StartCfg,
    noise: Perturbation,
    overlap: Overlap,
    rng: np.random.Generator,
    slide: np.ndarray | None = None,
) -> StartPool:
    """A pool of usable starts.

    Args:
        task: with the object and the hand.
        embodiment: the robot.
        cfg: where starts are.
        noise: how far they are off.
        overlap: tells what touches.
        rng: all is drawn from it.
        slide: (S, 6) as ``sliding`` gives it; none where nothing is to be slid along the reference.

    Raises:
        StartError: less than ``cfg.min_valid`` of the draws are usable; the message says why.
        RobotFault, SchemaError: the pre-manipulation pose itself cannot be reached (from retargeting).
    """
    premanip, robot = find_start(task, embodiment, cfg.kind, cfg.far), embodiment.spec()
    # No further starts: the arm stays in the branch of the pre-manipulation pose.
    solver = Solver(embodiment.chain, poses=(embodiment.palm_frame,), cfg=SolverCfg(restarts=0))
    first, height = task.reference.wxyz_xyz_world_object[0], rests_above(task)
    parts: list[tuple[np.ndarray, ...]] = []
    failed = np.zeros(3, dtype=np.int64)
    found = drawn = 0
    while found < cfg.pool:
        count = max(64, round(1.15 * (cfg.pool - found)))
        wxyz_xyz, size = displaced(first, noise, count, rng), events.draw_size(rng, noise, count)
        # A larger object stands as deep as before, so its frame is higher.
        wxyz_xyz[:, 6] += (size - 1.0) * height
        joint_pos, reached = _solve(premanip, solver, cfg, wxyz_xyz)
        shake = noise.start_joints * events.joint_unit(robot) * rng.uniform(-1.0, 1.0, joint_pos.shape)
        joint_pos = np.clip(joint_pos + shake, robot.position_lower, robot.position_upper)
        of_robot, of_object = overlap(joint_pos, wxyz_xyz, size)
        reasons = np.stack([~reached, of_robot > 0.0, of_object > cfg.max_overlap])
        usable = ~reasons.any(0)
        failed += reasons.sum(-1)
        drawn, found = drawn + count, found + int(usable.sum())
        parts.append((joint_pos[usable], wxyz_xyz[usable], size[usable]))
        if found < cfg.min_valid * drawn:
            raise StartError(_complaint(task.name, embodiment.name, cfg, found, drawn, failed))
    joint_pos, wxyz_xyz, size = (np.concatenate(each)[: cfg.pool] for each in zip(*parts, strict=True))
    pool = StartPool(joint_pos, wxyz_xyz, size, np.zeros(cfg.pool, dtype=np.int64), found / drawn)
    return pool if slide is None else _slid(pool, slide, premanip, solver, cfg, overlap, rng)


def _slid(
    pool: StartPool,
    slide: np.ndarray,
    premanip: Premanip,
    solver: Solver,
    cfg: StartCfg,
    overlap: Overlap,
    rng: np.random.Generator,
) -> StartPool:
    """The same starts, a share of them moved along the reference where that is free, and the hand follows the object."""
    if not cfg.slid or not len(slide) or premanip.T_object_palm is None:
        return pool
    chosen = np.flatnonzero(rng.random(cfg.pool) < cfg.slid)
    steps = rng.integers(0, len(slide), len(chosen))
    wxyz_xyz = events.disturbed(pool.wxyz_xyz_world_object[chosen], slide[steps])
    joint_pos, reached = _solve(premanip, solver, cfg, wxyz_xyz)
    of_robot, of_object = overlap(joint_pos, wxyz_xyz, pool.object_size[chosen])
    usable = reached & (of_robot <= 0.0) & (of_object <= cfg.max_overlap)
    moved = chosen[usable]
    pool.joint_pos[moved], pool.wxyz_xyz_world_object[moved] = joint_pos[usable], wxyz_xyz[usable]
    pool.goal_index[moved] = 1 + steps[usable]
    return pool


def _complaint(task: str, robot: str, cfg: StartCfg, found: int, drawn: int, failed: np.ndarray) -> str:
    """Why there are too few starts; ``failed`` (3) counts those unreached, of a robot touching, of an object inside."""
    unreached, touching, inside = failed
    return (
        f"Only {found} of {drawn} starts of task {task!r} with {robot} are usable: in {unreached} the palm stays more than "
        f"{cfg.max_position_error * 1e3:.0f} mm from where it belongs, in {touching} the robot touches something, in {inside} "
        f"the object is more than {cfg.max_overlap * 1e3:.1f} mm inside the table or a fixture. Move the object into the "
        "robot's reach and clear of what stands around, leave a gap between hand and object at the pre-manipulation instant, "
        "or ask for less start noise."
    )


def rests_above(task: TaskSpec) -> float:
    """[m] height of the object's frame over its lowest point, where the reference starts."""
    points = np.concatenate([surface_points(shape) for shape in task.object.collision])
    return -float(task.reference.Ts_world_object[0].rotate(points)[:, 2].min())


def displaced(wxyz_xyz: np.ndarray, noise: Perturbation, count: int, rng: np.random.Generator) -> np.ndarray:
    """Object poses (count, 7) around one (7): shifted horizontally and turned about the vertical through their origin."""
    shift = np.zeros((count, 3))
    shift[:, :2] = noise.start_position * rng.uniform(-1.0, 1.0, (count, 2))
    yaw = noise.start_yaw * rng.uniform(-1.0, 1.0, count)
    turn = np.stack([np.cos(yaw / 2), np.zeros(count), np.zeros(count), np.sin(yaw / 2)], -1)
    T_world_object = SE3(wxyz_xyz)
    return SE3.from_parts(
        quaternions.multiply(turn, T_world_object.wxyz[None]), T_world_object.translation + shift
    ).wxyz_xyz


def _solve(premanip: Premanip, solver: Solver, cfg: StartCfg, wxyz_xyz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joint positions (K, J) for objects at (K, 7), and which were reached."""
    joint_pos = np.repeat(premanip.joint_pos[None], len(wxyz_xyz), 0)
    if premanip.T_object_palm is None:
        return joint_pos, np.ones(len(wxyz_xyz), dtype=bool)
    Ts_world_palm = SE3(wxyz_xyz) @ premanip.T_object_palm
    solution = solver.solve(Ts_world_palm[:, None], guess=joint_pos)
    near = (solution.position_error[:, 0] <= cfg.max_position_error) & (
        solution.rotation_error[:, 0] <= cfg.max_rotation_error
    )
    return np.asarray(solution.joint_pos), near
