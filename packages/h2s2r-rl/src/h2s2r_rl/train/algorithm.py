"""Our configuration as rsl_rl's.

In:  ``TrainCfg``.   Out: the dictionary that rsl_rl's ``OnPolicyRunner`` takes.
Not here: running it (learner).
"""

from __future__ import annotations

from typing import Any

from h2s2r_rl.config import TrainCfg


def rsl_rl_config(cfg: TrainCfg) -> dict[str, Any]:
    """For ``OnPolicyRunner``: PPO, an actor that sees what the robot has, a critic that sees the state."""
    return {
        "num_steps_per_env": cfg.steps_per_iteration,
        # Checkpoints are written by our learner.
        "save_interval": 10**9,
        "check_for_nan": True,
        "obs_groups": {"actor": ["actor"], "critic": ["critic"]},
        "actor": actor_config(cfg),
        "critic": _network(cfg),
        "algorithm": {
            "class_name": "PPO",
            "num_learning_epochs": cfg.epochs,
            "num_mini_batches": cfg.mini_batches,
            "clip_param": cfg.clip,
            "gamma": cfg.gamma,
            "lam": cfg.gae_lambda,
            "value_loss_coef": 1.0,
            "use_clipped_value_loss": False,
            "entropy_coef": 0.0,
            "learning_rate": cfg.learning_rate,
            "max_grad_norm": cfg.max_grad_norm,
            "schedule": "fixed",
            "rnd_cfg": None,
            "symmetry_cfg": None,
        },
    }


def actor_config(cfg: TrainCfg) -> dict[str, Any]:
    """Of the actor's network, with the class that rsl_rl builds it by."""
    distribution = {"class_name": "GaussianDistribution", "init_std": cfg.init_std, "std_type": "log"}
    memory = {"class_name": "RNNModel", "rnn_type": "lstm", "rnn_hidden_dim": cfg.memory, "rnn_num_layers": 1}
    return {**_network(cfg), "distribution_cfg": distribution, **(memory if cfg.memory else {})}


def _network(cfg: TrainCfg) -> dict[str, Any]:
    return {"class_name": "MLPModel", "hidden_dims": list(cfg.hidden), "activation": "elu", "obs_normalization": True}
