"""The table of refusals and the page made from it.

In:  the tables, the sources, the page in the checkout.   Out: they agree.
Not here: when which code is given (test_gateway, test_admission).
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import h2s2r_hw.server
from h2s2r_hw.server.page import why_did_it_refuse
from h2s2r_hw.server.refusals import REFUSALS, refuse
from h2s2r_hw.states import FAULTS

PAGE = Path(__file__).parents[3] / "docs" / "why-did-it-refuse.md"


def used_codes() -> set[str]:
    """Every text in the server's sources that is a code given to ``refuse``, or may be."""
    folder = Path(h2s2r_hw.server.__file__).parent
    found = set()
    for path in folder.glob("*.py"):
        if path.stem in ("refusals", "page"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


@pytest.mark.skipif(not PAGE.exists(), reason="the page is part of the checkout, not of the wheel")
def test_the_page_is_that_of_the_tables():
    assert PAGE.read_text(encoding="utf-8") == why_did_it_refuse()


def test_every_code_has_a_row_and_a_cell_each():
    page = why_did_it_refuse()
    for code in (*REFUSALS, *FAULTS):
        rows = [line for line in page.splitlines() if line.startswith(f"| `{code}` ")]
        assert len(rows) == 1, code
        cells = [cell.strip() for cell in rows[0].strip("|").split("|")]
        assert len(cells) == 4
        assert all(cells)
    assert "{" not in page.replace("{'force': true}", "")


def test_refusals_and_faults_share_no_code():
    assert not set(REFUSALS) & set(FAULTS)


def test_every_code_in_the_table_is_given_somewhere():
    # no_log is the supervisor's word, by way of Surroundings.ready.
    assert set(REFUSALS) - used_codes() == {"no_log"}


def test_a_code_that_is_not_in_the_table_cannot_be_given():
    with pytest.raises(KeyError):
        refuse("because", "so.")


def test_remedies_say_what_to_do():
    for code, row in REFUSALS.items():
        assert row.meaning.endswith("."), code
        assert row.remedy.endswith("."), code
        assert row.of in ("message", "command", "request", "both")
