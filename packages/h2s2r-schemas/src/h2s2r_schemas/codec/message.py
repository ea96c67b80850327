"""``Message``: the frozen, checked, comparable class that every noun and wire message is.

In:  field values from a caller, or decoded ones.   Out: an immutable message whose fields hold what they promise.
Not here: bytes (encoding), files (files), the messages themselves (artifacts, wire).

A message class is declared once::

    @message("h2s2r.Example", version=1)
    class Example(Message):
        time: np.ndarray = field(ArraySpec(("T",), unit="s", increasing=True))
        '''Time stamps (T) [s].'''
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable, TypeVar

import numpy as np

from h2s2r_schemas.codec.specs import MAX_ITEMS, Dims, Spec, is_exactly, refuse
from h2s2r_schemas.errors import SchemaError

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable[[Any], Any]:
        """Type checkers know the real one; at run time it does nothing."""
        return lambda cls: cls


M = TypeVar("M", bound="Message")

#: Every message class by schema name.
REGISTRY: dict[str, type[Message]] = {}


def field(spec: Spec, **default: Any) -> Any:
    """A field of a message; ``default=value`` or ``default_factory=function`` as in ``dataclasses.field``."""
    return dataclasses.field(metadata={"spec": spec}, **default)


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(field,))
def message(schema: str, version: int) -> Callable[[type[M]], type[M]]:
    """Make a class a message with this schema name and version, and register it.

    Raises:
        SchemaError: the schema name is taken, or a field has no spec.
    """

    def register(cls: type[M]) -> type[M]:
        cls = dataclasses.dataclass(frozen=True, eq=False, repr=False)(cls)
        specs: dict[str, Spec] = {}
        for each in dataclasses.fields(cls):  # type: ignore[arg-type]
            if "spec" not in each.metadata:
                raise SchemaError(f"{cls.__name__}.{each.name} has no spec: declare it with field(...).")
            specs[each.name] = each.metadata["spec"]
        if schema in REGISTRY:
            raise SchemaError(f"The schema name {schema!r} is taken by {REGISTRY[schema].__name__}.")
        cls.schema, cls.version, cls.specs = schema, version, specs
        cls.field_checks = tuple((name, spec.check) for name, spec in specs.items())
        REGISTRY[schema] = cls
        return cls

    return register


class Message:
    """Base of all messages. Constructing one checks every field; arrays are copied if writable, then read-only.

    Raises:
        SchemaError: a field has a wrong type, shape, range or a forbidden non-finite value, or fields disagree.
    """

    schema: str
    """Schema name, e.g. ``"h2s2r.ObjectTrajectory"``."""
    version: int
    """Schema version: a meaning, unit or type never changes within one."""
    specs: Mapping[str, Spec]
    """The rules of each field, in order."""
    field_checks: tuple[tuple[str, Callable[[Any, str, Dims], Any]], ...]
    """The same rules as a flat list, for speed."""
    stream_dim: str = ""
    """For a long log: the named dimension along which stretches follow each other."""
    stream_last: tuple[str, ...] = ()
    """For a long log: fields that are known only at its end, so that the last stretch's value holds."""

    def __post_init__(self) -> None:
        dims: Dims = {}
        for name, spec in self.specs.items():
            value = spec.coerce(getattr(self, name), f"{type(self).__name__}.{name}", dims)
            object.__setattr__(self, name, value)
        self.check()

    def check(self) -> None:
        """Rules between fields; a subclass raises ``SchemaError`` where one is broken."""

    @classmethod
    def from_fields(cls: type[M], fields: Any) -> M:
        """The message with these decoded field values, each checked exactly.

        Raises:
            SchemaError: unknown or missing fields, or a value that is not allowed.
        """
        if not is_exactly(fields, dict):
            raise refuse(
                f"The content of {cls.__name__}",
                fields,
                "a mapping of field names to values",
            )
        if fields.keys() != cls.specs.keys():
            return cls._from_some_fields(fields)
        dims: Dims = {}
        made = object.__new__(cls)
        values = made.__dict__
        for name, check in cls.field_checks:
            values[name] = check(fields[name], name, dims)
        made.check()
        return made

    @classmethod
    def _from_some_fields(cls: type[M], fields: dict[str, Any]) -> M:
        """As ``from_fields``, where a writer that knew fewer fields left out those that have a default."""
        unknown = [name for name in fields if name not in cls.specs]
        if unknown:
            raise refuse(f"A field of {cls.__name__}", unknown[0], "one of " + ", ".join(cls.specs))
        dims: Dims = {}
        made = object.__new__(cls)
        for each in dataclasses.fields(cls):  # type: ignore[arg-type]
            spec = cls.specs[each.name]
            if each.name in fields:
                value = spec.check(fields[each.name], each.name, dims)
            elif each.default is not dataclasses.MISSING:
                value = spec.coerce(each.default, each.name, dims)
            elif each.default_factory is not dataclasses.MISSING:
                value = spec.coerce(each.default_factory(), each.name, dims)
            else:
                raise SchemaError(f"{cls.__name__}.{each.name} is missing, and it has no default.")
            made.__dict__[each.name] = value
        made.check()
        return made

    def plain_fields(self) -> dict[str, Any]:
        """Field values as msgpack packs them (arrays stay arrays)."""
        return {name: spec.plain(self.__dict__[name]) for name, spec in self.specs.items()}

    def replace(self: M, **changes: Any) -> M:
        """A copy with some fields changed, checked again."""
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(_equal(self.__dict__[name], other.__dict__[name]) for name in self.specs)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{n}={_brief(self.__dict__[n])}' for n in self.specs)})"


