"""Forward kinematics and Jacobians: against MuJoCo, pinocchio, pytorch-kinematics and finite differences.

In:  every robot folder, small robots of every kind of joint.   Out: agreement.
Not here: inverse kinematics (test_solver).
"""

from pathlib import Path

import numpy as np
import pytest
from robots_for_tests import ALL_KINDS, ARM, HAND

import h2s2r_retarget
from h2s2r_retarget.kinematics import Chain, read_urdf
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

FOLDERS = sorted((Path(h2s2r_retarget.__file__).parent / "robots").glob("*/robot.urdf"))
URDFS = {"all_kinds": ALL_KINDS, "arm": ARM, "hand": HAND, **{path.parent.name: path.read_text() for path in FOLDERS}}


def within_limits(chain: Chain, num: int, seed: int = 0) -> np.ndarray:
    """Random joint positions (num, J); a joint without limits gets a turn and a half."""
    lower, upper = np.maximum(chain.lower, -4.7), np.minimum(chain.upper, 4.7)
    return np.random.default_rng(seed).uniform(lower, upper, (num, len(chain.joint_names)))


def every_link(urdf: str) -> Chain:
    return Chain.from_urdf(urdf, read_urdf(urdf).links)


def positions_of_all(chain: Chain, joint_pos: np.ndarray) -> dict[str, float]:
    """The position of every movable joint, mimics included, from one configuration (J)."""
    position = dict(zip(chain.joint_names, joint_pos.tolist(), strict=True))
    for joint in chain.model.joints:
        if joint.mimic is not None:
            position[joint.name] = joint.mimic.multiplier * position[joint.mimic.joint] + joint.mimic.offset
    return position


# ── outside witnesses ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", sorted(URDFS))
def test_every_link_stands_where_mujoco_puts_it(name):
    mujoco = pytest.importorskip("mujoco")
    options = (
        '<mujoco><compiler fusestatic="false" boundmass="0.01" boundinertia="0.01" discardvisual="true"/></mujoco>'
    )
    xml = URDFS[name].split("?>", 1)[-1].replace("</robot>", options + "</robot>")
    model = mujoco.MjModel.from_xml_string(xml)
    data = mujoco.MjData(model)
    chain = every_link(URDFS[name])
    for joint_pos in within_limits(chain, 5):
        for joint, position in positions_of_all(chain, joint_pos).items():
            data.joint(joint).qpos[0] = position
        mujoco.mj_kinematics(model, data)
        frames = chain.matrices(joint_pos)
        for link, frame in zip(chain.frames[1:], frames[1:], strict=True):
            np.testing.assert_allclose(frame[:3, 3], data.body(link).xpos, atol=1e-9)
            np.testing.assert_allclose(frame[:3, :3].ravel(), data.body(link).xmat, atol=1e-9)


@pytest.mark.parametrize("name", sorted(URDFS))
def test_every_link_stands_and_moves_as_in_pinocchio(name):
    pinocchio = pytest.importorskip("pinocchio")
    model = pinocchio.buildModelFromXML(URDFS[name].split("?>", 1)[-1])
    data = model.createData()
    chain = every_link(URDFS[name])
    for joint_pos in within_limits(chain, 3):
        q = pinocchio.neutral(model)
        columns = {}
        for joint, position in positions_of_all(chain, joint_pos).items():
            entry = model.joints[model.getJointId(joint)]
            # pinocchio keeps a continuous joint as cosine and sine.
            q[entry.idx_q : entry.idx_q + entry.nq] = (
                position if entry.nq == 1 else (np.cos(position), np.sin(position))
            )
            columns[joint] = entry.idx_v
        pinocchio.computeJointJacobians(model, data, q)
        pinocchio.updateFramePlacements(model, data)
        frames, jacobians = chain.matrices(joint_pos), chain.jacobian(joint_pos)
        for link, frame, jacobian in zip(chain.frames, frames, jacobians, strict=True):
            index = model.getFrameId(link, pinocchio.FrameType.BODY)
            np.testing.assert_allclose(frame, data.oMf[index].homogeneous, atol=1e-12)
            theirs = pinocchio.getFrameJacobian(model, data, index, pinocchio.LOCAL_WORLD_ALIGNED)
            ours = np.zeros_like(jacobian)
            for joint, column in columns.items():
                for j, free in enumerate(chain.joint_names):
                    ours[:, j] += theirs[:, column] * _share(chain, joint, free)
            np.testing.assert_allclose(jacobian, ours, atol=1e-12)


