"""Exported policies: the same actions without torch, and files that belong together."""

import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("rsl_rl")
pytest.importorskip("onnx")

from h2s2r_rl import export as export_module  # noqa: E402
from h2s2r_rl.config import TrainCfg  # noqa: E402
from h2s2r_rl.export import ExportError, export  # noqa: E402
from h2s2r_rl.policy import OnnxPolicy  # noqa: E402
from h2s2r_rl.train import Actor, learn  # noqa: E402
from h2s2r_schemas.artifacts import TaskSpec  # noqa: E402
from h2s2r_schemas.codec import load  # noqa: E402
from h2s2r_schemas.errors import SchemaError  # noqa: E402
from h2s2r_schemas.testing import PointMassEnv, check_policy  # noqa: E402

CFG = TrainCfg(steps=64 * 8, num_envs=4, steps_per_iteration=8, mini_batches=2, epochs=1, hidden=(16, 8))


@pytest.fixture(scope="module", params=[0, 12], ids=["without_memory", "with_memory"])
def exported(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    learn(PointMassEnv(4), TrainCfg(**{**vars(CFG), "memory": request.param}), folder)
    return folder, export(folder / "policy.pt", folder / "out")


@pytest.mark.requirement("H23")
def test_it_acts_as_the_trained_one_for_1000_steps(exported):
    """By the whole policies; export itself compares with rsl_rl's network."""
    folder, _ = exported
    actor, policy = Actor.load(folder / "policy.pt"), OnnxPolicy.load(folder / "out")
    rng = np.random.default_rng(5)
    for step in range(1000):
        obs = rng.normal(scale=0.3, size=(2, 6)).astype(np.float32)
        np.testing.assert_allclose(policy.act(obs), actor.act(obs), atol=1e-5)
        if step % 90 == 0:
            policy.reset([1])
            actor.reset([1])


def test_it_keeps_the_contract(exported):
    check_policy(lambda: OnnxPolicy.load(exported[0] / "out"))


def test_it_says_what_it_is_for(exported):
    folder, spec = exported
    env = PointMassEnv(4)
    assert OnnxPolicy.load(folder / "out").spec == spec
    assert (spec.task_name, spec.robot_hash, spec.num_actions) == ("fake", env.robot.hash(), 3)
    assert spec.training["steps"] == CFG.steps
    assert load(folder / "out" / "task.h2s", TaskSpec) == env.task


def test_a_policy_that_acts_differently_is_not_written(exported, tmp_path, monkeypatch):
    folder, _ = exported
    real = export_module.bare

    def wrong(model):
        network = real(model)
        with torch.no_grad():
            network.mlp[0].bias += 0.1
        return network

    monkeypatch.setattr(export_module, "bare", wrong)
    with pytest.raises(ExportError, match="differ by up to"):
        export(folder / "policy.pt", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_network_of_another_export_is_refused(exported, tmp_path):
    folder, _ = exported
    (tmp_path / "policy.h2s").write_bytes((folder / "out" / "policy.h2s").read_bytes())
    (tmp_path / "policy.onnx").write_bytes((folder / "out" / "policy.onnx").read_bytes() + b" ")
    with pytest.raises(SchemaError, match="do not belong together"):
        OnnxPolicy.load(tmp_path)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="h2s2r-rl export"):
        OnnxPolicy.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="train first"):
        export(tmp_path / "policy.pt", tmp_path)


def test_running_one_needs_no_torch(exported, tmp_path):
    """In a Python in which torch cannot be imported."""
    import os
    import subprocess

    script = (
        "import sys; sys.modules.update(torch=None, rsl_rl=None, onnx=None, tensordict=None); import numpy as np;"
        "from h2s2r_rl.policy import OnnxPolicy;"
        f"print(OnnxPolicy.load({str(exported[0] / 'out')!r}).act(np.zeros((2, 6))).shape)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "(2, 3)", done.stderr
