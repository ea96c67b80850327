"""Robots with one fault each: the check finds it, says why and what to do.

In:  a good robot folder with one thing changed.   Out: the finding.
Not here: files that cannot be loaded, one by one (test_embodiment_files).
"""

from __future__ import annotations

import builtins
import shutil

import numpy as np
import pytest
from fourth_robot import write_fourth_robot

from h2s2r_retarget.check import check_embodiment, draw_embodiment
from h2s2r_retarget.check.grasping_hand import grasping_hand
from h2s2r_retarget.embodiment import embodiment_folder, load_embodiment
from h2s2r_schemas.errors import H2S2RError, SchemaError


def _fourth(tmp_path):
    return write_fourth_robot(tmp_path / "fourth")


def _copy(name, tmp_path):
    return shutil.copytree(embodiment_folder(name), tmp_path / name)


def _change(folder, file, *changes):
    text = (folder / file).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    (folder / file).write_text(text, encoding="utf-8")


def _expect(folder, kind, subject):
    findings = check_embodiment(folder)
    assert any(each.kind == kind and subject in each.subject for each in findings), [str(each) for each in findings]
    for finding in findings:
        assert finding.cause.endswith(".") and finding.remedy.endswith("."), finding
    severities = [finding.severity for finding in findings]
    assert severities == sorted(severities)  # "error" before "warning"


URDF_FAULTS = [
    # kind, subject, what to replace
    ("axis", "joint arm_2", ('<axis xyz="0 1 0"/><limit lower="-2.5"', '<axis xyz="0 2 0"/><limit lower="-2.5"')),
    ("axis", "joint index_near", ('<axis xyz="0 1 0"/><limit lower="-0.2"', '<limit lower="-0.2"')),
    ("urdf", "robot.urdf", ('<axis xyz="0 1 0"/>', '<axis xyz="0 0 0"/>')),
    ("urdf", "robot.urdf", ('lower="-2.5" upper="2.5"', 'lower="2.5" upper="-2.5"')),
    ("urdf", "robot.urdf", ('<parent link="link_2"/>', '<parent link="elbow"/>')),
    ("urdf", "robot.urdf", ('<box size="0.016 0.018 0.036"/>', '<box size="0.016 0.018"/>')),
    ("limits", "arm_3", ('<limit lower="-2.5" upper="2.5" effort="100" velocity="2"/>', "")),
    ("limits", "joint arm_3", ('lower="-2.5" upper="2.5"', 'lower="-143" upper="143"')),
    ("limits", "joint index_near", ('effort="2" velocity="5"', 'effort="2" velocity="500"')),
    ("limits", "joint arm_4", ('effort="100"', 'effort="100000"')),
    ("units", "joint arm_3", ('xyz="0 0 0.4"', 'xyz="0 0 400"')),
    ("mass", "link link_4", ('<mass value="2.0"/>', '<mass value="0"/>')),
    ("mass", "link link_4", ('<mass value="2.0"/>', '<mass value="-2.0"/>')),
    (
        "mass",
        "link link_5",
        (
            '<inertial><origin xyz="0 0 0.05"/><mass value="1.5"/>',
            '<inertial><origin xyz="0 0.3 0.05"/><mass value="1.5"/>',
        ),
    ),
    (
        "collision",
        "link link_2",
        (
            '<collision><origin xyz="0 0 0.2"/><geometry><cylinder radius="0.04" length="0.24"/></geometry></collision>',
            "",
        ),
    ),
    ("collision", "link link_2", ('<cylinder radius="0.04" length="0.24"/>', '<mesh filename="arm.stl"/>')),
]


@pytest.mark.requirement("H48")
@pytest.mark.parametrize(
    "fault", URDF_FAULTS, ids=[f"{kind}-{subject}-{n}" for n, (kind, subject, *_) in enumerate(URDF_FAULTS)]
)
def test_a_fault_in_the_urdf_is_found(fault, tmp_path):
    kind, subject, *changes = fault
    folder = _fourth(tmp_path)
    _change(folder, "robot.urdf", *changes)
    _expect(folder, kind, subject)


