"""Read ``robot.toml`` and say what is wrong with it.

In:  the text of a robot.toml, the links and joints of its URDF.   Out: the table as Python values, and ``Finding`` s.
Not here: the Embodiment made of it (load), what is possible but implausible (check).

The file:

- ``schema = "h2s2r.robot"``, ``version = 1``, ``name``, ``description`` (one sentence), ``side``: the hand that the URDF
  imitates, ``right``, ``left``, or ``none`` for a gripper that serves both;
- ``[palm]``: ``frame``, a link with x out of the palm, y towards the index side of a right hand, z towards the fingers;
  ``offset`` (3) [m], in this frame: where its origin belongs, seen from the human middle knuckle;
- ``[fingertips]``: per link that stands for a fingertip, at the centre of contact, the human keypoints it follows and
  their weights, e.g. ``{ index_tip = 0.5, middle_tip = 0.5 }``;
- ``[arm]`` and ``[hand]``: one row per joint that is commanded; the rows give the joints their order. ``home`` [rad; m for
  a slide], ``acceleration`` [/s²], ``jerk`` [/s³], ``kp``, ``kd`` of the position controller; and ``lower``, ``upper``,
  ``velocity``, ``torque`` where the URDF's ``<limit>`` lacks them or is to be replaced;
- ``[synergies]``: per name a direction of the hand's joints, ``{ joint = amount }``, the amounts [rad; m] being half the
  useful stroke;
- ``[collision]``, may be left out: ``exclude``, pairs of links that may overlap; ``never``, per link those that no posture
  brings together with it, which simulation leaves out (``h2s2r-sim apart`` lists them); ``[[collision.capsule]]``: ``link``,
  ``start``, ``end`` (3) [m] in the link, ``radius`` [m]: they replace what the URDF says of that link.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_retarget.embodiment.finding import Finding
from h2s2r_retarget.kinematics import UrdfModel
from h2s2r_schemas.artifacts import KEYPOINT_NAMES
from h2s2r_schemas.errors import SchemaError

SCHEMA, VERSION = "h2s2r.robot", 1
SIDES = ("right", "left", "none")
JOINT_KEYS = ("home", "acceleration", "jerk", "kp", "kd")
JOINT_OVERRIDES = ("lower", "upper", "velocity", "torque")
_KEYS = {
    "robot.toml": (
        ("schema", "version", "name", "description", "side", "palm", "fingertips", "hand"),
        ("producer", "arm", "synergies", "collision"),
    ),
    "[palm]": (("frame", "offset"), ()),
    "[collision]": ((), ("exclude", "never", "capsule")),
    "[[collision.capsule]]": (("link", "start", "end", "radius"), ()),
}


def read_table(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        SchemaError: there is no such file, or it is not TOML.
    """
    try:  # read when a robot is loaded, not when the package is imported
        import tomllib  # noqa: PLC0415
    except ModuleNotFoundError:  # Python 3.10
        import tomli as tomllib  # noqa: PLC0415  # pyright: ignore[reportMissingImports]

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SchemaError(
            f"{path} cannot be read: {error}. A robot is a folder with robot.urdf and robot.toml."
        ) from error
    except ValueError as error:
        raise SchemaError(f"{path} is not TOML: {error}.") from error


def table_findings(table: Mapping[str, Any], model: UrdfModel) -> list[Finding]:
    """Everything that keeps this table from describing a robot with this URDF."""
    findings = _key_findings("robot.toml", table)
    if findings:
        return findings
    if (table["schema"], table["version"]) != (SCHEMA, VERSION):
        found = f"Its schema and version are {table['schema']!r} {table['version']!r}; this software reads {SCHEMA!r} {VERSION}."
        return [Finding("schema", "robot.toml", found, "Write the file in this version.")]
    for key in ("name", "description"):
        if not isinstance(table[key], str) or not table[key]:
            findings.append(Finding("keys", key, f"It is {table[key]!r}.", "Give a text."))
    if table["side"] not in SIDES:
        findings.append(Finding("side", "side", f"It is {table['side']!r}.", f"Give one of {', '.join(SIDES)}."))
    for key in ("palm", "fingertips", "arm", "hand", "synergies", "collision"):
        if not isinstance(table.get(key, {}), Mapping):
            findings.append(Finding("keys", key, f"It is {table[key]!r}.", f"Make it a table [{key}]."))
    if findings:
        return findings
    findings += _palm_findings(table["palm"], model) + _fingertip_findings(table["fingertips"], model)
    return findings + _joint_findings(table, model) + _synergy_findings(table) + _collision_findings(table, model)


