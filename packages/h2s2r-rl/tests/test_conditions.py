"""Success over noise, pushes, placements and other physics: what is asked of the environment, and what is made of it."""

import numpy as np
import pytest

from h2s2r_rl.evaluate import Evaluation, Trial
from h2s2r_rl.evaluate import transfer as transfer_module
from h2s2r_rl.evaluate.conditions import grid, over_noise, over_placements, over_pushes, scaled
from h2s2r_rl.evaluate.transfer import CHECKS, Transfer, check_transfer
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.perturbation import STANDARD
from h2s2r_sim.task import load_task

CFG = EnvCfg(start=StartCfg(pool=24, min_valid=0.05), num_threads=1)


class Still:
    """Does nothing."""

    def reset(self, env_ids=None):
        pass

    def act(self, obs):
        return np.zeros((len(obs), 11))


def evaluation(successes, episodes=10):
    return Evaluation(episodes, successes, {}, 0, 0.0, 0.0)


def test_noise_of_the_camera_is_multiplied_and_nothing_else():
    twice = scaled(STANDARD, 2.0, ("position_noise", "outliers"))
    assert twice == STANDARD.replace(position_noise=0.02, outliers=0.04)
    assert scaled(STANDARD, 100.0, ("outliers",)).outliers == 1.0
    assert scaled(STANDARD, 1.0, ("position_noise",)) == STANDARD
    with pytest.raises(SchemaError, match="0 or more"):
        scaled(STANDARD, -1.0, ("outliers",))


@pytest.mark.requirement("H50")
@pytest.mark.parametrize("over", [over_noise, over_pushes])
def test_curves_have_a_point_for_each_factor(over):
    points = over(Still(), load_task("snackbox_push"), "iiwa14_allegro", CFG, episodes=2, seed=5, factors=(0.0, 2.0))
    assert [point.factor for point in points] == [0.0, 2.0]
    assert [point.found.episodes for point in points] == [2, 2]


def trial(x, y, success):
    return Trial(success, "" if success else "stuck", (1.0, 0.0, 0.0, 0.0, x, y, 0.1))


def test_episodes_count_in_the_cell_they_began_in():
    trials = [trial(1.05, 2.05, True), trial(1.05, 2.05, False), trial(0.95, 2.0, True), trial(5.0, 2.05, False)]
    cells = {(round(cell.x, 3), round(cell.y, 3)): cell for cell in grid(trials, np.array([1.0, 2.0]), 0.06, 3)}
    assert len(cells) == 9
    assert (cells[0.04, 0.04].episodes, cells[0.04, 0.04].successes) == (3, 1)
    assert (cells[-0.04, 0.0].episodes, cells[-0.04, 0.0].successes) == (1, 1)
    assert cells[0.0, 0.0].interval is None
    with pytest.raises(SchemaError, match="do not say"):
        grid([Trial(True, "", None)], np.zeros(2), 0.1, 2)


@pytest.mark.requirement("H54")
def test_placements_reach_further_than_the_starts_of_training():
    task = load_task("snackbox_push")
    cells = over_placements(Still(), task, "iiwa14_allegro", CFG, episodes=12, seed=5, reach=0.1, cells=3)
    assert sum(cell.episodes for cell in cells) == 12
    assert sum(cell.episodes for cell in cells if max(abs(cell.x), abs(cell.y)) > 0.05) > 0


@pytest.mark.requirement("H29")
def test_each_check_changes_what_it_names_and_runs():
    task = load_task("snackbox_push")
    found = check_transfer(Still(), task, "iiwa14_allegro", CFG, episodes=1, seed=5, nominal=evaluation(1, 1))
    assert list(found.checks) == list(CHECKS)
    assert found.drop == 1.0

    changed = {name: change(task, CFG) for name, change in CHECKS.items()}
    assert changed["half_step"][1].decimation == 2 * CFG.decimation
    assert changed["elliptic_cone"][1].scene.cone == "elliptic"
    assert changed["stiffer_friction"][1].scene.impratio == 10.0
    assert changed["later_pictures"][1].perturbation.camera_delay == pytest.approx(0.09)
    heavy, slippery = changed["slippery_and_heavy"]
    assert heavy.object.mass == pytest.approx(1.3 * task.object.mass)
    assert heavy.object.friction == pytest.approx(0.7 * task.object.friction)
    assert slippery.scene.hand_friction == pytest.approx(0.7 * CFG.scene.hand_friction)
    assert slippery.perturbation.friction == slippery.perturbation.mass == 0.0
    together = changed["everything"]
    assert together[0] == heavy
    assert (together[1].scene.sim_dt, together[1].scene.cone, together[1].scene.integrator) == (
        CFG.scene.sim_dt / 2,
        "elliptic",
        "implicit",
    )


def test_the_drop_is_that_of_the_worst_check():
    assert Transfer(evaluation(9), {"a": evaluation(8), "b": evaluation(5)}).drop == pytest.approx(0.4)


def test_unknown_checks_are_refused(monkeypatch):
    monkeypatch.setattr(transfer_module, "evaluate", lambda *arguments: pytest.fail("nothing is to be judged"))
    for checks in (("earthquake",), ()):
        with pytest.raises(SchemaError, match="half_step"):
            check_transfer(Still(), load_task("snackbox_push"), "iiwa14_allegro", CFG, checks=checks)
