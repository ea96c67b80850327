"""The doctor says what is there and what to do, and never falls ill himself.

In:  this machine, and planted lacks.   Out: lines.
Not here: what the packages' own doctors find (their tests).
"""

from __future__ import annotations

import json
from importlib import metadata
from typing import Any

import pytest

from h2s2r import doctor
from h2s2r.cli import app
from h2s2r_sim.view import NoGraphicsError


def lines() -> dict[str, doctor.Line]:
    return {line.name: line for line in doctor.look()}


def test_everything_is_looked_at_and_every_part_has_its_licence() -> None:
    found = lines()
    assert set(doctor.PACKAGES) <= set(found) and all(found[name].ready for name in doctor.PACKAGES)
    parts = {name for name, line in found.items() if line.about == "part"}
    declared = {f"h2s2r-perception[{name}]" for name in ("mediapipe", "sam2", "realsense", "live", "view", "scan")}
    for package in doctor.PACKAGES:
        extras = metadata.metadata(package).get_all("Provides-Extra") or []
        # Benchmarks are the checkout's own; Isaac Gym has a Python of its own.
        declared |= {f"{package}[{extra}]" for extra in extras if extra not in ("bench", "isaacgym", "invdyn")}
    assert declared <= parts
    assert all(found[name].licence for name in parts)
    assert {"computer", "GPU", "pictures", "camera", "processor"} <= set(found)
    lacking = [line.says for line in found.values() if line.about == "part" and not line.ready]
    assert all("pip install" in says or "not served" in says for says in lacking)


def test_what_is_missing_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    true_version = metadata.version

    def version(name: str) -> str:
        if name == "viser":
            raise metadata.PackageNotFoundError(name)
        return "0.1" if name == "av" else true_version(name)

    def none() -> str:
        raise NoGraphicsError("Nothing draws here: apt-get install libegl1.")

    monkeypatch.setattr(doctor, "version", version)
    monkeypatch.setattr(doctor, "offscreen_backend", none)
    monkeypatch.setenv("PATH", "")
    found = lines()
    view = found["h2s2r-sim[view]"]
    assert not view.ready
    assert "viser" in view.says and "(here: 0.1)" in view.says and "pip install 'h2s2r-sim[view]'" in view.says
    assert "libegl1" in found["pictures"].says and not found["GPU"].ready


def test_it_never_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(*_: Any) -> Any:
        raise OSError("this machine is on fire")

    for name in ("offscreen_backend", "check_machine"):
        monkeypatch.setattr(doctor, name, broken)
    assert app.cli(prog="h2s2r", args=["doctor", "--json"]) == 0
    found = {line["name"]: line for line in json.loads(capsys.readouterr().out)}
    assert "on fire" in found["pictures"]["says"] and not found["pictures"]["ready"]
    assert app.cli(prog="h2s2r", args=["doctor"]) == 0
    assert "h2s2r-hw" in capsys.readouterr().out
