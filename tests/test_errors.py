"""The tree of errors, as drawn and as built."""

import inspect
import pickle
import re
from datetime import UTC, datetime

import pytest

from adnet import errors
from adnet.errors import (
    AdnetError,
    ApiError,
    BatchError,
    ConfigurationError,
    ConnectError,
    InvalidRequestError,
    LostReplyError,
    NotFoundError,
    RateLimitError,
    RequestTimeoutError,
    TokenExpiredError,
    UnknownNetworkError,
)

CLASSES = [
    value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, AdnetError)
]
PLAIN = [cls for cls in CLASSES if cls is not BatchError]


def drawn() -> dict[str, str]:
    """Return class name -> base names, as the module's docstring draws them."""
    tree: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(
            r"    (?P<bars>(?:[| ]  )*)(?P<tip>[|']- )?(?P<name>\w+Error)(?: \((?P<std>\w+)\))?$", line
        )
        if found:
            depth = len(found["bars"]) // 3 + bool(found["tip"])
            parent = above[depth - 1] if depth else "Exception"
            above[depth:] = [found["name"]]
            tree[found["name"]] = " ".join(filter(None, [parent, found["std"]]))
    return tree


def test_the_drawn_tree_is_the_tree_of_classes():
    """The docstring draws every class below its base, with the standard base it also has."""
    built = {}
    for cls in CLASSES:
        bases = sorted(cls.__bases__, key=lambda base: not issubclass(base, AdnetError))
        built[cls.__name__] = " ".join(base.__name__ for base in bases)
    assert built == drawn()


@pytest.mark.parametrize("cls", PLAIN)
def test_an_error_pickles_with_all_it_knows(cls):
    """Errors cross process borders whole, notes included."""
    error = cls("no luck", network="acme", account="shop", operation="x.list", status=418, code="E1",
                request_id="r-1", attempts=3, waited_s=2.5)  # fmt: skip
    error.add_note("a note")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is cls
    assert vars(again) == vars(error)
    assert str(again) == str(error)


@pytest.mark.parametrize("cls", PLAIN)
def test_an_error_is_one_line_that_names_where_and_what(cls):
    """The text names account, operation, status, code, request, attempts and wait, on one line."""
    error = cls("first\nsecond", account="shop", operation="x.list", status=500, code="E1",
                request_id="r-1", attempts=2, waited_s=1.0)  # fmt: skip
    assert str(error) == (
        "shop x.list: first second (HTTP 500, code E1, request r-1, 2 attempts, waited 1.0 s)"
    )


def test_the_account_is_named_rather_than_the_network():
    """A user knows accounts by their names in the configuration."""
    assert str(AdnetError("no", network="acme")) == "acme: no"
    assert str(AdnetError("no", network="acme", account="shop")) == "shop: no"


def test_a_detail_that_the_class_does_not_have_is_a_programming_error():
    """A mistyped detail does not vanish."""
    with pytest.raises(TypeError, match="retry_in"):
        NotFoundError("no", retry_in=3)


def test_context_fills_gaps_and_overwrites_nothing():
    """What is known closest to the wire stays."""
    error = NotFoundError("no", status=404).add_context(status=500, network="acme")
    assert (error.status, error.network) == (404, "acme")


def test_who_waited_for_the_same_has_an_error_of_its_own():
    """Context and notes of the one say nothing of the other; why it came to that is the same."""
    error = RateLimitError("slower", status=429, retry_after_s=5.0)
    error.__cause__ = OSError("x")
    error.add_note("first")
    other = error.copied()
    other.add_context(operation="x.get").add_note("second")
    assert (type(other), other.retry_after_s, other.__cause__) == (RateLimitError, 5.0, error.__cause__)
    assert (error.operation, error.__notes__, other.__notes__) == (None, ["first"], ["first", "second"])


def test_standard_bases_let_plain_code_catch_them():
    """Code that knows nothing of adnet can catch what means the same."""
    assert issubclass(ConnectError, ConnectionError)
    assert issubclass(RequestTimeoutError, TimeoutError)
    assert issubclass(ConfigurationError, ValueError)
    assert issubclass(UnknownNetworkError, LookupError)


def test_temporary_errors_are_exactly_these():
    """The flag says whether the same call may succeed later without a change."""
    temporary = {cls.__name__ for cls in CLASSES if cls.temporary}
    assert temporary == {
        "TransportError", "ConnectError", "RequestTimeoutError", "IncompleteBodyError", "TokenExpiredError",
        "RateLimitError", "ServerError", "JobExpiredError", "JobTimeoutError",
    }  # fmt: skip
    assert not LostReplyError.temporary
    assert TokenExpiredError("x").temporary


def test_special_attributes_survive_pickling():
    """Attributes of single classes are kept too."""
    error = RateLimitError("slow", retry_after_s=3.0, free_at=datetime(2026, 1, 1, tzinfo=UTC), scope="a/b")
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)
    fields = InvalidRequestError("no", fields={"bid": "too low"})
    assert pickle.loads(pickle.dumps(fields)).fields == {"bid": "too low"}


def test_every_refusal_of_a_network_can_tell_codes_and_fields():
    """Whoever catches ApiError may ask for them; what is not told is empty."""
    assert (ApiError("no").code, ApiError("no").subcode, ApiError("no").fields) == (None, None, {})
    error = NotFoundError("no", code="invalid", subcode="gone", fields={"id": "gone"})
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)


def test_a_batch_error_is_a_group_and_pickles():
    """``except*`` works, and so does sending it to another process."""
    group = BatchError("2 of 3 items failed", [NotFoundError("a"), ApiError("b")])
    again = pickle.loads(pickle.dumps(group))
    assert str(again) == "2 of 3 items failed (2 failed)"
    matched, rest = group.split(NotFoundError)
    assert isinstance(matched, BatchError)
    assert [error.message for error in rest.exceptions] == ["b"]


def test_a_batch_error_is_caught_as_an_adnet_error():
    """One ``except AdnetError`` is enough for a script."""
    with pytest.raises(AdnetError):
        raise BatchError("1 failed", [ApiError("b")])