def _key_findings(where: str, table: Mapping[str, Any]) -> list[Finding]:
    required, optional = _KEYS[where]
    findings = [
        Finding("keys", where, f"{key!r} is missing.", f"It needs {', '.join(required)}.")
        for key in required
        if key not in table
    ]
    return findings + [
        Finding("keys", where, f"{key!r} is not known.", f"Allowed are {', '.join(required + optional)}.")
        for key in table
        if key not in required + optional
    ]


def _palm_findings(palm: Mapping[str, Any], model: UrdfModel) -> list[Finding]:
    findings = _key_findings("[palm]", palm)
    if findings:
        return findings
    findings += _link_findings("palm.frame", [palm["frame"]], model)
    if not _is_vector(palm["offset"], 3):
        findings.append(Finding("palm", "palm.offset", f"It is {palm['offset']!r}.", "Give three numbers [m]."))
    return findings


def _fingertip_findings(fingertips: Mapping[str, Any], model: UrdfModel) -> list[Finding]:
    findings = _link_findings("[fingertips]", list(fingertips), model)
    if not fingertips:
        findings.append(Finding("fingertips", "[fingertips]", "It is empty.", "Name at least one fingertip link."))
    for tip, weights in fingertips.items():
        unknown = (
            [name for name in weights if name not in KEYPOINT_NAMES] if isinstance(weights, Mapping) else [weights]
        )
        if unknown:
            allowed = (
                f"Use keypoints and weights, e.g. {{ index_tip = 1.0 }}; keypoints are {', '.join(KEYPOINT_NAMES)}."
            )
            findings.append(Finding("fingertips", tip, f"{unknown} are no human keypoints.", allowed))
        elif not _is_vector(list(weights.values()), len(weights)) or abs(sum(weights.values()) - 1) > 1e-6:
            cause = f"The weights {list(weights.values())} do not sum to 1."
            findings.append(Finding("fingertips", tip, cause, "Divide them by their sum."))
    return findings


def _joint_findings(table: Mapping[str, Any], model: UrdfModel) -> list[Finding]:
    arm, hand = table.get("arm", {}), table["hand"]
    findings = [
        Finding("joints", name, "It is in [arm] and in [hand].", "Leave it in one of them.")
        for name in arm
        if name in hand
    ]
    if not hand:
        findings.append(Finding("joints", "[hand]", "It has no joint.", "Name the joints that move the fingers."))
    commanded = [joint.name for joint in model.joints if joint.movable and joint.mimic is None]
    for name in (*arm, *hand):
        if name not in commanded:
            cause = "The URDF has no such joint that moves by itself."
            findings.append(Finding("joints", name, cause, f"Those it has are {', '.join(commanded)}."))
    for name in commanded:
        if name not in arm and name not in hand:
            cause = "It moves, but robot.toml does not name it."
            findings.append(
                Finding("joints", name, cause, "Add a row to [arm] or [hand], or make it fixed in the URDF.")
            )
    if not findings:
        for name, row in (*arm.items(), *hand.items()):
            findings += _row_findings(name, row, model)
    return findings