@pytest.mark.parametrize(
    ("name", "inertia"),
    [
        ("missing", 'ixx="0" iyy="0" izz="0"'),
        ("negative", 'ixx="-1e-5" iyy="1e-5" izz="1e-5"'),
        ("triangle", 'ixx="1e-6" iyy="1e-6" izz="9e-6"'),
        ("gram millimetres", 'ixx="54" iyy="52" izz="19"'),
        ("of a much smaller thing", 'ixx="1e-12" iyy="1e-12" izz="1e-12"'),
    ],
)
def test_an_inertia_that_no_body_has_is_found(name, inertia, tmp_path):
    folder = _fourth(tmp_path)
    text = (folder / "robot.urdf").read_text(encoding="utf-8")
    start = text.index("<inertia ", text.index('<link name="index_2"')) + len("<inertia ")
    stop = text.index(" ixy", start)
    (folder / "robot.urdf").write_text(text[:start] + inertia + text[stop:], encoding="utf-8")
    _expect(folder, "inertia", "link index_2")


THICK_CAPSULE = """[[collision.capsule]]
link = "index_2"
start = [0.0, 0.0, -0.3]
end = [0.0, 0.0, 0.3]
radius = 0.1

"""
TABLE_FAULTS = [
    ("toml", "robot.toml", ("[palm]", "[palm")),
    ("keys", "robot.toml", ('name = "fourth"', "")),
    ("joints", "arm_6", ("arm_6 = {", "arm_7 = {")),
    ("home", "index_near", ("index_near = { home = 0.3", "index_near = { home = 2.3")),
    ("home", "home", ("arm_2 = { home = 0.2", "arm_2 = { home = 1.8")),
    (
        "limits",
        "joint arm_5",
        ("arm_5 = { home = 1.5416, acceleration = 8", "arm_5 = { home = 1.5416, acceleration = 0.01"),
    ),
    (
        "limits",
        "joint arm_4",
        ("arm_4 = { home = 0.0, acceleration = 8, jerk = 160", "arm_4 = { home = 0.0, acceleration = 8, jerk = 0.1"),
    ),
    ("palm", "palm frame index_1", ('frame = "palm"', 'frame = "index_1"')),
    ("tips", "fingertip palm", ("tip_index =", "palm =")),
    ("tips", "fingertip tip_index", ("offset = [0.0, 0.0, 0.0]", "offset = [0.3, 0.0, 0.0]")),
    (
        "palm-axes",
        "palm frame palm",
        (
            "tip_index = { index_tip = 1.0 }\ntip_ring = { middle_tip = 0.5, ring_tip = 0.5 }",
            "tip_ring = { index_tip = 1.0 }\ntip_index = { ring_tip = 1.0 }",
        ),
    ),
    ("thumb", "fingertip tip_thumb", ('side = "right"', 'side = "left"')),
    ("synergies", "[synergies]", ("oppose = { thumb_near", "oppose = { index_near = 0.7, ring_near = 0.7, thumb_near")),
    (
        "collision",
        "links palm and",
        ("[[collision.capsule]]", THICK_CAPSULE + "[[collision.capsule]]"),
    ),
    ("arm", "[arm]", None),
]


@pytest.mark.requirement("H48")
@pytest.mark.parametrize(
    "fault", TABLE_FAULTS, ids=[f"{kind}-{subject}-{n}" for n, (kind, subject, *_) in enumerate(TABLE_FAULTS)]
)
def test_a_fault_in_the_table_is_found(fault, tmp_path):
    kind, subject, change = fault
    folder = _fourth(tmp_path)
    if change is None:
        _make_five_axes(folder)
    else:
        _change(folder, "robot.toml", change)
    _expect(folder, kind, subject)


