"""MuJoCo as the outside witness: it loads the same URDFs and agrees on poses, masses and distances.

In:  robot folders, MuJoCo.   Out: agreement.
Not here: properties that need no witness (test_robot_folders).
"""

from __future__ import annotations

import numpy as np
import pytest
from fourth_robot import write_fourth_robot

from h2s2r_retarget.benchmark.human import human_keypoints
from h2s2r_retarget.collision import CollisionModel, check_collisions, obstacle_of
from h2s2r_retarget.collision.detect import find_contacts
from h2s2r_retarget.embodiment import embodiment_names, load_embodiment
from h2s2r_retarget.result import MAX_PENETRATION, CollisionError, PalmUnreachableError
from h2s2r_retarget.retarget import retarget_hand
from h2s2r_schemas.artifacts import HandPose, Scene, SceneBody, Shape
from h2s2r_schemas.se3 import SE3

mujoco = pytest.importorskip("mujoco", reason="MuJoCo is the outside witness here")

ROBOTS = [(name, side) for name in embodiment_names() for side in ("right", "left")]


def _spec(embodiment):
    """The URDF as MuJoCo reads it: no balancing of inertias, no smallest mass."""
    # Fixed frames must stay bodies; MuJoCo reads this from an element of its own in the URDF.
    end = embodiment.urdf.index(">", embodiment.urdf.index("<robot")) + 1
    option = '<mujoco><compiler fusestatic="false"/></mujoco>'
    spec = mujoco.MjSpec.from_string(embodiment.urdf[:end] + option + embodiment.urdf[end:])
    assert not spec.compiler.balanceinertia and not spec.compiler.boundmass and not spec.compiler.boundinertia
    return spec


def _set(model, data, embodiment, joint_pos):
    for name, value in zip(embodiment.joint_names, joint_pos, strict=True):
        data.qpos[model.joint(name).qposadr[0]] = value
    for joint in embodiment.model.joints:
        if joint.mimic is not None:
            driver = joint_pos[embodiment.joint_names.index(joint.mimic.joint)]
            data.qpos[model.joint(joint.name).qposadr[0]] = joint.mimic.multiplier * driver + joint.mimic.offset
    mujoco.mj_kinematics(model, data)


def _random_positions(embodiment, count, seed):
    rng = np.random.default_rng(seed)
    return rng.uniform(embodiment.position_lower, embodiment.position_upper, (count, len(embodiment.joint_names)))


@pytest.mark.requirement("H26")
@pytest.mark.requirement("H27")
@pytest.mark.parametrize(("name", "side"), ROBOTS)
def test_poses_and_masses_agree(name, side):
    embodiment = load_embodiment(name, side)
    model = _spec(embodiment).compile()
    data = mujoco.MjData(model)
    links = [link for link in embodiment.model.links if link != embodiment.model.root]
    chain = embodiment.chain_of(links)
    for joint_pos in _random_positions(embodiment, 10, 1):
        _set(model, data, embodiment, joint_pos)
        ours = chain.forward(joint_pos)
        for link, T_world_link in zip(links, ours, strict=True):
            np.testing.assert_allclose(data.body(link).xpos, T_world_link.translation, atol=1e-9)
            np.testing.assert_allclose(data.body(link).xmat.reshape(3, 3), T_world_link.rotation_matrix(), atol=1e-9)
    for link in links:
        body = embodiment.links[link]
        assert model.body(link).mass[0] == pytest.approx(body.mass)
        principal = np.sort(model.body(link).inertia)
        np.testing.assert_allclose(principal, np.linalg.eigvalsh(body.inertia), rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize(("name", "side"), ROBOTS)
def test_limits_and_mimic_agree(name, side):
    embodiment = load_embodiment(name, side)
    model = _spec(embodiment).compile()
    for index, joint in enumerate(embodiment.joint_names):
        expected = (embodiment.position_lower[index], embodiment.position_upper[index])
        np.testing.assert_allclose(model.joint(joint).range, expected, atol=1e-9)
    mimics = sum(joint.mimic is not None for joint in embodiment.model.joints)
    assert model.neq == mimics


def _with_capsules(embodiment, collision):
    """The robot in MuJoCo with one MuJoCo capsule (or sphere) per capsule of ours."""
    spec = _spec(embodiment)
    for geom in list(spec.geoms):
        spec.delete(geom)
    capsules = collision.capsules
    for index, link in enumerate(capsules.links):
        body = spec.worldbody if link == embodiment.model.root else spec.body(link)
        start, end, radius = capsules.start[index], capsules.end[index], capsules.radius[index]
        if np.linalg.norm(end - start) < 1e-9:
            geom = body.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, pos=start, size=[radius, 0, 0])
        else:
            geom = body.add_geom(type=mujoco.mjtGeom.mjGEOM_CAPSULE, size=[radius, 0, 0])
            geom.fromto = [*start, *end]
        geom.name, geom.mass = f"capsule_{index}", 0.0
    return spec


