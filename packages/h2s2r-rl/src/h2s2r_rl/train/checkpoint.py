"""The state of a training on disk: there whole, or not at all.

In:  networks, optimiser, what they were trained for.   Out: one file, and its content read back.
Not here: the form a robot PC runs (export).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from h2s2r_schemas.codec import write_whole
from h2s2r_schemas.errors import SchemaError

#: Raised by one when the meaning of what is in a checkpoint changes.
VERSION = 3
_SCHEMA = "h2s2r.Checkpoint"


def save_checkpoint(path: str | Path, content: dict[str, Any]) -> None:
    """Write a checkpoint, whole or not at all.

    Args:
        path: of the file; its folder exists.
        content: tensors, numbers, text, and lists and dictionaries of them.

    Raises:
        OSError: no such folder, no permission, disk full; then nothing is left at ``path`` that was not there before.
    """
    # In memory first: torch reports a full disk as a RuntimeError of many lines.
    buffer = io.BytesIO()
    torch.save({"schema": _SCHEMA, "version": VERSION, **content}, buffer)
    write_whole(path, buffer.getbuffer())


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """What ``save_checkpoint`` wrote. Only tensors and plain data are read: a file cannot make this run code.

    Raises:
        FileNotFoundError: there is none.
        SchemaError: it is damaged, no checkpoint, or of another version.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no checkpoint {path}: train first, or give the path of another.") from None
    except Exception as error:  # torch raises whatever a damaged file leads it to
        raise SchemaError(
            f"{path} cannot be read as a checkpoint: it is damaged, or something else. ({error})"
        ) from error
    if not isinstance(content, dict) or content.get("schema") != _SCHEMA:
        raise SchemaError(f"{path} is no checkpoint of h2s2r-rl.")
    if content["version"] != VERSION:
        raise SchemaError(
            f"{path} is a checkpoint of version {content['version']}; this h2s2r-rl reads version {VERSION}: train anew, or "
            "use the version that wrote it."
        )
    return content
