"""The checkout keeps the conventions of DESIGN §4, and each check catches a planted violation.

In:  the sources, and small planted files.   Out: no violation, or exactly the planted one.
Not here: ruff, pyright and the walls between packages (test_gates).
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from h2s2r.conventions import check_file, check_tree

ROOT = Path(__file__).parents[1]
HEADER = '"""A module.\n\nIn:  a.   Out: b.\nNot here: c.\n"""\n\n'


def planted(folder: Path, body: str, name: str = "planted.py", header: str = HEADER) -> list[str]:
    """The rules that a file with this body breaks."""
    path = folder / name
    path.write_text(header + textwrap.dedent(body), encoding="utf-8")
    return [violation.rule for violation in check_file(path, folder)]


def test_the_checkout_keeps_them():
    assert [str(violation) for violation in check_tree(ROOT)] == []


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("T_object_to_world = f()", "pose-name"),
        ("T_w_o = f()", "pose-name"),
        ("T_world = f()", "pose-name"),
        ("pose = f()", "pose-name"),
        ("def f(pose): ...", "pose-name"),
        ("def f(Ts_b_c): ...", "pose-name"),
        ("class A:\n    T_world_to_base: int = 1", "pose-name"),
        ("self.T_x_y = 1", "pose-name"),
        ("world_to_camera = f()", "pose-name"),
        ("def object_to_world_matrix(): ...", "pose-name"),
        ("T_world_object = T_world_camera @ T_object_camera", "pose-chain"),
        ("f(T_world_camera @ T_world_object)", "pose-chain"),
        ("T_world_object = T_camera_world.inv() @ T_world_object", "pose-chain"),
        ("T_world_palm = T_world_camera @ T_camera_object", "pose-assignment"),
        ("T_world_object = T_world_camera", "pose-assignment"),
        ("T_world_object = T_world_object.inv()", "pose-assignment"),
        ("Ts_world_object = self.Ts_world_camera[0] @ Ts_camera_palm", "pose-assignment"),
        ("T_world_object: SE3 = T_world_object.inv()", "pose-assignment"),
        ("T_world_palm, T_world_goal = x, T_world_object", "pose-assignment"),
        ("f(T_world_palm := T_world_object)", "pose-assignment"),
        ("def T_world_palm(self):\n    return self.T_world_camera @ self.T_camera_object", "pose-assignment"),
        ("q_xyzw = f()", "xyzw"),
        ("f(x).as_xyzw()", "xyzw"),
        ("print(1)", "print"),
        ("import pickle", "pickle"),
        ("from pickle import loads", "pickle"),
        ("np.load(path, allow_pickle=True)", "pickle"),
        ("socket.recv_pyobj()", "pickle"),
        ("def f():\n" + "    x = 1\n" * 51, "function-size"),
        ("x = 1\n" * 301, "file-size"),
    ],
)
def test_a_planted_violation_is_caught(body, rule, tmp_path):
    assert set(planted(tmp_path, body)) == {rule}


@pytest.mark.parametrize(
    "body",
    [
        "T_world_object = T_world_camera @ T_camera_object",
        "T_world_object = T_camera_world.inv() @ T_camera_object",
        "Ts_world_fingertip_index = Ts_world_palm[:, None] @ T_palm_fingertip_index",
        "T_object_palm = T_world_object.inv() @ T_world_table @ T_table_palm",
        "T_world_object = SE3.identity()",
        "T_world_palm, T_palm_world = x, T_world_palm.inv()",
        "def T_camera_object(self):\n    return self.T_world_camera.inv() @ self.T_world_object",
        "joints_to_names = f()",
        "x = a @ b",
        "posed = self.transformed",
        "np.load(path, allow_pickle=False)",
    ],
)
def test_what_is_right_passes(body, tmp_path):
    assert planted(tmp_path, body) == []


def test_a_module_without_its_header_is_caught(tmp_path):
    assert planted(tmp_path, "", header='"""Only a summary."""\n') == ["header"]
    assert planted(tmp_path, "", header="") == ["header"]
    assert planted(tmp_path, "", name="__init__.py", header='"""A front door."""\n') == []
    assert planted(tmp_path, "", name="__init__.py", header="") == ["header"]


def test_only_the_command_line_prints(tmp_path):
    assert planted(tmp_path, "print(1)", name="cli.py") == []


def test_only_se3_and_adapters_name_the_other_order(tmp_path):
    folder = tmp_path / "h2s2r_schemas" / "se3"
    folder.mkdir(parents=True)
    path = folder / "x.py"
    path.write_text(HEADER + "q_xyzw = 1\n", encoding="utf-8")
    assert check_file(path, tmp_path) == []


def test_an_import_that_is_not_declared_is_caught(tmp_path):
    member = tmp_path / "packages" / "h2s2r-x"
    sources = member / "src" / "h2s2r_x"
    sources.mkdir(parents=True)
    (tmp_path / "tools").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "h2s2r"\n', encoding="utf-8")
    (member / "pyproject.toml").write_text(
        '[project]\nname = "h2s2r-x"\ndependencies = ["opencv-python-headless>=4.10", "tomli; python_version < \'3.11\'"]\n'
        '[project.optional-dependencies]\nlive = ["pyzmq>=26"]\n',
        encoding="utf-8",
    )
    declared = "import os\nimport cv2\nimport tomli\nimport h2s2r_x.y\nfrom . import z\n\ndef f():\n    import zmq\n"
    typing_only = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import torch\n"
    (sources / "fine.py").write_text(HEADER + declared + typing_only, encoding="utf-8")
    assert check_tree(tmp_path) == []
    (sources / "wrong.py").write_text(HEADER + "def f():\n    import numpy.linalg\n", encoding="utf-8")
    (found,) = check_tree(tmp_path)
    assert str(found).startswith("packages/h2s2r-x/src/h2s2r_x/wrong.py:8: dependency: numpy is imported but")
