"""``h2s2r-schemas inspect PATH``: what a file or a recording is.

In:  the command line.   Out: a table, or JSON; 2 and one line on stderr for what cannot be read.
Not here: reading and checking (codec, demo).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, Iterator

from h2s2r_schemas.codec.inspection import inspect_file
from h2s2r_schemas.codec.specs import is_exactly
from h2s2r_schemas.demo.inspection import inspect_demo
from h2s2r_schemas.errors import H2S2RError

_WIDEST = 80


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(prog="h2s2r-schemas", description="Messages and files of h2s2r.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    inspect = verbs.add_parser("inspect", help="say what a file or a recording is, and check all of it")
    inspect.add_argument("path", type=Path, help="a file written by save(), or the folder of a recording")
    inspect.add_argument("--json", action="store_true", help="as one JSON object")
    chosen = parser.parse_args(arguments)
    try:
        found = inspect_demo(chosen.path) if chosen.path.is_dir() else inspect_file(chosen.path)
        print(json.dumps(found, indent=1, allow_nan=False) if chosen.json else "\n".join(_table(found)), flush=True)
    except BrokenPipeError:
        # Whoever reads this, say ``head``, has seen enough; Python must not complain about it when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (H2S2RError, OSError) as error:
        print(f"h2s2r-schemas: {_one_line(str(error))}", file=sys.stderr)
        return 2
    return 0


def _table(found: dict[str, Any]) -> Iterator[str]:
    """What is known of the whole, then a line for each field."""
    rows = [(name, "", _text(value)) for name, value in found.items() if name != "fields"]
    yield from _aligned(rows)
    yield ""
    yield from _aligned([("field", "type", "value or range"), *_rows(found["fields"], "")])


def _rows(fields: dict[str, Any], prefix: str) -> Iterator[tuple[str, str, str]]:
    for key, value in fields.items():
        name = prefix + key
        if not is_exactly(value, dict) or not value:
            yield name, "", _text(value)
        elif "dtype" in value:
            shape = value["shape"] if is_exactly(value["shape"], str) else f"({', '.join(map(str, value['shape']))})"
            yield name, f"{value['dtype']} {shape}", _range(value)
        elif value.keys() == {"value", "unit"}:
            yield name, "", f"{_number(value['value'])} {value['unit']}"
        else:
            yield from _rows(value, f"{name}.")


def _range(array: dict[str, Any]) -> str:
    text = ""
    if "values" in array:
        text = f"[{', '.join(map(_number, array['values']))}]"
    elif "min" in array:
        text = f"{_number(array['min'])} … {_number(array['max'])}"
    counts = [f"{array[kind]} {kind}" for kind in ("true", "nan", "infinite") if kind in array]
    return ", ".join(filter(None, [f"{text} {array['unit']}".strip(), *counts]))


def _number(value: float) -> str:
    return f"{value:.6g}" if is_exactly(value, float) else str(value)


def _aligned(rows: list[tuple[str, str, str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, kind, value in rows:
        line = f"{name:<{widths[0]}}  " + (f"{kind:<{widths[1]}}  " if widths[1] else "") + value
        yield line.rstrip()


def _text(value: Any) -> str:
    """A value on one line, with nothing in it that would steer a terminal."""
    text = _one_line(value) if is_exactly(value, str) else json.dumps(value)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


if __name__ == "__main__":
    sys.exit(main())
