"""The conventions of DESIGN §4, checked by reading the syntax tree.

In:  Python files.   Out: ``Violation`` per line that breaks one.
Not here: style and types (ruff, pyright), walls between packages (import-linter).
"""

from h2s2r.conventions.check import check_file, check_tree
from h2s2r.conventions.violation import Violation

__all__ = ["Violation", "check_file", "check_tree"]
