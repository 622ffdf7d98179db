"""Building rows fast: constructors for values that are known to be right already.

Only the row path uses these; they skip converters and validators, which is where most of the time of a million
rows would go. Everybody else calls the classes.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from adnet.money import Money

T = TypeVar("T", bound=attrs.AttrsInstance)


def positional(cls: type[T]) -> Callable[..., T]:
    """Return a constructor that takes every field of a slotted attrs class by position, unchecked.

    The fields are set on a twin of the class that is not frozen, so that Python sets them at full speed, a fifth of
    the time that ``object.__setattr__`` takes; then the object is given its own class. Python allows that between
    classes of one layout, which the slot for weak references would change.
    """
    names = [field.name for field in attrs.fields(cls)]
    if sorted(cls.__slots__) != sorted(names):  # type: ignore[attr-defined]
        raise TypeError(f"{cls.__name__} has other slots than its fields; attrs.frozen(weakref_slot=False)")
    known: dict[str, Any] = {
        "new": object.__new__,
        "cls": cls,
        "Twin": type("Twin", (), {"__slots__": names}),
    }
    lines = [f"def build({', '.join(names)}):", " row = new(Twin)"]
    lines += [f" row.{name} = {name}" for name in names]
    exec("\n".join([*lines, " row.__class__ = cls", " return row"]), known)  # noqa: S102 - as attrs itself does
    return known["build"]  # type: ignore[no-any-return]


build_money = positional(Money)
"""``build_money(amount, currency)``, from a finite Decimal and a checked code."""
