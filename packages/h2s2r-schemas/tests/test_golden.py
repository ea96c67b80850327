"""Files written by every version so far still load, and mean the same.

In:  ``golden/NAME.vVERSION.h2s`` and ``golden/Demo.vVERSION``.   Out: equality with today's examples.
Not here: upgrade functions one by one (test_encoding shows the machinery; each upgrade gets its own golden file here).
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path

import msgpack
import pytest

from h2s2r_schemas.codec import REGISTRY, encode, load
from h2s2r_schemas.codec.files import iter_blocks
from h2s2r_schemas.demo import DemoMeta, open_demo
from h2s2r_schemas.testing.examples import examples
from h2s2r_schemas.testing.recordings import record_tiny

GOLDEN = Path(__file__).parent / "golden"
EXAMPLES = examples()


def make(folder):
    """``make`` of golden/make.py, which is no module of any package."""
    spec = importlib.util.spec_from_file_location("make", GOLDEN / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.make(folder)


@pytest.mark.requirement("H03")
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_version_has_a_golden_file_that_loads(name):
    for version in range(1, EXAMPLES[name].version + 1):
        assert load(GOLDEN / f"{name}.v{version}.h2s") == EXAMPLES[name]


@pytest.mark.requirement("H03")
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_what_a_golden_file_says_is_said_the_same_today(name):
    (block,) = iter_blocks(GOLDEN / f"{name}.v{EXAMPLES[name].version}.h2s")
    then, now = msgpack.unpackb(block), msgpack.unpackb(encode(EXAMPLES[name]))
    assert (then["schema"], then["version"]) == (now["schema"], now["version"])
    # Bytes of arrays included. Fields that came later, with a default, are the only ones that may be new.
    assert {field: now["fields"][field] for field in then["fields"]} == then["fields"]
    if then["fields"].keys() == now["fields"].keys() and then["producer"] == now["producer"]:
        assert block == encode(EXAMPLES[name])


@pytest.mark.requirement("H03")
def test_every_version_of_a_recording_still_opens(tmp_path):
    today = record_tiny(tmp_path / "today")
    for version in range(1, DemoMeta.version + 1):
        then = open_demo(GOLDEN / f"Demo.v{version}")
        assert then.meta == today.meta
        assert list(then) == list(today)


def test_every_class_has_a_golden_file_and_none_is_forgotten():
    classes = {cls.__name__: cls for schema, cls in REGISTRY.items() if schema.startswith("h2s2r.")}
    assert set(classes) == set(EXAMPLES)
    versions = {f"{name}.v{version}.h2s" for name, cls in classes.items() for version in range(1, cls.version + 1)}
    recordings = {f"Demo.v{version}" for version in range(1, DemoMeta.version + 1)}
    found = {path.name for path in GOLDEN.iterdir() if re.search(r"\.v\d", path.name)}
    assert found == versions | recordings


def test_making_them_adds_what_is_missing_and_touches_nothing_else(tmp_path):
    shutil.copytree(str(GOLDEN), str(tmp_path / "golden"))
    (tmp_path / "golden" / "Scene.v1.h2s").unlink()
    (tmp_path / "golden" / "HandPose.v1.h2s").write_bytes(b"of an older producer")
    assert make(tmp_path / "golden") == ["Scene.v1.h2s"]
    assert (tmp_path / "golden" / "HandPose.v1.h2s").read_bytes() == b"of an older producer"
    assert load(tmp_path / "golden" / "Scene.v1.h2s") == EXAMPLES["Scene"]
    assert make(tmp_path / "golden") == []
