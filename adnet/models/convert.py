"""The strict converter for shapes that are met one at a time: saved jobs, settings, odd answers.

cattrs' own defaults would turn ``None`` into ``"None"``, ``"false"`` into True and ``3.9`` into 3; here a value of
another type is an error. Money and amounts come from text or whole numbers only, since a float has lost digits
already; instants have to name their zone. Keys that a class does not know are passed over: networks add fields.

The row path does not come this way; see ``adnet.models.building``.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from adnet.errors import SchemaError
from adnet.money import exact
from adnet.periods import utc

if TYPE_CHECKING:
    import cattrs

T = TypeVar("T")


def _only(kind: type) -> Any:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"expected {kind.__name__}, not {type(value).__name__}")
        return value

    return structure


def _decimal(value: Any, _: Any) -> Decimal:
    if isinstance(value, Decimal | int | str):
        return exact(value)
    raise TypeError(f"expected digits, not {type(value).__name__}")


def _instant(value: Any, _: Any) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return utc(value)
    return utc(dt.datetime.fromisoformat(_only(str)(value, str)))


def _day(value: Any, _: Any) -> dt.date:
    if type(value) is dt.date:
        return value
    return dt.date.fromisoformat(_only(str)(value, str))


@lru_cache(maxsize=1)
def converter() -> "cattrs.Converter":
    """Return the one converter; values are structured strictly and unstructured into JSON values."""
    # Imported where it is used: it costs as much as all of adnet, and most programs never convert anything.
    import cattrs

    made = cattrs.Converter(detailed_validation=True, omit_if_default=False)
    for kind in (str, int, bool):
        made.register_structure_hook(kind, _only(kind))
    made.register_structure_hook(Decimal, _decimal)
    made.register_structure_hook(dt.datetime, _instant)
    made.register_structure_hook(dt.date, _day)
    # What is a model already stays as it is: callers may structure the inner parts themselves.
    made.register_structure_hook_func(attrs.has, lambda value, cls: _model(made, value, cls))
    made.register_unstructure_hook(Decimal, str)
    made.register_unstructure_hook(dt.datetime, lambda value: value.isoformat())
    made.register_unstructure_hook(dt.date, lambda value: value.isoformat())
    return made


def _model(made: "cattrs.Converter", value: Any, cls: Any) -> Any:
    if isinstance(value, cls):
        return value
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, not {type(value).__name__}")
    from cattrs.gen import make_dict_structure_fn

    if cls not in _MADE:
        _MADE[cls] = make_dict_structure_fn(cls, made)
    return _MADE[cls](value, cls)


_MADE: dict[type, Any] = {}


def structure(data: Any, cls: type[T], *, renames: Mapping[str, str] | None = None) -> T:
    """Return *data* as a *cls*.

    Args:
        data: JSON values.
        cls: An attrs class, or any type that the converter knows.
        renames: Our attribute -> the key in *data*, so that errors name what the user can find.

    Raises:
        SchemaError: It has another shape; ``paths`` says where.
    """
    import cattrs

    try:
        return converter().structure(data, cls)
    except (cattrs.BaseValidationError, TypeError, ValueError, KeyError) as error:
        problems = (
            cattrs.transform_error(error, path="$") if isinstance(error, cattrs.BaseValidationError) else []
        )
        found = [problem.rpartition(" @ ") for problem in problems] or [(str(error), "", "$")]
        paths = tuple(_renamed(path, renames or {}) for _, _, path in found)
        wrong = "; ".join(f"{what} at {path}" for (what, _, _), path in zip(found, paths, strict=True))
        problem = SchemaError(f"not a {cls.__name__}: {wrong}")
        problem.paths = paths
        raise problem from None


def _renamed(path: str, renames: Mapping[str, str]) -> str:
    return ".".join(renames.get(part, part) for part in path.split("."))
