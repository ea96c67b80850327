"""A ``ResidualSpec`` evaluated with NumPy.

In:  features of the joints, newest last.   Out: (J) correction in the unit of the spec's output, and how far to trust it.
Not here: its bounds (residual), where features come from and what the output is added to (loops.residual).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from h2s2r_hw.config import ResidualCfg
from h2s2r_schemas.artifacts.policies import ResidualSpec
from h2s2r_schemas.errors import SchemaError

#: What a spec may ask for, per joint.
FEATURES = ("joint_pos", "joint_vel", "joint_torque", "joint_pos_target", "joint_pos_error")
#: Part of the range of an input seen in training within which, outside it, the correction fades to zero.
FADE = 0.2


def _relu(values: np.ndarray) -> np.ndarray:
    return np.maximum(values, 0.0)


def _elu(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0.0, values, np.expm1(np.minimum(values, 0.0)))


_ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"tanh": np.tanh, "relu": _relu, "elu": _elu}


class Network:
    """One model with the past of its inputs.

    Args:
        spec: the model.
        robot_hash: of the robot it would correct.
        cfg: which clamps are refused.

    Raises:
        SchemaError: it is for another robot, asks for features there are none of, corrects what no driver here takes, or wants
            a larger bound than is allowed.
    """

    def __init__(self, spec: ResidualSpec, robot_hash: str, cfg: ResidualCfg) -> None:
        _check(spec, robot_hash, cfg)
        self.spec = spec
        """The model."""
        self.warning = spec.clamp_fraction > cfg.warn_fraction
        """Whether its bound is larger than is usual."""
        self._weights = [(layer.weight, layer.bias) for layer in spec.layers]
        self._activation = _ACTIVATIONS[spec.activation]
        width = len(spec.joint_names) * len(spec.features)
        self._past = np.zeros((spec.history, width))
        self._filled = 0
        self._span = FADE * np.maximum(spec.input_upper - spec.input_lower, 1e-9)

    def forget(self) -> None:
        """The past belongs to another motion."""
        self._filled = 0

    def evaluate(self, features: Mapping[str, np.ndarray]) -> tuple[np.ndarray, float]:
        """(J) correction, and its gain 0 … 1, from one tick's (J) arrays of all ``FEATURES`` in the spec's joint order.

        Before enough ticks have been seen, the first one stands for those that are missing.
        """
        now = np.stack([features[name] for name in self.spec.features], axis=-1).ravel()
        self._past[:-1] = self._past[1:]
        self._past[-1] = now
        if not self._filled:
            self._past[:] = now
        self._filled = 1
        inputs = self._past.ravel()
        nothing = np.zeros(len(self.spec.joint_names))
        if not self._weights:
            return nothing, 1.0
        outside = np.maximum(self.spec.input_lower - inputs, inputs - self.spec.input_upper) / self._span
        worst = float(outside.max())
        # Not a number in, nothing out.
        if math.isnan(worst) or worst >= 1.0:
            return nothing, 0.0
        gain = min(1.0, 1.0 - worst)
        values = (inputs - self.spec.input_mean) / self.spec.input_std
        for weight, bias in self._weights[:-1]:
            values = self._activation(weight @ values + bias)
        weight, bias = self._weights[-1]
        return (weight @ values + bias) * self.spec.output_scale, gain


def _check(spec: ResidualSpec, robot_hash: str, cfg: ResidualCfg) -> None:
    if spec.robot_hash != robot_hash:
        raise SchemaError(f"The correction {spec.name} is for robot {spec.robot_hash}; this one is {robot_hash}.")
    unknown = [name for name in spec.features if name not in FEATURES]
    if unknown:
        raise SchemaError(
            f"The correction {spec.name} asks for {', '.join(unknown)}; there are: {', '.join(FEATURES)}."
        )
    if spec.output not in ("joint_torque", "joint_pos_target"):
        raise SchemaError(
            f"The correction {spec.name} corrects {spec.output}; this server takes joint_torque and joint_pos_target."
        )
    if spec.clamp_fraction > cfg.refuse_fraction and not cfg.override:
        raise SchemaError(
            f"The correction {spec.name} may be {spec.clamp_fraction:.0%} of a limit; more than {cfg.refuse_fraction:.0%} is "
            "refused. Fit a better baseline, or set residual.override if you know what you do."
        )
