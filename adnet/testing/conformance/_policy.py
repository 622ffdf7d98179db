"""Which tests a connector gets, and that none of them goes missing.

A standard test says by its capabilities when it applies, so that nothing the connector lacks is skipped: a test is
there or it is not. A subclass cannot override or delete one; where a connector cannot pass, it says so with a
:func:`deviation`, which is a strict xfail: as soon as the connector can, the mark itself fails.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any, Final, Literal, TypeVar

import attrs
import pytest

from adnet.interface import Capabilities

Word = Literal["notimpl", "notyet", "never"]
WORDS: Final[Mapping[str, str]] = {
    "notimpl": "the connector does not do it yet",
    "notyet": "the network does not do it yet",
    "never": "it makes no sense for this network",
}
"""Why a connector deviates: our debt, theirs, or by nature."""

When = Callable[[Capabilities], bool]
Over = Callable[[Capabilities], Sequence[Any]]
F = TypeVar("F", bound=Callable[..., Any])


class ConformanceError(TypeError):
    """A conformance suite is used in a way that would hide something."""


@attrs.frozen(kw_only=True)
class Deviation:
    """A declared failure of one standard test; see :func:`deviation`."""

    word: Word
    reason: str
    raises: type[BaseException] | tuple[type[BaseException], ...]
    only: tuple[str, ...] = ()

    @property
    def mark(self) -> pytest.MarkDecorator:
        """The strict xfail that it amounts to."""
        return pytest.mark.xfail(strict=True, raises=self.raises, reason=f"{self.word}: {self.reason}")


def deviation(
    word: Word,
    *,
    reason: str,
    raises: type[BaseException] | tuple[type[BaseException], ...],
    only: Sequence[str] = (),
) -> Any:
    """Return what to assign to the name of a standard test that the connector cannot pass.

    Args:
        word: ``notimpl`` (the connector's debt), ``notyet`` (the network's) or ``never`` (by nature).
        reason: A sentence for whoever reads the report.
        raises: What the test must fail with.
        only: Of a test with parameters, the ids that fail; all of them if left out.

    Raises:
        ConformanceError: The word is none of the three, or there is no reason.
    """
    if word not in WORDS:
        raise ConformanceError(f"deviation {word!r}: say one of {', '.join(WORDS)}")
    if not reason.strip():
        raise ConformanceError(f"deviation {word!r}: give a reason")
    return Deviation(word=word, reason=reason, raises=raises, only=tuple(only))


@attrs.frozen(kw_only=True)
class _Terms:
    """When a standard test applies, and over what it runs."""

    when: When
    name: str = ""
    over: Over | None = None


def standard(*, when: When | None = None, **over: Over) -> Callable[[F], F]:
    """Mark a function as a standard test.

    Args:
        when: Whether a connector with these capabilities gets it; all do by default.
        over: At most one argument of the test, and what it takes for a connector; each value once. Without
            values the test does not apply.
    """
    (name, values), *rest = over.items() or [("", None)]
    assert not rest, "a standard test has one argument beside the harness at most"

    def mark(function: F) -> F:
        function._terms = _Terms(when=when or _always, name=name, over=values)  # type: ignore[attr-defined]  # noqa: SLF001
        return function

    return mark


def _always(_: Capabilities) -> bool:
    return True


@attrs.frozen(kw_only=True)
class Chosen:
    """A standard test as one connector gets it."""

    function: Any
    argument: str
    values: tuple[Any, ...]

    def ids(self) -> tuple[str, ...]:
        """Return the names of the values."""
        return tuple(str(value) for value in self.values)

    def test(self, deviating: Deviation | None = None) -> FunctionType:
        """Return a function of its own with the marks that pytest reads."""
        made: FunctionType = _copy(self.function)
        marks: list[pytest.MarkDecorator] = []
        if inspect.iscoroutinefunction(made):
            marks.append(pytest.mark.asyncio(loop_scope="function"))
        only = deviating.only if deviating else ()
        if self.argument:
            values = [
                pytest.param(value, id=name, marks=[deviating.mark] if deviating and name in only else [])
                for value, name in zip(self.values, self.ids(), strict=True)
            ]
            marks.append(pytest.mark.parametrize(self.argument, values))
        if deviating and not only:
            marks.append(deviating.mark)
        for mark in marks:
            made = mark(made)
        return made


def choose(group: type, capabilities: Capabilities) -> dict[str, Chosen]:
    """Return the standard tests of *group* that a connector with these capabilities gets."""
    found = {}
    for name, function in vars(group).items():
        terms = getattr(function, "_terms", None)
        if not isinstance(terms, _Terms) or not terms.when(capabilities):
            continue
        values = tuple(terms.over(capabilities)) if terms.over else ()
        if terms.over is None or values:
            found[name] = Chosen(function=function, argument=terms.name, values=values)
    return found


def _copy(function: Any) -> FunctionType:
    """Return the same function as another object: pytest keeps marks on the function."""
    made = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    made.__kwdefaults__ = function.__kwdefaults__
    made.__doc__ = function.__doc__
    made.__module__ = function.__module__
    made.__qualname__ = function.__qualname__
    made.__annotations__ = dict(function.__annotations__)
    return made


class Policed:
    """Base of every suite: holds what its tests must be, and refuses subclasses that change them."""

    chosen: Mapping[str, Chosen] = {}
    """The standard tests of this suite, by name."""
    standard: Mapping[str, Any] = {}
    """The functions that stand under these names, deviations included."""

    _suite: "type[Policed]"

    def __init_subclass__(cls, *, suite: bool = False, **rest: Any) -> None:
        """Take in the deviations that *cls* declares, and refuse whatever else it does to standard tests."""
        super().__init_subclass__(**rest)
        if suite:
            cls._suite = cls  # the suite itself, which is just being made
            return
        declared = {name: value for name, value in vars(cls).items() if isinstance(value, Deviation)}
        for name, value in declared.items():
            setattr(cls, name, _deviating(cls, name, value))
        cls.standard = {**cls.standard, **{name: vars(cls)[name] for name in declared}}
        if problems := tampered(cls):
            raise ConformanceError(f"{cls.__name__}: {'; '.join(problems)}")


def _deviating(cls: type[Policed], name: str, value: Deviation) -> FunctionType:
    if name not in cls.chosen:
        raise ConformanceError(
            f"{cls.__name__}: {name} is no standard test of this connector; remove the deviation"
        )
    chosen = cls.chosen[name]
    if unknown := set(value.only) - set(chosen.ids()):
        raise ConformanceError(
            f"{cls.__name__}: {name} has no case {min(unknown)!r}; it has {', '.join(chosen.ids())}"
        )
    return chosen.test(value)


def tampered(cls: type[Policed]) -> list[str]:
    """Return what has been done to the standard tests of a suite, one sentence each."""
    problems = []
    suite = cls._suite
    for name in suite.chosen:
        present = inspect.getattr_static(cls, name, None)
        if present is not cls.standard[name]:
            done = "overridden" if callable(present) else "deleted"
            problems.append(f"the standard test {name} is {done}; declare a deviation instead")
    if inspect.getattr_static(cls, "harness") is not vars(suite)["harness"]:
        problems.append("the fixture 'harness' is overridden; give suite() another Harness instead")
    if cls.chosen is not suite.chosen:
        problems.append("'chosen' is overridden; declare deviations instead")
    return problems