def _share(chain: Chain, joint: str, free: str) -> float:
    """How far ``joint`` moves for one unit of ``free``."""
    mimic = chain.model.joint(joint).mimic
    if mimic is None:
        return float(joint == free)
    return mimic.multiplier * float(mimic.joint == free)


@pytest.mark.parametrize("name", ["arm", "hand"])
def test_pytorch_kinematics_there_and_back(name):
    torch = pytest.importorskip("torch")
    pytest.importorskip("pytorch_kinematics")
    chain = Chain.from_urdf(URDFS[name])
    joint_pos = within_limits(chain, 20)
    theirs = chain.to_pytorch_kinematics()
    named = {joint: torch.tensor(joint_pos[:, j]) for j, joint in enumerate(chain.joint_names)}
    found = theirs.forward_kinematics(named)
    for f, frame in enumerate(chain.frames):
        np.testing.assert_allclose(found[frame].get_matrix().numpy(), chain.matrices(joint_pos)[:, f], atol=1e-12)
    back = Chain.from_pytorch_kinematics(theirs)
    np.testing.assert_allclose(
        back.matrices(back.order(joint_pos, chain.joint_names)), chain.matrices(joint_pos), atol=1e-12
    )
    np.testing.assert_allclose(back.upper, back.order(chain.upper, chain.joint_names))


def test_pytorch_kinematics_from_its_own_reader():
    pk = pytest.importorskip("pytorch_kinematics")
    torch = pytest.importorskip("torch")
    theirs = pk.build_serial_chain_from_urdf(ARM, "tip").to(dtype=torch.float64)
    chain = Chain.from_pytorch_kinematics(theirs)
    joint_pos = within_limits(chain, 20)
    found = theirs.forward_kinematics(torch.tensor(joint_pos)).get_matrix().numpy()
    # Their reader rounds the fixed transforms to float32.
    np.testing.assert_allclose(chain.matrices(joint_pos)[:, 0], found, atol=1e-6)
    assert chain.joint_names == Chain.from_urdf(ARM).joint_names


def test_pytorch_kinematics_has_no_mimic():
    pytest.importorskip("pytorch_kinematics")
    with pytest.raises(SchemaError, match=r"right_slide.*mimic"):
        Chain.from_urdf(ALL_KINDS).to_pytorch_kinematics()


def test_frozen_joints_are_fixed_in_pytorch_kinematics():
    torch = pytest.importorskip("torch")
    pytest.importorskip("pytorch_kinematics")
    chain = Chain.from_urdf(ALL_KINDS, ["palm"], frozen={"lift": 0.3})
    joint_pos = within_limits(chain, 4)
    theirs = chain.to_pytorch_kinematics(dtype=torch.float64)
    named = {joint: torch.tensor(joint_pos[:, j]) for j, joint in enumerate(chain.joint_names)}
    np.testing.assert_allclose(
        theirs.forward_kinematics(named)["palm"].get_matrix().numpy(), chain.matrices(joint_pos)[:, 0], atol=1e-12
    )


# ── Jacobians ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", sorted(URDFS))
@pytest.mark.parametrize("carried", [False, True])
def test_jacobian_is_the_derivative(name, carried):
    chain = every_link(URDFS[name])
    joint_pos, small = within_limits(chain, 3), 1e-6
    offset = np.random.default_rng(1).normal(0, 0.1, (len(chain.frames), 3)) * carried
    jacobian = chain.jacobian(joint_pos, offset if carried else None)

    def points_and_rotations(q):
        frames = chain.matrices(q)
        return (frames[..., :3, :3] @ offset[..., None])[..., 0] + frames[..., :3, 3], frames[..., :3, :3]

    _, rotations = points_and_rotations(joint_pos)
    for j in range(joint_pos.shape[1]):
        step = np.zeros_like(joint_pos)
        step[:, j] = small
        (ahead, ahead_rotations), (behind, behind_rotations) = (
            points_and_rotations(joint_pos + step),
            points_and_rotations(joint_pos - step),
        )
        np.testing.assert_allclose(jacobian[..., :3, j], (ahead - behind) / (2 * small), atol=1e-8)
        spin = (ahead_rotations - behind_rotations) / (2 * small) @ np.swapaxes(rotations, -1, -2)
        turn = np.stack((spin[..., 2, 1], spin[..., 0, 2], spin[..., 1, 0]), -1)
        np.testing.assert_allclose(jacobian[..., 3:, j], turn, atol=1e-8)


