"""``ServerCfg`` as a file that people write.

In:  JSON with the fields that differ from the defaults.   Out: ``ServerCfg``; all of it as JSON.
Not here: what the fields mean (config).
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, TypeVar, cast

from h2s2r_hw.config import ServerCfg
from h2s2r_schemas.errors import SchemaError

T = TypeVar("T")


def read_settings(path: Path) -> ServerCfg:
    """The settings in a file.

    Raises:
        SchemaError: it is no JSON, a field does not exist, or a value makes no sense.
    """
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SchemaError(f"The settings {path} cannot be read: {error}.") from error
    return changed(ServerCfg(), data, path.name)


def write_settings(cfg: ServerCfg) -> str:
    """All settings as text."""
    return json.dumps(dataclasses.asdict(cfg), indent=2)


def changed(cfg: T, data: Any, where: str) -> T:
    """The same, but with other values in some fields.

    Raises:
        SchemaError: as ``read_settings``; the message names the field.
    """
    if not isinstance(data, dict):
        raise SchemaError(f"{where}: {data!r} where a group of fields in braces is expected.")
    known = {each.name: getattr(cfg, each.name) for each in dataclasses.fields(cfg)}  # type: ignore[arg-type]
    given = cast("dict[str, Any]", data)
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            raise SchemaError(f"{where}: there is no field {name!r}; there are: {', '.join(known)}.")
        values[name] = _value(known[name], value, f"{where}.{name}")
    try:
        return dataclasses.replace(cfg, **values)  # type: ignore[type-var]
    except SchemaError as error:
        raise SchemaError(f"{where}: {error}") from None


def _value(default: Any, value: Any, where: str) -> Any:
    """A value of the kind that the default has."""
    if dataclasses.is_dataclass(default):
        return changed(default, value, where)
    if isinstance(default, tuple):
        return _values(cast("tuple[Any, ...]", default), value, where)
    if default is None:
        fits = value is None or type(value) is int
    elif isinstance(default, float):
        fits, value = type(value) in (int, float), float(value) if type(value) is int else value
    else:
        fits = type(value) is type(default)
    if not fits:
        raise SchemaError(f"{where}: {value!r}; a value such as {default!r} is expected.")
    return value


def _values(default: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    """A list of values; numbers of joints must be as many as before."""
    given = cast("list[Any]", value) if isinstance(value, list) else []
    per_joint = all(isinstance(each, float) for each in default)
    if not given or (per_joint and len(given) != len(default)):
        raise SchemaError(f"{where}: {value!r}; a list such as {list(default)} is expected.")
    return tuple(_value(default[min(at, len(default) - 1)], each, where) for at, each in enumerate(given))
