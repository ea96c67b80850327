"""Small robots written here: every kind of joint in one, a 7-joint arm, a hand of two fingers."""

#: A turn without limits, a slide, a mimic pair in both signs, a fixed link with rotation, an axis that is not unit.
ALL_KINDS = """<?xml version="1.0" encoding="utf-8"?>
<robot name="all_kinds" xmlns:xacro="http://www.ros.org/wiki/xacro">
  <material name="grey"><color rgba="0.5 0.5 0.5 1"/></material>
  <joint_properties friction="0"/>
  <link name="base"/><link name="column"/><link name="slider"/><link name="bracket"/><link name="palm"/>
  <link name="left_pad"/><link name="right_pad"/><link name="flap"/><link name="tip"/>
  <joint name="turntable" type="continuous">
    <parent link="base"/><child link="column"/><origin xyz="0.1 -0.2 0.3" rpy="0.1 0.2 0.3"/><axis xyz="0 0 2"/>
  </joint>
  <joint name="lift" type="prismatic">
    <parent link="column"/><child link="slider"/><origin xyz="0 0 0.2"/><axis xyz="1 2 3"/>
    <limit lower="-0.1" upper="0.4" effort="100" velocity="0.5"/>
  </joint>
  <joint name="mount" type="fixed">
    <parent link="slider"/><child link="bracket"/><origin xyz="0.05 0 0" rpy="0 0 1.5707963267948966"/>
  </joint>
  <joint name="wrist" type="revolute">
    <parent link="bracket"/><child link="palm"/><origin rpy="-0.4 0.5 0.6"/><axis xyz="0 -1 0"/>
    <limit lower="-1.5" upper="1.2" effort="10" velocity="2"/><safety_controller k_velocity="1"/>
  </joint>
  <joint name="left_slide" type="prismatic">
    <parent link="palm"/><child link="left_pad"/><origin xyz="0 0.02 0.1"/><axis xyz="0 1 0"/>
    <limit lower="0" upper="0.05" effort="10" velocity="0.2"/>
  </joint>
  <joint name="right_slide" type="prismatic">
    <parent link="palm"/><child link="right_pad"/><origin xyz="0 -0.02 0.1"/><axis xyz="0 1 0"/>
    <limit lower="-0.04" upper="0" effort="10" velocity="0.2"/><mimic joint="left_slide" multiplier="-1"/>
  </joint>
  <joint name="flap_hinge" type="revolute">
    <parent link="left_pad"/><child link="flap"/><origin xyz="0 0 0.03"/><axis xyz="1 0 0"/>
    <limit lower="-3" upper="3" effort="10" velocity="2"/><mimic joint="wrist" multiplier="0.5" offset="0.2"/>
  </joint>
  <joint name="end" type="fixed"><parent link="flap"/><child link="tip"/><origin xyz="0 0.01 0.04"/></joint>
</robot>
"""


def serial(name: str, joints: list[tuple[str, str, str, float, float]], tip: str) -> str:
    """A serial robot of revolute joints ``(xyz, rpy, axis, lower, upper)``, link0 to its tip at ``tip`` (xyz) [m]."""
    body = ['<link name="link0"/>']
    for i, (xyz, rpy, axis, lower, upper) in enumerate(joints, 1):
        body.append(f'<link name="link{i}"/><joint name="joint{i}" type="revolute"><parent link="link{i - 1}"/>')
        body.append(f'<child link="link{i}"/><origin xyz="{xyz}" rpy="{rpy}"/><axis xyz="{axis}"/>')
        body.append(f'<limit lower="{lower}" upper="{upper}" effort="100" velocity="2"/></joint>')
    body.append(f'<link name="tip"/><joint name="tip" type="fixed"><parent link="link{len(joints)}"/>')
    body.append(f'<child link="tip"/><origin xyz="{tip}"/></joint>')
    return f'<robot name="{name}">{"".join(body)}</robot>'


#: The seven axes of an LBR iiwa 14 R820 (shoulder 0.36 m, elbow 0.78 m, wrist 1.18 m), a palm 0.14 m past link 7.
ARM = serial(
    "arm",
    [
        ("0 0 0.1475", "0 0 0", "0 0 1", -2.967, 2.967),
        ("0 0 0.2125", "0 0 0", "0 1 0", -2.094, 2.094),
        ("0 0 0.228", "0 0 0", "0 0 1", -2.967, 2.967),
        ("0 0 0.192", "0 0 0", "0 -1 0", -2.094, 2.094),
        ("0 0 0.2075", "0 0 0", "0 0 1", -2.967, 2.967),
        ("0 0 0.1925", "0 0 0", "0 1 0", -2.094, 2.094),
        ("0 0 0.091", "0 0 0", "0 0 1", -3.054, 3.054),
    ],
    "0 0 0.14",
)


def _finger(name: str, xyz: str, rpy: str, lengths: tuple[float, ...], limits: list[tuple[float, float]]) -> str:
    rows, parent, at = [], "palm", (xyz, rpy)
    for i, (length, (lower, upper)) in enumerate(zip(lengths, limits, strict=True)):
        axis, child = ("0 0 1", "0 1 0")[i > 0], f"{name}_{i}"
        rows.append(f'<link name="{child}"/><joint name="{child}_joint" type="revolute"><parent link="{parent}"/>')
        rows.append(f'<child link="{child}"/><origin xyz="{at[0]}" rpy="{at[1]}"/><axis xyz="{axis}"/>')
        rows.append(f'<limit lower="{lower}" upper="{upper}" effort="1" velocity="6"/></joint>')
        parent, at = child, (f"0 0 {length}", "0 0 0")
    rows.append(f'<link name="{name}_tip"/><joint name="{name}_end" type="fixed"><parent link="{parent}"/>')
    rows.append(f'<child link="{name}_tip"/><origin xyz="{at[0]}"/></joint>')
    return "".join(rows)


#: A hand of two fingers of four joints each, phalanges as long as an Allegro's.
HAND = (
    '<robot name="hand"><link name="palm"/>'
    + _finger("index", "0 0.04 0", "-0.09 0 0", (0.0164, 0.054, 0.0384, 0.0267), [(-0.47, 0.47)] + [(-0.2, 1.6)] * 3)
    + _finger("ring", "0 -0.04 0", "0.09 0 0", (0.0164, 0.054, 0.0384, 0.0267), [(-0.47, 0.47)] + [(-0.2, 1.6)] * 3)
    + "</robot>"
)