# ── what a chain is ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_mimic_joints_narrow_the_limits_of_what_they_follow():
    chain = Chain.from_urdf(ALL_KINDS)
    assert chain.joint_names == ("turntable", "lift", "wrist", "left_slide")
    # right_slide = -left_slide stays within [-0.04, 0]; flap_hinge = 0.5 wrist + 0.2 stays within [-3, 3].
    np.testing.assert_allclose(chain.lower, [-np.inf, -0.1, -1.5, 0.0])
    np.testing.assert_allclose(chain.upper, [np.inf, 0.4, 1.2, 0.04])
    closed = chain.forward(np.zeros(4), "right_pad").translation - chain.forward(np.zeros(4), "tip").translation
    opened = np.array([0, 0, 0, 0.03])
    apart = chain.forward(opened, "right_pad").translation - chain.forward(opened, "tip").translation
    np.testing.assert_allclose(np.linalg.norm(apart - closed), 0.06, atol=1e-12)


def test_a_mimic_that_leaves_no_position_is_refused():
    with pytest.raises(SchemaError, match="share no position"):
        Chain.from_urdf(ALL_KINDS.replace('lower="-0.04" upper="0"', 'lower="0.1" upper="0.2"'))


def test_mimics_in_a_circle_are_refused():
    circle = ALL_KINDS.replace(
        '<limit lower="0" upper="0.05" effort="10" velocity="0.2"/>',
        '<limit lower="0" upper="0.05"/><mimic joint="right_slide"/>',
    )
    with pytest.raises(SchemaError, match="in a circle"):
        Chain.from_urdf(circle)


def test_joint_order_is_by_name():
    chain = Chain.from_urdf(ALL_KINDS)
    names = ("wrist", "left_slide", "turntable", "lift")
    other = Chain.from_urdf(ALL_KINDS, joint_names=names)
    joint_pos = within_limits(chain, 5)
    reordered = other.order(joint_pos, chain.joint_names)
    np.testing.assert_array_equal(reordered, joint_pos[:, [2, 3, 0, 1]])
    np.testing.assert_allclose(other.matrices(reordered), chain.matrices(joint_pos), atol=1e-15)
    back = [names.index(name) for name in chain.joint_names]
    np.testing.assert_allclose(other.jacobian(reordered)[..., back], chain.jacobian(joint_pos), atol=1e-15)
    with pytest.raises(SchemaError, match="lift"):
        chain.order(joint_pos[:, :3], ("turntable", "wrist", "left_slide"))


def test_frozen_joints_stay_and_named_idle_joints_do_nothing():
    whole, part = Chain.from_urdf(ARM), Chain.from_urdf(ARM, frozen={"joint4": -1.2, "joint7": 0.5})
    assert part.joint_names == ("joint1", "joint2", "joint3", "joint5", "joint6")
    joint_pos = within_limits(part, 4)
    filled = np.insert(joint_pos, [3, 5], [-1.2, 0.5], axis=1)
    np.testing.assert_allclose(part.matrices(joint_pos), whole.matrices(filled), atol=1e-15)
    elbow = Chain.from_urdf(ARM, ["link4"], joint_names=whole.joint_names)
    assert not elbow.jacobian(filled)[..., 4:].any() and elbow.jacobian(filled)[..., :3].any()


def test_root_and_frames_are_chosen_by_name():
    whole, part = Chain.from_urdf(ARM, ["link3", "tip"]), Chain.from_urdf(ARM, ["tip"], root="link3")
    joint_pos = within_limits(whole, 3)
    Ts_root_frame = whole.forward(joint_pos)
    expected = (Ts_root_frame[:, 0].inv() @ Ts_root_frame[:, 1]).as_matrix()
    np.testing.assert_allclose(part.forward(joint_pos[:, 3:], "tip").as_matrix(), expected, atol=1e-12)
    np.testing.assert_allclose(
        Chain.from_urdf(ARM, ["link0", "tip"]).matrices(joint_pos)[:, 0], np.tile(np.eye(4), (3, 1, 1))
    )


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"frames": ["hand"]}, "no link 'hand'"),
        ({"frames": []}, "list of link names"),
        ({"frames": "tip"}, "list of link names"),
        ({"root": "tip", "frames": ["link1"]}, "does not hang from"),
        ({"joint_names": ["joint1"]}, "leaves out"),
        ({"joint_names": ["joint1", "joint9"]}, "joint9"),
        ({"frozen": {"joint1": 3.0}}, "outside its limits"),
        ({"joint_names": [f"joint{i}" for i in range(1, 8)], "frozen": {"joint1": 0.0}}, "named twice"),
    ],
)
def test_wrong_choices_are_refused(options, reason):
    with pytest.raises(SchemaError, match=reason):
        Chain.from_urdf(ARM, **options)


