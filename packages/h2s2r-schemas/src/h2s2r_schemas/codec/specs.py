"""What a field of a message may hold: numbers, texts, lists and mappings.

In:  a value, from a caller (``coerce``) or from decoded bytes (``check``).   Out: the value in its one canonical form.
Not here: arrays (array_spec), nested messages (message).

``coerce`` is lenient about Python types (a NumPy integer for an int, a list for a tuple); ``check`` is exact. Both refuse
the same values, with a ``SchemaError`` that names the field, the value and what is allowed.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Dict, cast

import numpy as np

from h2s2r_schemas.errors import SchemaError

#: Sizes of the named dimensions ("T", "J", …) seen so far in one message.
Dims = Dict[str, int]

#: Characters of one text, and entries of one list or mapping.
MAX_TEXT = 4096
MAX_ITEMS = 512


def shown(value: Any) -> str:
    """``value`` for an error message: short, and quick to make however large it is."""
    if is_exactly(value, np.ndarray):
        return f"an array of {value.dtype} and shape {value.shape}"
    if type(value) in (dict, list, tuple):
        return f"a {type(value).__name__} of {len(value)} entries"
    text = repr(value[:80] if type(value) in (str, bytes) else value)
    return text if len(text) <= 80 else text[:77] + "..."


def is_exactly(value: Any, kind: type) -> bool:
    """Whether ``value`` is of this very type: true is no number, and a child of a list is no list."""
    return type(value) is kind


def is_mapping(value: Any) -> bool:
    """Whether ``value`` maps keys to values."""
    return isinstance(value, Mapping)


def refuse(name: str, value: Any, allowed: str) -> SchemaError:
    """The one form of a field error."""
    return SchemaError(f"{name} is {shown(value)}; allowed: {allowed}.")


_EMPTY: Mapping[str, Any] = types.MappingProxyType({})


class Spec:
    """Rules for one field. ``allowed`` says in words what it takes."""

    allowed = "anything"

    def coerce(self, value: Any, name: str, dims: Dims) -> Any:
        """A caller's value in canonical form."""
        return self.check(value, name, dims)

    def check(self, value: Any, name: str, dims: Dims) -> Any:
        """A decoded value in canonical form.

        Raises:
            SchemaError: the value is not allowed here.
        """
        raise NotImplementedError

    def plain(self, value: Any) -> Any:
        """The canonical value as msgpack packs it."""
        return value


class FloatSpec(Spec):
    """A finite number within [minimum, maximum]; stored as a float."""

    def __init__(self, minimum: float = -math.inf, maximum: float = math.inf, unit: str = "") -> None:
        self.minimum, self.maximum, self.unit = minimum, maximum, unit
        self.allowed = f"a finite number in [{minimum}, {maximum}]" + (f" {unit}" if unit else "")

    def coerce(self, value: Any, name: str, dims: Dims) -> float:
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise refuse(name, value, self.allowed)
        try:
            return self.check(float(cast(float, value)), name, dims)
        except OverflowError as error:
            raise refuse(name, "a whole number beyond any float", self.allowed) from error

    def check(self, value: Any, name: str, dims: Dims) -> float:
        if type(value) is not float or not self.minimum <= value <= self.maximum or not math.isfinite(value):
            raise refuse(name, value, self.allowed)
        return value


class IntSpec(Spec):
    """A whole number within [minimum, maximum]."""

    def __init__(self, minimum: int = 0, maximum: int = 2**63 - 1) -> None:
        self.minimum, self.maximum = minimum, maximum
        self.allowed = f"a whole number in [{minimum}, {maximum}]"

    def coerce(self, value: Any, name: str, dims: Dims) -> int:
        return self.check(value.item() if isinstance(value, np.integer) else value, name, dims)

    def check(self, value: Any, name: str, dims: Dims) -> int:
        if type(value) is not int or not self.minimum <= value <= self.maximum:
            raise refuse(name, value, self.allowed)
        return value


class BoolSpec(Spec):
    """True or false."""

    allowed = "true or false"

    def coerce(self, value: Any, name: str, dims: Dims) -> bool:
        return self.check(value.item() if isinstance(value, np.bool_) else value, name, dims)

    def check(self, value: Any, name: str, dims: Dims) -> bool:
        if type(value) is not bool:
            raise refuse(name, value, self.allowed)
        return value


class TextSpec(Spec):
    """A text, or one of ``choices``."""

    def __init__(
        self,
        choices: Sequence[str] = (),
        max_length: int = MAX_TEXT,
        empty: bool = True,
    ) -> None:
        self.choices, self.max_length, self.min_length = (
            frozenset(choices),
            max_length,
            0 if empty else 1,
        )
        self.allowed = (
            "one of " + ", ".join(choices) if choices else f"text of {self.min_length} to {max_length} characters"
        )

    def check(self, value: Any, name: str, dims: Dims) -> str:
        if type(value) is not str or not self.min_length <= len(value) <= self.max_length:
            raise refuse(name, value, self.allowed)
        if self.choices and value not in self.choices:
            raise refuse(name, value, self.allowed)
        return value