def _root_is_world(model, embodiment):
    names = [model.body(index).name for index in range(model.nbody)]
    return embodiment.model.root not in names or np.allclose(model.body(embodiment.model.root).pos, 0)


@pytest.mark.parametrize(("name", "side"), ROBOTS)
def test_distances_of_capsules_agree(name, side):
    embodiment = load_embodiment(name, side)
    _compare_distances(embodiment)


def test_distances_agree_for_boxes_and_listed_capsules(tmp_path):
    embodiment = load_embodiment(write_fourth_robot(tmp_path))
    # MuJoCo would look for the mesh, which does not exist.
    urdf = embodiment.urdf.replace('<mesh filename="forearm.stl" />', '<sphere radius="0.01"/>')
    object.__setattr__(embodiment, "urdf", urdf)
    assert "forearm" not in embodiment.urdf
    _compare_distances(embodiment)


def _compare_distances(embodiment):
    collision = CollisionModel(embodiment)
    model = _with_capsules(embodiment, collision).compile()
    assert _root_is_world(model, embodiment)
    data = mujoco.MjData(model)
    compared = 0
    for joint_pos in _random_positions(embodiment, 12, 2):
        _set(model, data, embodiment, joint_pos)
        contacts = find_contacts(collision, joint_pos[None], (), 0.03)
        found = {
            (int(a), int(b)): d for a, b, d in zip(contacts.first, contacts.second, contacts.distance, strict=True)
        }
        for first, second in zip(*np.nonzero(collision.watched), strict=True):
            pair = (model.geom(f"capsule_{first}").id, model.geom(f"capsule_{second}").id)
            theirs = mujoco.mj_geomDistance(model, data, *pair, 0.05, None)
            if theirs < 0.03 - 1e-9:
                assert found[(first, second)] == pytest.approx(theirs, abs=1e-6)
                compared += 1
            else:
                assert found.get((first, second), 0.03) == pytest.approx(0.03, abs=1e-6)
    assert compared > 20


def test_a_cylinder_and_two_spheres_are_the_capsule_we_read():
    """MuJoCo measures the three shapes of the URDF one by one; the nearest of them is as near as our capsule."""
    embodiment = load_embodiment("iiwa14_allegro")
    collision = CollisionModel(embodiment)
    model = _spec(embodiment).compile()
    data = mujoco.MjData(model)
    of_link = {
        link: [g for g in range(model.ngeom) if model.body(model.geom_bodyid[g]).name == link]
        for link in embodiment.links
    }
    compared = 0
    for joint_pos in _random_positions(embodiment, 6, 3):
        _set(model, data, embodiment, joint_pos)
        contacts = find_contacts(collision, joint_pos[None], (), 0.02)
        ours: dict[tuple[str, str], float] = {}
        for a, b, distance in zip(contacts.first, contacts.second, contacts.distance, strict=True):
            pair = (collision.capsules.links[a], collision.capsules.links[b])
            ours[pair] = min(ours.get(pair, 1.0), distance)
        for (first, second), distance in ours.items():
            if distance > 1e-3:
                parts = [
                    mujoco.mj_geomDistance(model, data, a, b, 0.05, None)
                    for a in of_link[first]
                    for b in of_link[second]
                ]
                assert min(parts) == pytest.approx(distance, abs=2e-5)
                compared += 1
    assert compared > 20


@pytest.mark.parametrize("kind", ["box", "cylinder", "capsule", "sphere"])
def test_distances_to_obstacles_agree(kind):
    embodiment = load_embodiment("iiwa14_umi")
    collision = CollisionModel(embodiment)
    size = {"box": (0.2, 0.3, 0.1), "cylinder": (0.1, 0.2, 0), "capsule": (0.08, 0.2, 0), "sphere": (0.12, 0, 0)}[kind]
    T_world_thing = SE3.exp([0.45, 0.1, 0.35, 0.4, -0.7, 0.9])
    obstacle = obstacle_of("thing", Shape(kind=kind, size=size), T_world_thing)
    spec = _with_capsules(embodiment, collision)
    half = np.array(size) / 2 if kind == "box" else np.array([size[0], size[1] / 2, 0])
    geom = getattr(mujoco.mjtGeom, f"mjGEOM_{kind.upper()}")
    thing = spec.worldbody.add_geom(type=geom, size=half, pos=T_world_thing.translation, quat=T_world_thing.wxyz)
    thing.name = "thing"
    model = spec.compile()
    data = mujoco.MjData(model)
    apart = overlapping = 0
    for joint_pos in _random_positions(embodiment, 200, 4):
        _set(model, data, embodiment, joint_pos)
        contacts = find_contacts(collision, joint_pos[None], (obstacle,), 0.05)
        mine = contacts.second >= len(collision.capsules.links)
        for first, distance in zip(contacts.first[mine], contacts.distance[mine], strict=True):
            pair = (model.geom(f"capsule_{first}").id, model.geom("thing").id)
            theirs = mujoco.mj_geomDistance(model, data, *pair, 0.1, None)
            if theirs > 1e-4:
                assert distance == pytest.approx(theirs, abs=2e-5)
                apart += 1
            else:
                # Depths mean different things (how far to move apart, how deep the deepest point is); signs do not.
                assert distance < 1.5e-4
                overlapping += 1
    assert apart > 30 and overlapping > 30