def test_mimic_joints_are_not_set_by_hand():
    with pytest.raises(SchemaError, match="follows 'left_slide'"):
        Chain.from_urdf(ALL_KINDS, joint_names=["turntable", "lift", "wrist", "right_slide"])


def test_wrong_shapes_are_refused_with_the_joints():
    chain = Chain.from_urdf(HAND)
    with pytest.raises(SchemaError, match=r"\(3, 7\).*8 joints.*index_0_joint"):
        chain.forward(np.zeros((3, 7)))
    with pytest.raises(SchemaError, match="does not follow 'thumb'"):
        chain.forward(np.zeros(8), "thumb")


def test_limits():
    chain = Chain.from_urdf(ALL_KINDS)
    outside = np.array([[9.0, -9.0, 9.0, 9.0]])
    np.testing.assert_allclose(chain.clip(outside), [[9.0, -0.1, 1.2, 0.04]])
    assert chain.at_limit(chain.clip(outside)).tolist() == [[False, True, True, True]]
    lower, upper = chain.limits(np.zeros(0, np.float32))
    assert lower.dtype == np.float32
    assert (lower.astype(float) >= chain.lower).all() and (upper.astype(float) <= chain.upper).all()


# ── kinds of arrays ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["all_kinds", "arm", "hand"])
@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3)])
def test_batches_are_single_configurations_side_by_side(name, shape):
    chain = Chain.from_urdf(URDFS[name])
    joint_pos = within_limits(chain, max(1, int(np.prod(shape)))).reshape(*shape, -1)
    frames, jacobian = chain.matrices(joint_pos), chain.jacobian(joint_pos)
    assert frames.shape == (*shape, len(chain.frames), 4, 4)
    assert jacobian.shape == (*shape, len(chain.frames), 6, len(chain.joint_names))
    for index in np.ndindex(*shape):
        np.testing.assert_allclose(frames[index], chain.matrices(joint_pos[index]), atol=1e-14)
        np.testing.assert_allclose(jacobian[index], chain.jacobian(joint_pos[index]), atol=1e-14)
    assert isinstance(chain.forward(joint_pos), SE3) and chain.forward(joint_pos).batch == (*shape, len(chain.frames))


@pytest.mark.parametrize("name", sorted(URDFS))
def test_float32_is_good_to_a_micrometre(name):
    chain = every_link(URDFS[name])
    joint_pos = within_limits(chain, 200).astype(np.float32)
    narrow = chain.matrices(joint_pos)
    assert narrow.dtype == np.float32 and chain.jacobian(joint_pos).dtype == np.float32
    np.testing.assert_allclose(narrow, chain.matrices(joint_pos.astype(np.float64)), atol=2e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["all_kinds", "arm", "hand"])
def test_the_same_lines_on_tensors(name, dtype):
    torch = pytest.importorskip("torch")
    chain = Chain.from_urdf(URDFS[name])
    joint_pos = within_limits(chain, 6).reshape(2, 3, -1).astype(dtype)
    tensor = torch.tensor(joint_pos)
    # Both libraries sum in their own order.
    same = {"atol": 1e-14 if dtype == "float64" else 1e-6}
    for ours, theirs in (
        (chain.matrices(joint_pos), chain.matrices(tensor)),
        (chain.jacobian(joint_pos), chain.jacobian(tensor)),
        (chain.forward(joint_pos).wxyz_xyz, chain.forward(tensor).wxyz_xyz),
        (chain.clip(joint_pos), chain.clip(tensor)),
    ):
        assert torch.is_tensor(theirs) and str(theirs.dtype) == f"torch.{dtype}"
        np.testing.assert_allclose(theirs.numpy(), ours, **same)


def test_gradients_flow_through_tensors():
    torch = pytest.importorskip("torch")
    chain = Chain.from_urdf(ARM)
    joint_pos = torch.tensor(within_limits(chain, 1)[0], requires_grad=True)
    chain.matrices(joint_pos)[0, 2, 3].backward()
    np.testing.assert_allclose(joint_pos.grad.numpy(), chain.jacobian(joint_pos.detach().numpy())[0, 2], atol=1e-12)
