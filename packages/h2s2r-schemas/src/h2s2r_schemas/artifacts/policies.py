"""What was learned: a policy, and a bounded correction of commands.

In:  layouts, normalisers, weights or the hash of the file that holds them.   Out: ``PolicySpec``, ``ResidualSpec``.
Not here: running them (rl, hw), training them (rl).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from h2s2r_schemas.codec.array_spec import ArraySpec
from h2s2r_schemas.codec.message import Message, MessagesSpec, field, message
from h2s2r_schemas.codec.specs import (
    DataSpec,
    FloatSpec,
    IntSpec,
    MappingSpec,
    OptionalSpec,
    TextSpec,
    TextsSpec,
)
from h2s2r_schemas.errors import SchemaError

_SHA256 = TextSpec(empty=False, max_length=64)


@message("h2s2r.ObsTerm", version=1)
class ObsTerm(Message):
    """One stretch of an observation vector."""

    name: str = field(TextSpec(empty=False, max_length=128))
    """Name of the observation function in ``h2s2r_sim.mdp.observations``."""
    size: int = field(IntSpec(1, 65536))
    """How many numbers it gives."""
    arguments: Mapping[str, Any] = field(DataSpec(), default_factory=dict)
    """Its configuration."""


@message("h2s2r.PolicySpec", version=1)
class PolicySpec(Message):
    """Everything a runner needs besides ``policy.onnx``: what the network sees, what its output means, at which rate."""

    name: str = field(TextSpec(empty=False, max_length=128))
    """Short name."""
    task_name: str = field(TextSpec(empty=False, max_length=128))
    """``TaskSpec.name`` it was trained for."""
    task_hash: str = field(_SHA256)
    """Content hash of that TaskSpec."""
    robot_name: str = field(TextSpec(empty=False, max_length=128))
    """``RobotSpec.name`` it was trained on."""
    robot_hash: str = field(_SHA256)
    """``RobotSpec.hash()`` it was trained on: a runner refuses any other."""
    joint_names: tuple[str, ...] = field(TextsSpec("J"))
    """(J) joint order inside observations and of the commanded targets."""
    control_hz: float = field(FloatSpec(1.0, 1000.0, "Hz"))
    """[Hz] at which it acts."""
    obs_layout: tuple[ObsTerm, ...] = field(MessagesSpec(ObsTerm, minimum=1))
    """Terms of the observation, in order; their sizes add up to O."""
    obs_mean: np.ndarray = field(ArraySpec(("O",)))
    """(O) subtracted from the observation before the network."""
    obs_std: np.ndarray = field(ArraySpec(("O",), minimum=1e-12))
    """(O) the observation is then divided by this."""
    obs_clip: float = field(FloatSpec(0.0))
    """Normalised observations are held within ± this; 0 for no limit."""
    num_actions: int = field(IntSpec(1, 4096))
    """A: size of the network's output."""
    action_map: Mapping[str, Any] = field(DataSpec())
    """Name and configuration of the action function in ``h2s2r_sim.mdp.actions``."""
    goal_clock: Mapping[str, Any] = field(DataSpec())
    """Configuration of the goal clock, as in training."""
    onnx_sha256: str = field(_SHA256)
    """SHA-256 of ``policy.onnx``, weights inside it."""
    hidden_size: int = field(IntSpec(0, 65536), default=0)
    """Size of each recurrent state (h and c of an LSTM layer); 0 for a network without memory."""
    num_layers: int = field(IntSpec(0, 64), default=0)
    """Number of recurrent layers."""
    training: Mapping[str, Any] = field(DataSpec(), default_factory=dict)
    """How it was made and how well it did: seeds, steps, noise level, success."""

    def check(self) -> None:
        total = sum(term.size for term in self.obs_layout)
        if total != len(self.obs_mean) or total != len(self.obs_std):
            raise SchemaError(
                f"The observation terms add up to {total}; the normaliser has {len(self.obs_mean)} and {len(self.obs_std)}."
            )
        if (self.hidden_size == 0) != (self.num_layers == 0):
            raise SchemaError(f"hidden_size {self.hidden_size} with {self.num_layers} recurrent layers.")


@message("h2s2r.Layer", version=1)
class Layer(Message):
    """One affine layer of a small network."""

    weight: np.ndarray = field(ArraySpec(("M", "N")))
    """(M, N): outputs, inputs."""
    bias: np.ndarray = field(ArraySpec(("M",)))
    """(M)"""


@message("h2s2r.ResidualSpec", version=1)
class ResidualSpec(Message):
    """A learned, bounded correction of commands: small enough to run in NumPy inside the robot server."""

    name: str = field(TextSpec(empty=False, max_length=128))
    """Short name."""
    robot_hash: str = field(_SHA256)
    """``RobotSpec.hash()`` of the robot it was fitted to."""
    joint_names: tuple[str, ...] = field(TextsSpec("J"))
    """(J) joints it corrects, in the order of its outputs."""
    output: str = field(TextSpec(("joint_torque", "joint_current", "joint_pos_target", "wheel_vel")))
    """Which command it corrects."""
    features: tuple[str, ...] = field(TextsSpec("G"))
    """(G) per-joint inputs by name, e.g. ``joint_pos``, ``joint_vel``, ``joint_acc_desired``."""
    history: int = field(IntSpec(1, 1024))
    """How many past ticks of the features it sees."""
    layers: tuple[Layer, ...] = field(MessagesSpec(Layer))
    """Affine layers with ``activation`` between them; none for the zero correction."""
    input_mean: np.ndarray = field(ArraySpec(("I",)))
    """(I) subtracted from the stacked inputs (J × G × history, newest last)."""
    input_std: np.ndarray = field(ArraySpec(("I",), minimum=1e-12))
    """(I) they are then divided by this."""
    input_lower: np.ndarray = field(ArraySpec(("I",)))
    """(I) smallest value seen in training: outside, the correction fades to zero."""
    input_upper: np.ndarray = field(ArraySpec(("I",)))
    """(I) largest value seen in training."""
    output_scale: np.ndarray = field(ArraySpec(("J",), minimum=0.0))
    """(J) unit of the last layer's outputs, in the unit of ``output``."""
    activation: str = field(TextSpec(("tanh", "relu", "elu")), default="tanh")
    """Between the layers."""
    clamp_fraction: float = field(FloatSpec(0.0, 1.0), default=0.15)
    """Largest correction as a part of the joint's limit; the server warns above 0.2 and refuses above 0.5."""
    data_sha256: str = field(TextSpec(max_length=64), default="")
    """Hash of the data it was fitted to."""
    parent: str = field(TextSpec(max_length=64), default="")
    """Content hash of the ResidualSpec it was fitted from, if any."""
    metrics: Mapping[str, float] = field(MappingSpec(FloatSpec()), default_factory=dict)
    """What was measured of it."""
    approved_by: str | None = field(OptionalSpec(TextSpec(empty=False, max_length=128)), default=None)
    """Who allowed it on a robot; none while nobody did."""

    def check(self) -> None:
        width = len(self.joint_names) * len(self.features) * self.history
        if len(self.input_mean) != width:
            raise SchemaError(f"{len(self.input_mean)} normalised inputs; joints × features × history gives {width}.")
        for layer in self.layers:
            if layer.weight.shape[1] != width:
                raise SchemaError(f"A layer takes {layer.weight.shape[1]} inputs; the one before gives {width}.")
            width = layer.weight.shape[0]
        if self.layers and width != len(self.joint_names):
            raise SchemaError(f"The last layer gives {width} numbers for {len(self.joint_names)} joints.")
