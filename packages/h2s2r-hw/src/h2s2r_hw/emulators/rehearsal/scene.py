"""One rehearsal with an armed client and an observer on the wires: where every case begins.

In:  settings.   Out: ``Scene``: its parts, what happened as figures.
Not here: what goes wrong in it (cases), what is expected (judge).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_hw.bus.log import inspect_log
from h2s2r_hw.config import ServerCfg
from h2s2r_hw.emulators.cell import CellCfg
from h2s2r_hw.emulators.faults import parse_faults
from h2s2r_hw.emulators.hand import HandCfg
from h2s2r_hw.emulators.rehearsal.observe import Observer
from h2s2r_hw.emulators.rehearsal.puppet import Puppet, Stranger, sine
from h2s2r_hw.emulators.rehearsal.whole import QUICK, SECOND, Rehearsal, RehearsalCfg
from h2s2r_hw.robots import load_robot
from h2s2r_hw.states import FAULTS_BY_NUMBER, State

Figure = float | int | str
Figures = dict[str, Figure]
#: [s] at which faults of devices begin.
_AT = 2.0


def settings(
    faults: str = "", cabinet: dict[str, Any] | None = None, hand: dict[str, Any] | None = None
) -> RehearsalCfg:
    """A rehearsal of devices with faults; the server is configured for the same cabinet and hand.

    Args:
        faults: as ``parse_faults`` reads them.
        cabinet: fields of the emulated cabinet that differ.
        hand: fields of the emulated hand that differ.
    """
    cell = CellCfg(replace(QUICK, **(cabinet or {})), HandCfg(**(hand or {})), parse_faults(faults))
    server = ServerCfg()
    arm = replace(
        server.arm, version=cell.cabinet.version, mode=cell.cabinet.mode, send_period_ms=cell.cabinet.send_period_ms
    )
    return RehearsalCfg(replace(server, arm=arm, hand=replace(server.hand, version=cell.hand.version)), cell)


class Scene:
    """Use it in a ``with``.

    Args:
        folder: of its own, with a short path.
        cfg: what is rehearsed.
    """

    def __init__(self, folder: Path, cfg: RehearsalCfg) -> None:
        period = cfg.server.arm.send_period_ms * 1e-3
        self.wires = Observer(load_robot("iiwa14_allegro"), cfg.cell.cabinet.version, period)
        self.whole = Rehearsal(folder, cfg, tap=self.wires.tap)
        self.owner: Puppet
        """Holds the lease."""
        self.start: np.ndarray
        """(J) [rad] where it stood when it was armed."""
        self.notes: Figures = {}
        """What a case found out by itself."""
        self._strangers: list[Stranger] = []
        self._epochs = 0

    # ── on the way ──────────────────────────────────────────────────────────────────────────────────────────────────

    def ready(self) -> None:
        """Devices are there, and a client; nothing is armed."""
        self.whole.run(1.0)
        self.owner = Puppet(self.whole, "owner")

    def armed(self) -> None:
        """The client is armed."""
        self.ready()
        self.notes["armed"] = self.owner.arm()
        self.start = self.owner.state.joint_pos_target.copy()

    def tracking(self, seconds: float = 1.0, reach: float = 0.15) -> None:
        """It follows a gentle path."""
        self.armed()
        self.follow(seconds, reach)

    def follow(self, seconds: float, reach: float = 0.15, **changes: Any) -> None:
        """Follow a gentle path from where it stands."""
        start = self.owner.look().joint_pos_target.copy()
        self.owner.follow(seconds, sine(start, reach), **changes)

    def mark(self) -> None:
        """It happens now."""
        self.wires.mark(self.whole.now_ns)

    def until(self, time: float) -> float:
        """[s] that are left until a moment."""
        return max(0.0, time - self.whole.now_ns / SECOND)

    def stranger(self, keys: Any, address: str = "") -> Stranger:
        """A raw socket; to somewhere else than the server where an address is given."""
        made = Stranger(self.whole, keys, address)
        self._strangers.append(made)
        return made

    def other(self, name: str = "other", operator: bool = False) -> Puppet:
        """Another client, with keys of its own."""
        return Puppet(self.whole, name, operator)

    # ── at the end ──────────────────────────────────────────────────────────────────────────────────────────────────

    def figures(self) -> Figures:
        """What happened; the rehearsal is over."""
        whole, wires = self.whole, self.wires
        found: Figures = {
            "limit_violations": wires.limits.total,
            "reentry_step": wires.reentry,
            "mirror_error": wires.mismatch,
            "rest_s": wires.rest_s(),
            "currents_s": wires.currents_s(),
            "off_s": wires.off_s(),
            "hand_powered": int(wires.powered),
            "cabinet_protocol_errors": whole.cell.cabinet.protocol_errors,
            "hand_protocol_errors": len(whole.cell.hand.protocol_errors),
            "guardian_trips": int(whole.guardian_status.record["trips"]),
        }
        for part in ("arm", "hand"):
            status = whole.status(part)
            code = FAULTS_BY_NUMBER.get(int(status["fault_code"]))
            found[f"{part}_state"] = State(int(status["state"])).name.lower()
            found[f"{part}_fault"] = code.code if code else ""
            found[f"{part}_faults"] = int(status["fault_number"])
            found[f"{part}_guard_holds"] = int(status["count_guard_holds"])
        gateway = whole.gateway
        found["server_state"] = gateway.view.state.name.lower()
        found["lease_epoch"] = gateway.lease.epoch
        found |= {f"count_{code}": count for code, count in gateway.counters.items()}
        self.close()
        report = inspect_log(whole.log_folder)
        return found | {"log_wrong": len(report.wrong), "log_lost": report.lost} | self.notes

    def close(self) -> None:
        """End everything."""
        for each in self._strangers:
            each.close()
        self._strangers = []
        self.whole.close()


def through(seconds: float) -> Callable[[Scene], None]:
    """Follow, with something happening at 2 s, for so long [s] after it; nobody acknowledges anything."""

    def play(scene: Scene) -> None:
        scene.tracking(0.5)
        scene.follow(scene.until(_AT))
        scene.mark()
        scene.follow(seconds)

    return play
