"""Robot files with faults, and options: one clear error, or a stated meaning.

In:  a robot folder with one thing changed.   Out: the error that names it, or what it means.
Not here: what is possible but implausible (test_check).
"""

from __future__ import annotations

import numpy as np
import pytest
from fourth_robot import write_fourth_robot

from h2s2r_retarget.embodiment import embodiment_names, load_embodiment, read_links
from h2s2r_schemas.errors import SchemaError


@pytest.fixture
def folder(tmp_path):
    return write_fourth_robot(tmp_path / "fourth")


def change(folder, file, old, new):
    """One replacement in a file; the text must be there."""
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(SchemaError, match="no robot 'iiwa7'.*" + ", ".join(embodiment_names())):
        load_embodiment("iiwa7")


def test_an_unknown_side_is_refused():
    with pytest.raises(SchemaError, match="side='both'"):
        load_embodiment("iiwa14_allegro", side="both")


@pytest.mark.parametrize("file", ["robot.toml", "robot.urdf"])
def test_a_missing_file_is_named(folder, file):
    (folder / file).unlink()
    with pytest.raises(SchemaError, match=file):
        load_embodiment(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('schema = "h2s2r.robot"', 'schema = "h2s2r.task"', "reads 'h2s2r.robot' 1"),
        ("version = 1", "version = 2", "'h2s2r.robot' 2"),
        ('name = "fourth"', "", "'name' is missing"),
        ('name = "fourth"', "name = 4", "name: It is 4"),
        ('side = "right"', 'side = "up"', "one of right, left, none"),
        ('side = "right"', 'side = "right"\ncolour = "red"', "'colour' is not known"),
        ('frame = "palm"', 'frame = "hand"', "no link 'hand'"),
        ("offset = [0.0, 0.0, 0.0]", "offset = [0.0, 0.0]", "three numbers"),
        ("{ index_tip = 1.0 }", "{ index_nail = 1.0 }", "index_nail.*no human keypoints"),
        ("middle_tip = 0.5", "middle_tip = 0.6", "do not sum to 1"),
        ("tip_index =", "fingertip_index =", "no link 'fingertip_index'"),
        ("index_near = { home = 0.3", "index_near = { home = 3.3", r"home 3.3 is outside its limits \[-0.2, 1.6\]"),
        ("index_near = { home = 0.3,", "index_near = {", "'home' missing from its row"),
        (
            "index_near = { home = 0.3,",
            "index_near = { color = 1, home = 0.3,",
            "'color' missing from its row, or not known",
        ),
        ("index_near = {", "index_far = {", "no such joint that moves by itself"),
        ("index_near = {", "elbow = {", "elbow"),
        ("arm_6 = {", "ring_far = {", "arm_6: It moves, but robot.toml does not name it"),
        ("lower = -3.0, upper = 3.0, ", "", "arm_1: Neither the URDF nor robot.toml gives its lower"),
        ("velocity = 2.0, torque = 150.0, ", "", "gives its velocity"),
        ("kp = 1, kd = 0.1 }", "kp = 1, kd = 0 }", "Its kd is 0"),
        ("kp = 1, kd = 0.1 }", 'kp = "high", kd = 0.1 }', "Give numbers by name"),
        ("close = { index_near = 0.7", "close = { arm_1 = 0.7", "joints of \\[hand\\]"),
        (
            "oppose = { thumb_near = 0.7 }",
            "oppose = { index_near = 1, ring_near = 1, thumb_near = 1 }",
            "not independent",
        ),
        ('exclude = [["index_1", "ring_1"]]', 'exclude = [["index_1", "ring_9"]]', "no link 'ring_9'"),
        ('exclude = [["index_1", "ring_1"]]', 'exclude = ["index_1"]', "pairs of links"),
        ("radius = 0.04", "radius = -0.04", "radius above 0"),
        ('[palm]\nframe = "palm"', "[palm", "is not TOML"),
    ],
)
def test_a_fault_in_the_table_is_named(folder, old, new, message):
    change(folder, "robot.toml", old, new)
    with pytest.raises(SchemaError, match=message):
        load_embodiment(folder)


def test_all_faults_come_at_once(folder):
    change(folder, "robot.toml", "middle_tip = 0.5", "middle_tip = 0.6")
    change(folder, "robot.toml", "index_near = { home = 0.3", "index_near = { home = 3.3")
    with pytest.raises(SchemaError) as caught:
        load_embodiment(folder)
    assert "do not sum to 1" in str(caught.value) and "outside its limits" in str(caught.value)


