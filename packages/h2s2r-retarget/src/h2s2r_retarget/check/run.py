"""Look a robot over before anyone relies on it.

In:  the name or folder of a robot.   Out: a list of ``Finding`` s, the errors first; empty if all is well.
Not here: a picture of it (picture), the command (cli).
"""

from __future__ import annotations

from pathlib import Path

from h2s2r_retarget.check.bodies import body_findings
from h2s2r_retarget.check.hand import hand_findings
from h2s2r_retarget.check.joints import axis_findings, joint_findings
from h2s2r_retarget.check.touching import touching_findings
from h2s2r_retarget.embodiment import Finding, embodiment_folder, load_embodiment, read_links
from h2s2r_retarget.embodiment.table import read_table, table_findings
from h2s2r_retarget.kinematics import parse_xml, read_urdf
from h2s2r_schemas.errors import SchemaError


def check_embodiment(name_or_folder: str | Path) -> list[Finding]:
    """What is missing or implausible about a robot: each with its cause and what to do.

    Args:
        name_or_folder: as for ``load_embodiment``.

    Raises:
        SchemaError: there is no such robot at all. Everything else is a finding.
    """
    folder = embodiment_folder(name_or_folder)
    source = folder / "robot.urdf"
    try:
        model, robot, links = read_urdf(source), parse_xml(source), read_links(source)
    except SchemaError as error:
        return [Finding("urdf", "robot.urdf", str(error), "Correct the file; everything else waits for it.")]
    findings = [*axis_findings(robot), *body_findings(model, links)]
    try:
        table = read_table(folder / "robot.toml")
    except SchemaError as error:
        return [Finding("toml", "robot.toml", str(error), "Correct the file."), *findings]
    missing = table_findings(table, model)
    findings += missing
    if not missing:
        try:
            embodiment = load_embodiment(folder)
            embodiment.spec()
        except SchemaError as error:
            findings.append(Finding("robot", "robot.toml", str(error), "Correct it."))
        else:
            findings += [*joint_findings(table, model), *hand_findings(embodiment), *touching_findings(embodiment)]
    return sorted(findings, key=lambda finding: finding.severity != "error")