def _row_findings(name: str, row: Any, model: UrdfModel) -> list[Finding]:
    if not isinstance(row, Mapping) or not _is_vector(list(row.values()), len(row)):
        return [Finding("joints", name, f"Its row is {row!r}.", "Give numbers by name: { home = 0.0, … }.")]
    allowed = JOINT_KEYS + JOINT_OVERRIDES
    wrong = [key for key in JOINT_KEYS if key not in row] + [key for key in row if key not in allowed]
    if wrong:
        remedy = f"A row needs {', '.join(JOINT_KEYS)} and may have {', '.join(JOINT_OVERRIDES)}."
        return [Finding("joints", name, f"{', '.join(map(repr, wrong))} missing from its row, or not known.", remedy)]
    findings, values = [], joint_limits(row, name, model)
    for key in (*JOINT_OVERRIDES, "acceleration", "jerk", "kp", "kd"):
        value = values.get(key, row.get(key))
        if value is None:
            remedy = f"Add it to <limit> in the URDF, or {key} = … to the row in robot.toml."
            findings.append(Finding("limits", name, f"Neither the URDF nor robot.toml gives its {key}.", remedy))
        elif key not in ("lower", "upper") and value <= 0:
            findings.append(Finding("limits", name, f"Its {key} is {value}.", "Give a number above 0."))
    lower, upper = values["lower"], values["upper"]
    if lower is not None and upper is not None:
        if lower >= upper:
            cause = f"Its limits are [{lower}, {upper}]: nothing lies between them."
            findings.append(Finding("limits", name, cause, "Give lower below upper."))
        elif not lower <= row["home"] <= upper:
            cause = f"Its home {row['home']} is outside its limits [{lower}, {upper}]."
            findings.append(Finding("home", name, cause, "Choose a home inside."))
    return findings


def joint_limits(row: Mapping[str, float], name: str, model: UrdfModel) -> dict[str, float | None]:
    """``lower``, ``upper``, ``velocity`` and ``torque`` of a joint: from its row, else from the URDF, else None."""
    joint = model.joint(name)
    limits = {"lower": joint.lower, "upper": joint.upper, "velocity": joint.velocity, "torque": joint.effort}
    if joint.kind == "continuous":
        limits["lower"] = limits["upper"] = None
    return {**limits, **{key: row[key] for key in JOINT_OVERRIDES if key in row}}


def _synergy_findings(table: Mapping[str, Any]) -> list[Finding]:
    findings, rows = [], []
    for name, amounts in table.get("synergies", {}).items():
        wrong = (
            [joint for joint in amounts if joint not in table["hand"]] if isinstance(amounts, Mapping) else [amounts]
        )
        if wrong or not amounts or not _is_vector(list(amounts.values()), len(amounts)):
            remedy = f"Give {{ joint = amount }} for joints of [hand]: {', '.join(table['hand'])}."
            findings.append(Finding("synergies", name, f"It is {amounts!r}.", remedy))
        else:
            rows.append([amounts.get(joint, 0.0) for joint in table["hand"]])
    if rows and np.linalg.matrix_rank(np.array(rows)) < len(rows):
        cause = f"The {len(rows)} synergies are not independent: one is a mixture of others."
        findings.append(Finding("synergies", "[synergies]", cause, "Remove or change one."))
    return findings


def _collision_findings(table: Mapping[str, Any], model: UrdfModel) -> list[Finding]:
    collision = table.get("collision", {})
    findings = _key_findings("[collision]", collision)
    for pair in collision.get("exclude", []):
        if not isinstance(pair, list) or len(pair) != 2 or pair[0] == pair[1]:
            findings.append(Finding("collision", "collision.exclude", f"It has {pair!r}.", "Give pairs of links."))
        else:
            findings += _link_findings("collision.exclude", pair, model)
    for link, others in collision.get("never", {}).items():
        if not isinstance(others, list) or link in others:
            findings.append(Finding("collision", f"collision.never.{link}", f"It is {others!r}.", "List other links."))
        else:
            findings += _link_findings("collision.never", [link, *others], model)
    for capsule in collision.get("capsule", []):
        wrong = _key_findings("[[collision.capsule]]", capsule)
        findings += wrong or _link_findings("collision.capsule", [capsule["link"]], model)
        vectors = not wrong and _is_vector(capsule["start"], 3) and _is_vector(capsule["end"], 3)
        if not wrong and not (vectors and _is_vector([capsule["radius"]], 1) and capsule["radius"] > 0):
            remedy = "Give start and end as three numbers [m] and a radius above 0."
            findings.append(Finding("collision", "collision.capsule", f"It is {capsule!r}.", remedy))
    return findings


def _link_findings(where: str, links: list[Any], model: UrdfModel) -> list[Finding]:
    return [
        Finding("frames", where, f"The URDF has no link {link!r}.", f"Its links are {', '.join(model.links)}.")
        for link in links
        if link not in model.links
    ]


def _is_vector(values: Any, length: int) -> bool:
    return (
        isinstance(values, (list, tuple))
        and len(values) == length
        and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
        and bool(np.isfinite(values).all())
    )
