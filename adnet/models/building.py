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
    """Return a constructor that takes every field of a slotted attrs class by position, unchecked."""
    names = [field.name for field in attrs.fields(cls)]
    known: dict[str, Any] = {"new": object.__new__, "cls": cls}
    known |= {f"set_{name}": getattr(cls, name).__set__ for name in names}
    lines = [f"def build({', '.join(names)}):", " row = new(cls)"]
    lines += [f" set_{name}(row, {name})" for name in names]
    exec("\n".join([*lines, " return row"]), known)  # noqa: S102 - as attrs itself writes its constructors
    return known["build"]  # type: ignore[no-any-return]


build_money = positional(Money)
"""``build_money(amount, currency)``, from a finite Decimal and a checked code."""