def test_limits_of_the_table_are_written_into_the_urdf(folder):
    embodiment = load_embodiment(folder)
    first = embodiment.model.joint("arm_1")
    assert (first.kind, first.lower, first.upper, first.velocity, first.effort) == ("revolute", -3.0, 3.0, 2.0, 150.0)
    thumb = embodiment.model.joint("thumb_near")
    assert (thumb.lower, thumb.upper, thumb.effort) == (-0.2, 1.6, 1.5)


def test_limits_are_narrowed_by_joints_that_mimic(folder):
    embodiment = load_embodiment(folder)
    at = embodiment.joint_names.index("index_near")
    # index_far = 0.8 index_near + 0.1 within [-0.2, 1.6] allows [-0.375, 1.875]: wider than its own limits.
    assert (embodiment.position_lower[at], embodiment.position_upper[at]) == (-0.2, 1.6)
    change(folder, "robot.urdf", 'multiplier="0.8"', 'multiplier="1.5"')
    assert load_embodiment(folder).position_upper[at] == pytest.approx(1.0)


def test_a_robot_may_be_a_hand_alone(folder):
    text = (folder / "robot.toml").read_text(encoding="utf-8")
    urdf = (folder / "robot.urdf").read_text(encoding="utf-8").replace("continuous", "fixed")
    start, stop = text.index("[arm]"), text.index("[hand]")
    for number in range(2, 7):
        urdf = urdf.replace(f'name="arm_{number}" type="revolute"', f'name="arm_{number}" type="fixed"')
    (folder / "robot.toml").write_text(text[:start] + text[stop:], encoding="utf-8")
    (folder / "robot.urdf").write_text(urdf, encoding="utf-8")
    embodiment, left = load_embodiment(folder), load_embodiment(folder, "left")
    assert embodiment.num_arm_joints == 0 and embodiment.hand_root == embodiment.model.root
    ours, mirrored = (robot.chain.forward(np.full(3, 0.4)).translation for robot in (embodiment, left))
    np.testing.assert_allclose(mirrored, ours * [1, -1, 1], atol=1e-9)


def test_listed_capsules_of_a_hand_are_mirrored(folder):
    change(folder, "robot.toml", 'link = "link_3"', 'link = "palm"')
    change(folder, "robot.toml", "offset = [0.0, 0.0, 0.0]", "offset = [0.01, 0.02, 0.03]")
    left = load_embodiment(folder, "left")
    assert left.collision_capsules == (("palm", (0.0, -0.01, 0.02), (0.0, -0.01, 0.14), 0.04),)
    assert left.palm_offset.tolist() == [0.01, -0.02, 0.03]


def test_links_are_read_with_turned_inertias_colours_and_capsules():
    urdf = """<robot name="one"><material name="red"><color rgba="1 0 0 1"/></material><link name="one">
      <inertial><origin xyz="0 0 1" rpy="0 0 1.5707963267948966"/><mass value="2"/><inertia ixx="1" iyy="2" izz="3"/></inertial>
      <visual><geometry><box size="1 2 3"/></geometry><material name="red"/></visual>
      <collision><origin xyz="0 0 0.5"/><geometry><cylinder radius="0.1" length="1"/></geometry></collision>
      <collision><geometry><sphere radius="0.1"/></geometry></collision>
      <collision><origin xyz="0 0 1"/><geometry><sphere radius="0.1"/></geometry></collision>
      <collision><origin xyz="0 0 1"/><geometry><sphere radius="0.2"/></geometry></collision>
      <collision><geometry><mesh filename="part.stl"/></geometry></collision></link></robot>"""
    body = read_links(urdf)["one"]
    assert body.mass == 2.0 and body.center_of_mass.tolist() == [0, 0, 1]
    np.testing.assert_allclose(body.inertia, np.diag([2.0, 1.0, 3.0]), atol=1e-12)
    assert body.visual[0].rgba.tolist() == [1, 0, 0, 1]
    assert [shape.kind for shape in body.collision] == ["capsule", "sphere"]
    assert body.collision[0].size.tolist() == [0.1, 1.0, 0.0] and body.collision[1].size[0] == 0.2
    assert body.mesh_files == ("part.stl",)


@pytest.mark.parametrize("broken", ['radius="-0.1"', 'radius="wide"', ""])
def test_a_shape_without_a_size_is_refused(broken):
    urdf = (
        f'<robot name="r"><link name="l"><collision><geometry><sphere {broken}/></geometry></collision></link></robot>'
    )
    with pytest.raises(SchemaError, match="Link 'l'"):
        read_links(urdf)
