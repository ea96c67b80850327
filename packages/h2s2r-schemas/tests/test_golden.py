"""Files written by every version so far still load, and mean the same.

In:  ``golden/NAME.vVERSION.h2s``.   Out: equality with today's examples.
Not here: upgrade functions one by one (test_encoding shows the machinery; each upgrade gets its own golden file here).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from h2s2r_schemas.codec import load
from h2s2r_schemas.testing.examples import examples

GOLDEN = Path(__file__).parent / "golden"
EXAMPLES = examples()


@pytest.mark.requirement("H03")
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_version_has_a_golden_file_that_loads(name):
    for version in range(1, EXAMPLES[name].version + 1):
        assert load(GOLDEN / f"{name}.v{version}.h2s") == EXAMPLES[name]


def test_no_golden_file_is_forgotten():
    known = {f"{name}.v{version}" for name in EXAMPLES for version in range(1, EXAMPLES[name].version + 1)}
    assert {path.stem for path in GOLDEN.glob("*.h2s")} == known
