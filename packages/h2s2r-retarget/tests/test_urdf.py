"""Reading URDFs: every form they come in, and what is refused.

In:  small URDFs.   Out: links, joints and errors.
Not here: poses (test_chain).
"""

import numpy as np
import pytest
from robots_for_tests import ALL_KINDS, ARM

from h2s2r_retarget.kinematics import Chain, read_urdf
from h2s2r_schemas.errors import SchemaError


def robot(joint: str, links: str = '<link name="a"/><link name="b"/>') -> str:
    return f'<robot name="r">{links}{joint}</robot>'


def joint(kind: str = "revolute", inside: str = '<limit lower="-1" upper="1"/>', name: str = "j") -> str:
    return f'<joint name="{name}" type="{kind}"><parent link="a"/><child link="b"/>{inside}</joint>'


def test_path_text_and_bytes_are_the_same(tmp_path):
    path = tmp_path / "robot.urdf"
    path.write_text(ALL_KINDS, encoding="utf-8")
    for source in (ALL_KINDS, ALL_KINDS.encode(), path, str(path)):
        model = read_urdf(source)
        assert (model.name, model.root, model.leaves) == ("all_kinds", "base", ("right_pad", "tip"))
        assert [joint.name for joint in model.joints if joint.movable][:2] == ["turntable", "lift"]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_declared_encodings_are_honoured_in_bytes(encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n' + robot(joint(name="gelenk_ä"))
    assert read_urdf(text.encode(encoding)).joints[0].name == "gelenk_ä"
    assert read_urdf(text).joints[0].name == "gelenk_ä"


def test_defaults_of_the_specification():
    model = read_urdf(robot(joint(inside='<limit lower="-1" upper="2" velocity="3" effort="4"/>')))
    found = model.joints[0]
    np.testing.assert_array_equal(found.origin, np.eye(4))
    np.testing.assert_array_equal(found.axis, [1, 0, 0])
    assert (found.lower, found.upper, found.velocity, found.effort) == (-1, 2, 3, 4)
    mimic = read_urdf(ALL_KINDS).joint("right_slide").mimic
    assert mimic is not None and (mimic.joint, mimic.multiplier, mimic.offset) == ("left_slide", -1.0, 0.0)


def test_axes_become_unit_vectors():
    np.testing.assert_allclose(read_urdf(ALL_KINDS).joint("lift").axis, np.array([1, 2, 3]) / np.sqrt(14), atol=1e-15)


WRONG = {
    "no file": ("nowhere.urdf", "no URDF file"),
    "not XML": ("<robot>", "not XML"),
    "SDF": ("<sdf/>", "xacro, SDF and MJCF"),
    "nothing": ("<robot name='r'/>", "no <link>"),
    "unknown kind": (robot(joint("screw")), "'screw'"),
    "no parent": (robot('<joint name="j" type="fixed"><child link="b"/></joint>'), "no <parent>"),
    "no name": (robot('<joint type="fixed"/>'), "no name"),
    "unknown link": (robot('<joint name="j" type="fixed"><parent link="a"/><child link="c"/></joint>'), "'c'"),
    "two of a name": (robot(joint(), '<link name="a"/><link name="a"/><link name="b"/>'), "more than one link"),
    "two parents": (
        robot(joint() + joint(name="k"), '<link name="a"/><link name="b"/>'),
        "hang from several joints",
    ),
    "two roots": (robot(joint(), '<link name="a"/><link name="b"/><link name="c"/>'), "not one tree"),
    "a circle": (
        robot(joint() + '<joint name="k" type="fixed"><parent link="b"/><child link="a"/></joint>'),
        "not one tree",
    ),
    "axis without direction": (robot(joint(inside='<axis xyz="0 0 0"/><limit lower="0" upper="1"/>')), "no direction"),
    "two numbers": (robot(joint(inside='<axis xyz="0 1"/><limit lower="0" upper="1"/>')), "three numbers"),
    "a word": (robot(joint(inside='<limit lower="low" upper="1"/>')), "'low'"),
    "not finite": (robot(joint(inside='<limit lower="nan" upper="1"/>')), "finite"),
    "limits swapped": (robot(joint(inside='<limit lower="2" upper="1"/>')), "lower is above upper"),
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_wrong_files_are_refused_with_the_reason(name):
    source, reason = WRONG[name]
    with pytest.raises(SchemaError, match=reason):
        read_urdf(source)


@pytest.mark.parametrize("kind", ["revolute", "prismatic"])
@pytest.mark.parametrize("limit", ["", '<limit effort="1" velocity="1"/>'])
def test_missing_limits_are_refused_or_given(kind, limit):
    source = robot(joint(kind, limit))
    with pytest.raises(SchemaError, match=r"has no limits.*missing_limits"):
        Chain.from_urdf(source)
    chain = Chain.from_urdf(source, missing_limits=(-0.5, 0.25))
    assert (chain.lower.tolist(), chain.upper.tolist()) == ([-0.5], [0.25])
    assert chain.sub(["b"]).upper.tolist() == [0.25]


def test_continuous_joints_need_no_limits():
    chain = Chain.from_urdf(robot(joint("continuous", "")))
    assert (chain.lower.tolist(), chain.upper.tolist(), chain.middle.tolist()) == ([-np.inf], [np.inf], [0.0])


def test_joints_that_are_not_single_are_refused_only_where_they_matter():
    links = '<link name="world"/><link name="a"/><link name="b"/>'
    floating = '<joint name="free" type="floating"><parent link="world"/><child link="a"/></joint>'
    with pytest.raises(SchemaError, match=r"'free'.*floating"):
        Chain.from_urdf(robot(floating + joint(), links))
    assert Chain.from_urdf(robot(floating + joint(), links), root="a").joint_names == ("j",)


def test_paths_name_what_is_wrong():
    model = read_urdf(ARM)
    assert [joint.name for joint in model.path("link2")] == ["joint1", "joint2"]
    with pytest.raises(SchemaError, match="no link 'hand'"):
        model.path("hand")
    with pytest.raises(SchemaError, match="does not hang from"):
        model.path("link1", "link2")
    with pytest.raises(SchemaError, match="no joint 'joint9'"):
        model.joint("joint9")
