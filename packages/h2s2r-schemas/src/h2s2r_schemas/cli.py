"""``h2s2r-schemas inspect PATH``: what a file or a recording is.

In:  the command line.   Out: text, or JSON; 2 and one line on stderr for what cannot be read.
Not here: reading and checking (codec, demo).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from h2s2r_schemas.codec.inspection import inspect_file
from h2s2r_schemas.demo.inspection import inspect_demo
from h2s2r_schemas.errors import SchemaError


def _lines(value: Any, indent: int = 0) -> list[str]:
    """Nested data as indented lines."""
    lines: list[str] = []
    for key, item in value.items():
        if isinstance(item, dict):
            lines.append(" " * indent + f"{key}:")
            lines.extend(_lines(item, indent + 2))
        else:
            lines.append(" " * indent + f"{key:<{max(26 - indent, 1)}} {item}")
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(prog="h2s2r-schemas", description="Messages and files of h2s2r.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    inspect = verbs.add_parser("inspect", help="say what a file or a recording is, and check it")
    inspect.add_argument("path", type=Path, help="a file written by save(), or the folder of a recording")
    inspect.add_argument("--json", action="store_true", help="as JSON")
    chosen = parser.parse_args(arguments)
    try:
        found = inspect_demo(chosen.path) if chosen.path.is_dir() else inspect_file(chosen.path)
    except (SchemaError, OSError) as error:
        print(f"h2s2r-schemas: {error}", file=sys.stderr)
        return 2
    print(json.dumps(found, indent=1) if chosen.json else "\n".join(_lines(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