def _equal(a: Any, b: Any) -> bool:
    if is_exactly(a, np.ndarray) and is_exactly(b, np.ndarray):
        return bool(a.dtype == b.dtype) and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return type(a) is type(b) and bool(a == b)


def _brief(value: Any) -> str:
    if is_exactly(value, np.ndarray):
        return repr(value.tolist()) if value.size <= 7 else f"<{value.dtype} {value.shape}>"
    return repr(value)


class MessageSpec(Spec):
    """One nested message of a given class."""

    def __init__(self, cls: type[Message]) -> None:
        self.cls = cls
        self.allowed = f"a {cls.__name__}"

    def coerce(self, value: Any, name: str, dims: Dims) -> Message:
        if type(value) is not self.cls:
            raise refuse(name, value, self.allowed)
        return value

    def check(self, value: Any, name: str, dims: Dims) -> Message:
        try:
            return self.cls.from_fields(value)
        except SchemaError as error:
            raise SchemaError(f"{name}: {error}") from error

    def plain(self, value: Message) -> Any:
        return value.plain_fields()


class MessagesSpec(Spec):
    """A list of nested messages of a given class."""

    def __init__(self, cls: type[Message], minimum: int = 0) -> None:
        self.one, self.minimum = MessageSpec(cls), minimum
        self.allowed = f"{minimum} to {MAX_ITEMS} of {cls.__name__}"

    def coerce(self, value: Any, name: str, dims: Dims) -> tuple[Message, ...]:
        return self._each(
            list(value) if is_exactly(value, tuple) else value,
            name,
            dims,
            self.one.coerce,
        )

    def check(self, value: Any, name: str, dims: Dims) -> tuple[Message, ...]:
        return self._each(value, name, dims, self.one.check)

    def _each(self, value: Any, name: str, dims: Dims, one: Callable[..., Message]) -> tuple[Message, ...]:
        if not is_exactly(value, list) or not self.minimum <= len(value) <= MAX_ITEMS:
            raise refuse(name, value, self.allowed)
        items: list[Any] = value
        return tuple(one(item, f"{name}[{i}]", dims) for i, item in enumerate(items))

    def plain(self, value: tuple[Message, ...]) -> Any:
        return [item.plain_fields() for item in value]
