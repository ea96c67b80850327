"""The command line, from a training of seconds to a rollout."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("rsl_rl")
pytest.importorskip("onnx")

from h2s2r_rl.cli import main  # noqa: E402
from h2s2r_rl.config import fast  # noqa: E402
from h2s2r_rl.train import load_checkpoint  # noqa: E402
from h2s2r_schemas.artifacts import Rollout  # noqa: E402
from h2s2r_schemas.codec import load  # noqa: E402

SHORT = ["--num-envs", "8", "--steps", "512", "--threads", "1"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    assert main(["train", "snackbox_push", *SHORT, "--out", str(folder), "--tensorboard"]) == 0
    assert main(["export", str(folder / "policy.pt")]) == 0
    return folder


def test_train_writes_a_checkpoint_and_curves(trained):
    content = load_checkpoint(trained / "policy.pt")
    assert (content["task_name"], content["training"]["memory"]) == ("snackbox_push", fast().memory)
    assert list((trained / "curves").iterdir())


def test_train_does_not_lose_what_is_there(trained, capsys):
    before = (trained / "policy.pt").read_bytes()
    assert main(["train", "snackbox_push", *SHORT, "--out", str(trained)]) == 2
    assert "--resume" in capsys.readouterr().err
    assert main(["train", "snackbox_push", *SHORT, "--out", str(trained), "--resume", "--seed", "1"]) == 2
    assert "seed 0, now 1" in capsys.readouterr().err
    assert (trained / "policy.pt").read_bytes() == before
    assert main(["train", "snackbox_push", *SHORT, "--out", str(trained), "--resume"]) == 0


@pytest.mark.parametrize("policy", ["policy.pt", "exported"])
def test_evaluate(trained, policy, capsys):
    command = ["evaluate", str(trained / policy), "--seed", "2000000", "--episodes", "8", "--threads", "1"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "of 8 episodes" in said and "noise: standard; seed: 2000000" in said
    assert main([*command, "--robot", "iiwa14_leap"]) == 2
    assert "was trained on robot 'iiwa14_allegro'" in capsys.readouterr().err


def test_run(trained, tmp_path, capsys):
    out = tmp_path / "rollout.h2s"
    command = ["run", str(trained / "exported"), "--out", str(out), "--seed", "3"]
    # A policy of a few steps does not succeed, and the exit status says so.
    assert main(command) == 1
    assert "no success" in capsys.readouterr().out
    rollout = load(out, Rollout)
    assert (rollout.seed, rollout.success) == (3, False)
    assert main([*command, "--dry-run"]) == 0
    assert main([*command, "--embodiment", "iiwa14_leap"]) == 2
    assert "this robot has" in capsys.readouterr().err
    assert main([*command, "--robot", "tcp://127.0.0.1:5710"]) == 2
    assert "h2s2r-hw keys client" in capsys.readouterr().err
    assert main([*command, "--robot", "tcp://127.0.0.1:5710", "--keys", str(tmp_path)]) == 2
    assert "cannot be read as a key" in capsys.readouterr().err


def test_what_is_not_there(tmp_path, capsys):
    for arguments in (
        ["train", "juggle"],
        ["evaluate", str(tmp_path / "none.pt"), "--seed", "1"],
        ["export", str(tmp_path / "none.pt")],
        ["run", str(tmp_path)],
    ):
        assert main(arguments) == 2
    assert "snackbox_push" in capsys.readouterr().err
