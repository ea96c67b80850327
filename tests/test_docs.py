"""What docs/ promises: code runs, commands are read by the programs they name, and what is made from code is as the code is.

In:  the Markdown files under docs/, mkdocs.yml.   Out: no broken promise.
Not here: links between pages (mkdocs build --strict, in .ci/run), READMEs (test_readmes).
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tyro.extras import get_parser

from h2s2r import cli
from h2s2r.messages import messages_page
from h2s2r_perception.cli import app as perception
from h2s2r_retarget import cli as retarget
from h2s2r_sim import cli as sim

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
OWN = (DOCS / "own-recording.md").read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", page.read_text(encoding="utf-8"), re.M | re.S)
    return [text for _, text in found]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.stem)
def test_its_code_runs(page: Path, tmp_path: Path) -> None:
    code = "\n".join(blocks(page, "python"))
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


#: How each program reads its words.
_PARSERS = {"h2s2r-perception": perception._parser, "h2s2r-retarget": retarget._parser}
_FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("h2s2r", "demo"): cli.run_demo,
    ("h2s2r", "run"): cli.run_recording,
    ("h2s2r", "view"): cli.view_run,
    ("h2s2r-sim", "check"): sim.check,
}


def commands() -> list[str]:
    lines = [line.strip() for page in PAGES for block in blocks(page, "console") for line in block.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


@pytest.mark.parametrize("command", commands())
def test_its_commands_are_read_by_the_programs_they_name(command: str) -> None:
    program, verb, *words = shlex.split(command)
    if program in _PARSERS:
        _PARSERS[program]().parse_args([verb, *words])
    else:
        # Reads the words as the program does, and calls nothing.
        get_parser(_FUNCTIONS[program, verb]).parse_args(words)


def test_a_wrong_command_would_be_found() -> None:
    with pytest.raises(SystemExit):
        perception._parser().parse_args(["record", "--colour", "blue"])
    with pytest.raises(SystemExit):
        get_parser(cli.run_demo).parse_args(["--speed", "3"])


def test_the_page_of_messages_is_as_the_classes_are() -> None:
    assert (DOCS / "messages.md").read_text(encoding="utf-8") == messages_page(), (
        "python -m h2s2r.messages docs/messages.md"
    )


def part(title: str) -> str:
    """Of the page on own recordings."""
    return OWN.partition(f"## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.requirement("H52")
def test_a_new_task_takes_few_steps_of_a_person_and_no_value_is_carried_by_hand() -> None:
    steps = re.findall(r"^(\d+)\. ", part("What you do"), re.M)
    assert steps == [str(number + 1) for number in range(len(steps))] and len(steps) <= 8
    typed = [line for line in part("What you do").splitlines() if line.strip().startswith("$ ")]
    assert len(typed) <= 3
    # What a person types are names they chose, and what they measured of their object: its mass.
    numbers = re.findall(r"(?<![\w.])\d+(?:\.\d+)?", " ".join(typed))
    assert numbers == ["10", "0.37"]


@pytest.mark.requirement("H02")
def test_one_camera_is_all_that_has_to_be_bought() -> None:
    needed = re.findall(r"^- (.*)$", part("What you need"), re.M)
    assert len(needed) == 2 and "one RGB-D camera" in needed[0] and "mesh" in needed[1]
    # And nothing that is installed asks for more: no driver of a glove, a tracker or a teleoperation device.
    declared = [
        requirement
        for path in [ROOT / "pyproject.toml", *ROOT.glob("packages/*/pyproject.toml")]
        for requirement in tomllib.loads(path.read_text(encoding="utf-8"))["project"].get("dependencies", [])
    ]
    assert not [
        each for each in declared if re.search(r"glove|vive|openvr|spacemouse|hid|leap-?motion|optitrack", each)
    ]
