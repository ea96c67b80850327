"""A robot nobody knows: six-axis arm, hand of three fingers, one of them mirrored by mimic; boxes, a mesh, a continuous joint.

In:  a folder.   Out: robot.urdf and robot.toml in it.
Not here: any line of the package that names it.
"""

from __future__ import annotations

from pathlib import Path

ARM = (("z", 0.15, 8.0), ("y", 0.4, 6.0), ("y", 0.2, 4.0), ("z", 0.2, 2.0), ("y", 0.1, 1.5), ("z", 0.1, 0.5))
AXES = {"z": "0 0 1", "y": "0 1 0"}
FINGERS = {"index": "0 0.03 0", "ring": "0 -0.03 0"}


def write_fourth_robot(folder: Path) -> Path:
    """Both files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "robot.urdf").write_text(fourth_urdf(), encoding="utf-8")
    (folder / "robot.toml").write_text(FOURTH_TOML, encoding="utf-8")
    return folder


def fourth_urdf() -> str:
    """The URDF text: fingers are boxes or cylinders, one arm link has a mesh."""
    parts = ['<?xml version="1.0" encoding="utf-8"?>', '<robot name="fourth">', "<unknown_tag/>"]
    parts.append(_link("base", 10.0, "0 0 0.05", "box", (0.16, 0.14, 0.1)))
    parent = "base"
    for number, (axis, length, mass) in enumerate(ARM, 1):
        limit = "" if number == 1 else '<limit lower="-2.5" upper="2.5" effort="100" velocity="2"/>'
        kind = "continuous" if number == 1 else "revolute"
        parts.append(_joint(f"arm_{number}", kind, parent, f"link_{number}", f"0 0 {_step(number)}", AXES[axis], limit))
        shape = _link(f"link_{number}", mass, f"0 0 {length / 2}", "cylinder", (0.04, length * 0.6))
        parts.append(_with_mesh(shape) if number == 3 else shape)
        parent = f"link_{number}"
    parts.append(_joint("palm_mount", "fixed", parent, "palm", "0.02 0 0.17", "", "", rpy="0 -1.5707963 0"))
    parts.append(_link("palm", 0.5, "-0.02 0 -0.045", "box", (0.03, 0.08, 0.07)))
    finger_limit = '<limit lower="-0.2" upper="1.6" effort="2" velocity="5"/>'
    for finger, xyz in FINGERS.items():
        parts += _finger(finger, xyz, "0 0 0", "0 1 0", finger_limit)
    parts += _finger("thumb", "0.01 0.03 -0.06", "0 1.5707963 0", "0 -1 0", finger_limit)
    return "\n".join([*parts, "</robot>\n"])


def _with_mesh(link: str) -> str:
    """The link with a mesh in place of its collision shape."""
    return f'{link.split("<geometry>", maxsplit=1)[0]}<geometry><mesh filename="forearm.stl"/></geometry></collision></link>'


def _finger(finger: str, xyz: str, rpy: str, axis: str, limit: str) -> list[str]:
    mimic = f'<mimic joint="{finger}_near" multiplier="0.8" offset="0.1"/>'
    return [
        _joint(f"{finger}_near", "revolute", "palm", f"{finger}_1", xyz, axis, limit, rpy),
        _link(f"{finger}_1", 0.05, "0 0 0.025", "cylinder", (0.009, 0.03)),
        _joint(f"{finger}_far", "revolute", f"{finger}_1", f"{finger}_2", "0 0 0.05", axis, limit + mimic),
        _link(f"{finger}_2", 0.04, "0 0 0.02", "box", (0.016, 0.018, 0.036)),
        _joint(f"{finger}_tip_joint", "fixed", f"{finger}_2", f"tip_{finger}", "0 0 0.03", "", ""),
        f'<link name="tip_{finger}"/>',
    ]


def _step(number: int) -> float:
    return 0.1 if number == 1 else ARM[number - 2][1]


def _link(name: str, mass: float, origin: str, kind: str, size: tuple[float, ...]) -> str:
    if kind == "box":
        x, y, z = size
        inertia = [mass / 12 * (y * y + z * z), mass / 12 * (x * x + z * z), mass / 12 * (x * x + y * y)]
        shape = f'<box size="{x} {y} {z}"/>'
    else:
        radius, length = size
        across = mass * (radius**2 / 4 + length**2 / 12)
        inertia = [across, across, mass * radius**2 / 2]
        shape = f'<cylinder radius="{radius}" length="{length}"/>'
    entries = " ".join(f'{key}="{value}"' for key, value in zip(("ixx", "iyy", "izz"), inertia, strict=True))
    place = f'<origin xyz="{origin}"/>'
    return (
        f'<link name="{name}"><inertial>{place}<mass value="{mass}"/><inertia {entries} ixy="0" ixz="0" iyz="0"/></inertial>'
        f"<collision>{place}<geometry>{shape}</geometry></collision></link>"
    )


def _joint(name: str, kind: str, parent: str, child: str, xyz: str, axis: str, limit: str, rpy: str = "0 0 0") -> str:
    turn = f'<axis xyz="{axis}"/>' if axis else ""
    return (
        f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>'
        f'<origin xyz="{xyz}" rpy="{rpy}"/>{turn}{limit}</joint>'
    )


FOURTH_TOML = """
schema = "h2s2r.robot"
version = 1
name = "fourth"
description = "Six axes and three fingers, written for a test."
side = "right"

[palm]
frame = "palm"
offset = [0.0, 0.0, 0.0]

[fingertips]
tip_index = { index_tip = 1.0 }
tip_ring = { middle_tip = 0.5, ring_tip = 0.5 }
tip_thumb = { thumb_tip = 1.0 }

[arm]
arm_1 = { home = 0.0, lower = -3.0, upper = 3.0, velocity = 2.0, torque = 150.0, acceleration = 8, jerk = 160, kp = 500, kd = 50 }
arm_2 = { home = 0.2, acceleration = 8, jerk = 160, kp = 500, kd = 50 }
arm_3 = { home = 1.4, acceleration = 8, jerk = 160, kp = 500, kd = 50 }
arm_4 = { home = 0.0, acceleration = 8, jerk = 160, kp = 200, kd = 20 }
arm_5 = { home = 1.5416, acceleration = 8, jerk = 160, kp = 200, kd = 20 }
arm_6 = { home = 0.0, acceleration = 8, jerk = 160, kp = 200, kd = 20 }

[hand]
index_near = { home = 0.3, acceleration = 50, jerk = 1000, kp = 1, kd = 0.1 }
ring_near = { home = 0.3, acceleration = 50, jerk = 1000, kp = 1, kd = 0.1 }
thumb_near = { home = 0.3, acceleration = 50, jerk = 1000, kp = 1, kd = 0.1, torque = 1.5 }

[synergies]
close = { index_near = 0.7, ring_near = 0.7, thumb_near = 0.7 }
oppose = { thumb_near = 0.7 }

[collision]
exclude = [["index_1", "ring_1"]]

[[collision.capsule]]
link = "link_3"
start = [0.0, 0.01, 0.02]
end = [0.0, 0.01, 0.14]
radius = 0.04
"""