def test_a_deep_report_names_the_pair_that_is_deepest():
    embodiment = load_embodiment("iiwa14_allegro")
    collision = CollisionModel(embodiment)
    model = _with_capsules(embodiment, collision).compile()
    data = mujoco.MjData(model)
    for joint_pos in _random_positions(embodiment, 30, 5):
        _set(model, data, embodiment, joint_pos)
        found = check_collisions(collision, joint_pos)
        deepest, names = 0.0, ("", "")
        for first, second in zip(*np.nonzero(collision.watched & ~collision.tip_pair), strict=True):
            pair = (model.geom(f"capsule_{first}").id, model.geom(f"capsule_{second}").id)
            theirs = mujoco.mj_geomDistance(model, data, *pair, 0.0, None)
            if theirs < deepest:
                deepest, names = theirs, (collision.capsules.links[first], collision.capsules.links[second])
        assert found.distance == pytest.approx(deepest, abs=1e-6)
        if deepest < -1e-6:
            assert tuple(found.pairs) == names


#: [m] top of the table.
_TOP = 0.02


def _hands_over_the_table(count, seed):
    """Random human hands (N, 21, 3) [m], palms about downwards, lowest point 7 to 150 mm above the table."""
    rng = np.random.default_rng(seed)
    down = SE3.from_rotation_matrix(np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]))
    for keypoints in human_keypoints(count, rng):
        turned = (SE3.exp([0, 0, 0, *rng.uniform(-0.4, 0.4, 3)]) @ down).apply(keypoints)
        place = [rng.uniform(0.5, 0.68), rng.uniform(-0.25, 0.25), _TOP + rng.uniform(0.007, 0.15)]
        yield turned + place - [0.0, 0.0, turned[:, 2].min()]


@pytest.mark.requirement("H11")
@pytest.mark.requirement("H12")
@pytest.mark.parametrize("avoid", [False, True])
@pytest.mark.parametrize("name", embodiment_names())
def test_a_pose_that_is_handed_on_is_clear_of_itself_and_the_table(name, avoid):
    embodiment = load_embodiment(name)
    half = np.array([0.5, 0.75, 0.02])
    T_world_table = SE3.from_parts(np.eye(4)[0], np.array([0.6, 0.0, _TOP - half[2]]))
    body = SceneBody(
        name="table", shapes=(Shape(kind="box", size=2 * half),), wxyz_xyz_world_body=T_world_table.wxyz_xyz
    )
    scene = Scene(name="lab", wxyz_xyz_world_table=T_world_table.wxyz_xyz, bodies=(body,))
    spec = _spec(embodiment)
    table = spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=half, pos=T_world_table.translation)
    table.name = "table"
    model = spec.compile()
    data = mujoco.MjData(model)
    pairs = _watched_geoms(embodiment, model)
    handed_on = refused = 0
    for keypoints in _hands_over_the_table(24, seed=6):
        hand = HandPose(side="right", p_world_keypoints=keypoints, confidence=np.ones(21))
        try:
            pose = retarget_hand(hand, embodiment, scene=scene, avoid_collisions=avoid)
        except PalmUnreachableError:
            continue
        except CollisionError:
            refused += 1
            continue
        _set(model, data, embodiment, pose.joint_pos)
        assert min(mujoco.mj_geomDistance(model, data, a, b, 0.01, None) for a, b in pairs) > -MAX_PENETRATION
        handed_on += 1
    assert handed_on >= (15 if avoid else 1)
    assert not (avoid and refused)


def _watched_geoms(embodiment, model):
    """Pairs of MuJoCo's own shapes of the URDF that may not overlap, those with the table included."""
    collision = CollisionModel(embodiment)
    links = collision.capsules.links
    watched = {frozenset((links[a], links[b])) for a, b in zip(*np.nonzero(collision.watched), strict=True)}
    moving = {link for link, moves in zip(links, collision.moves, strict=True) if moves}
    table, of_geom = model.geom("table").id, [model.body(body).name for body in model.geom_bodyid]
    pairs = [(a, b) for a in range(model.ngeom) for b in range(a) if frozenset((of_geom[a], of_geom[b])) in watched]
    return pairs + [(table, geom) for geom in range(model.ngeom) if of_geom[geom] in moving]