def _make_five_axes(folder):
    _change(folder, "robot.urdf", ('name="arm_6" type="revolute"', 'name="arm_6" type="fixed"'))
    text = (folder / "robot.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("arm_6")]
    (folder / "robot.toml").write_text("\n".join(lines), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "changes", "kind"),
    [
        # The palm frame turned by half a turn: about z (palm normal out of the back), about x (fingers towards the wrist).
        (
            "iiwa14_leap",
            [
                (
                    '<origin xyz="-0.0071 -0.0374 -0.0187" rpy="0 1.570796327 0"/>',
                    '<origin xyz="-0.0071 -0.0374 -0.0187" rpy="0 -1.570796327 3.14159265"/>',
                )
            ],
            "palm-axes",
        ),
        (
            "iiwa14_leap",
            [
                (
                    '<origin xyz="-0.0071 -0.0374 -0.0187" rpy="0 1.570796327 0"/>',
                    '<origin xyz="-0.0071 -0.0374 -0.0187" rpy="0 -1.570796327 0"/>',
                )
            ],
            "palm-axes",
        ),
        # The thumb's root moved to the other side of the palm.
        (
            "iiwa14_allegro",
            [
                (
                    '<origin xyz="-0.0182 0.019333 -0.045987" rpy="0 -1.6581 -1.570796327"/>',
                    '<origin xyz="-0.0182 -0.019333 -0.045987" rpy="0 -1.6581 1.570796327"/>',
                )
            ],
            "thumb",
        ),
    ],
)
def test_a_hand_put_together_wrongly_is_found(name, changes, kind, tmp_path):
    folder = _copy(name, tmp_path)
    _change(folder, "robot.urdf", *changes)
    assert kind in {finding.kind for finding in check_embodiment(folder)}


@pytest.mark.parametrize("name", ["iiwa14_allegro", "iiwa14_leap"])
def test_a_right_hand_called_a_left_one_is_found(name, tmp_path):
    folder = _copy(name, tmp_path)
    _change(folder, "robot.toml", ('side = "right"', 'side = "left"'))
    assert {"thumb", "palm-axes"} <= {finding.kind for finding in check_embodiment(folder)}


def test_swapped_fingers_of_a_gripper_are_found(tmp_path):
    folder = _copy("iiwa14_umi", tmp_path)
    swapped = (
        "fingertip_thumb = { thumb_tip = 1.0 }\nfingertip_index = { index_tip = 0.5, middle_tip = 0.5 }",
        "fingertip_index = { thumb_tip = 1.0 }\nfingertip_thumb = { index_tip = 0.5, middle_tip = 0.5 }",
    )
    _change(folder, "robot.toml", swapped)
    assert "thumb" in {finding.kind for finding in check_embodiment(folder)}


def test_a_robot_that_does_not_exist_is_no_finding():
    with pytest.raises(SchemaError, match="no robot"):
        check_embodiment("no_such_robot")


def test_the_hand_it_compares_with_is_a_right_hand():
    keypoints = grasping_hand()
    index, ring, thumb, middle = keypoints[8], keypoints[16], keypoints[4], keypoints[9]
    assert keypoints.shape == (21, 3) and not middle.any()
    assert index[1] > ring[1] and thumb[1] > ring[1] and (keypoints[[4, 8, 12, 16, 20], 0] > 0.02).all()


def test_a_picture_is_drawn_without_a_display(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="pictures are the extra [view]")
    monkeypatch.delenv("DISPLAY", raising=False)
    draw_embodiment(load_embodiment("iiwa14_leap", "left"), tmp_path / "left.png")
    written = (tmp_path / "left.png").read_bytes()
    assert written.startswith(b"\x89PNG") and len(written) > 20_000


def test_without_matplotlib_it_says_what_to_install(tmp_path, monkeypatch):
    real_import = builtins.__import__

    def no_matplotlib(name, *args, **options):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real_import(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", no_matplotlib)
    with pytest.raises(H2S2RError, match=r"h2s2r-retarget\[view\]"):
        draw_embodiment(load_embodiment("iiwa14_umi"), tmp_path / "no.png", np.zeros(8))
    assert not (tmp_path / "no.png").exists()