class TextsSpec(Spec):
    """Different texts in order; their number is a named dimension."""

    def __init__(self, dim: str) -> None:
        self.dim = dim
        self.allowed = f"{dim} different non-empty texts (at most {MAX_ITEMS})"

    def coerce(self, value: Any, name: str, dims: Dims) -> Any:
        return self.check(list(value) if is_exactly(value, tuple) else value, name, dims)

    def check(self, value: Any, name: str, dims: Dims) -> Any:
        if not is_exactly(value, list) or len(value) > MAX_ITEMS:
            raise refuse(name, value, self.allowed)
        for item in value:
            if type(item) is not str or not 0 < len(item) <= MAX_TEXT:
                raise refuse(name, item, self.allowed)
        if len(set(value)) != len(value):
            raise refuse(name, value, self.allowed)
        if dims.setdefault(self.dim, len(value)) != len(value):
            raise SchemaError(f"{name} has {len(value)} entries; other fields of this message have {dims[self.dim]}.")
        return tuple(value)


class MappingSpec(Spec):
    """Texts to values of one kind, e.g. free labels or counters; read-only once inside a message."""

    def __init__(self, values: Spec) -> None:
        self.values = values
        self.allowed = f"a mapping from at most {MAX_ITEMS} texts to {values.allowed}"

    def coerce(self, value: Any, name: str, dims: Dims) -> Mapping[str, Any]:
        return self._each(
            dict(value) if is_mapping(value) else value,
            name,
            self.values.coerce,
        )

    def check(self, value: Any, name: str, dims: Dims) -> Mapping[str, Any]:
        return self._each(value, name, self.values.check)

    def _each(self, value: Any, name: str, one: Callable[[Any, str, Dims], Any]) -> Mapping[str, Any]:
        if not is_exactly(value, dict) or len(value) > MAX_ITEMS:
            raise refuse(name, value, self.allowed)
        if not value:
            return _EMPTY
        for key in value:
            if type(key) is not str or not 0 < len(key) <= MAX_TEXT:
                raise refuse(f"a key of {name}", key, f"text of 1 to {MAX_TEXT} characters")
        try:
            return types.MappingProxyType({key: one(item, name, {}) for key, item in value.items()})
        except SchemaError:
            # Which one it is is worth finding out only now.
            return types.MappingProxyType({key: one(item, f"{name}[{key!r}]", {}) for key, item in value.items()})

    def plain(self, value: Any) -> Any:
        return {key: self.values.plain(item) for key, item in value.items()}


class DataSpec(Spec):
    """Configuration as data: texts, finite numbers, booleans, None, and lists and mappings of them, eight deep."""

    allowed = "configuration data (text, finite number, true/false, none, lists and mappings of them, 8 deep)"

    def coerce(self, value: Any, name: str, dims: Dims) -> Mapping[str, Any]:
        return self.check(self.plain(value), name, dims)

    def check(self, value: Any, name: str, dims: Dims) -> Mapping[str, Any]:
        if not is_exactly(value, dict):
            raise refuse(name, value, self.allowed)
        return self._frozen(value, name, 8)

    def _frozen(self, value: Any, name: str, depth: int) -> Any:
        kind: type[Any] = value.__class__
        if kind in (type(None), bool, int) or (kind is float and math.isfinite(value)):
            return value
        if kind is str and len(value) <= MAX_TEXT:
            return value
        if depth > 0 and kind is list and len(value) <= MAX_ITEMS:
            return tuple(self._frozen(item, name, depth - 1) for item in value)
        if depth > 0 and kind is dict and len(value) <= MAX_ITEMS:
            if not all(type(key) is str and len(key) <= MAX_TEXT for key in value):
                raise refuse(name, value, "text as the key of every mapping")
            return types.MappingProxyType({k: self._frozen(v, f"{name}[{k!r}]", depth - 1) for k, v in value.items()})
        raise refuse(name, value, self.allowed)

    def plain(self, value: Any) -> Any:
        if is_mapping(value):
            return {key: self.plain(item) for key, item in value.items()}
        return [self.plain(item) for item in value] if type(value) in (list, tuple) else value


class OptionalSpec(Spec):
    """Another spec, or None."""

    def __init__(self, inner: Spec) -> None:
        self.inner = inner
        self.allowed = f"{inner.allowed}, or none"

    def coerce(self, value: Any, name: str, dims: Dims) -> Any | None:
        return None if value is None else self.inner.coerce(value, name, dims)

    def check(self, value: Any, name: str, dims: Dims) -> Any | None:
        return None if value is None else self.inner.check(value, name, dims)

    def plain(self, value: Any) -> Any:
        return None if value is None else self.inner.plain(value)
