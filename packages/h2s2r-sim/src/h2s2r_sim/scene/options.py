"""How a scene is simulated: time step, contact and solver settings.

In:  nothing.   Out: ``SceneOptions``.
Not here: gains and limits of the robot (its folder), friction and mass (object and scene), noise (perturbation).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SceneOptions:
    """Settings of the physics. The defaults are those with which policies were trained and cross-checked in our trials:
    halving ``sim_dt`` or more iterations changed nothing that could be measured, fewer line-search iterations did.
    """

    sim_dt: float = 1.0 / 120.0
    """[s] time step."""
    integrator: str = "implicitfast"
    """How a step is taken: ``implicitfast``, or ``implicit``, which leaves no derivative out and costs twice as much."""
    cone: str = "pyramidal"
    """Friction cone: ``pyramidal``, or ``elliptic``, which is exact and costs about 1.5 times as much."""
    impratio: float = 1.0
    """Stiffness of friction over stiffness of the normal; only for the elliptic cone."""
    iterations: int = 20
    """Newton iterations at most; the solver stops earlier when it has converged."""
    ls_iterations: int = 50
    """Line-search iterations at most. With 10, an elliptic cone lets grasps slip that hold in a converged solution."""
    solref: tuple[float, float] = (0.01, 1.0)
    """Time constant [s] and damping ratio of a contact; MuJoCo raises the time constant to two time steps."""
    solimp: tuple[float, float, float] = (0.9, 0.99, 0.001)
    """Impedance of a contact: smallest, largest, and the depth [m] between them. With 0.95, MuJoCo's own largest, an arm that
    presses with 200 N sinks in 5 mm: deep contacts are five times stiffer with 0.99, which costs 2 %."""
    gravity: tuple[float, float, float] = (0.0, 0.0, -9.81)
    """[m/s²]; the robot's own weight is compensated, as by its controller."""
    hand_friction: float = 1.0
    """Coefficient of sliding friction of the hand: rubber on carton or glaze has 0.8-1.2. Of a pair the larger one counts."""
    arm_friction: float = 0.3
    """Coefficient of sliding friction of the arm: painted metal."""
    arm_armature: float = 0.1
    """[kg·m²] inertia of motor and gear, felt at an arm joint; order of magnitude of harmonic drives of this size."""
    hand_armature: float = 0.001
    """[kg·m²; kg for a slide] the same of the hand's joints."""
    table_plane: bool = True
    """Whether the top of a table that is not above the robot's base collides as an endless plane. A fifth cheaper than a
    box, as every finger is tested against it; but nothing falls over the table's edge."""
    visuals: bool = True
    """Whether shapes that are only seen are part of the model. Without them steps are cheaper; pictures show what collides."""
    shadow_size: int = 1024
    """[px] of shadow maps, 0 for none. Headless rendering takes most of its time here."""
    offscreen_samples: int = 0
    """Samples per pixel of offscreen images."""
    image_size: tuple[int, int] = (1280, 960)
    """[px] largest offscreen image, width and height."""
