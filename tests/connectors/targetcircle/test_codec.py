"""Rows of reports to models: exact, whole, and never another error than ours."""

import json
from contextlib import aclosing
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import adnet
from adnet.connectors.targetcircle import codec
from adnet.connectors.targetcircle.amounts import has_amounts
from adnet.connectors.targetcircle.native import joined
from adnet.connectors.targetcircle.rows import ClickRow, OfferRow, PricingRow, TradeRow, TransactionRow
from adnet.errors import AdnetError, DecodeError, InvalidRequestError, PayloadError, SchemaError
from adnet.money import Money
from adnet.testing import MemorySink, answer

from .kit import JSON, SINCE, TOKEN, UNTIL, Reports, click, clicks, connect, sale, transactions


async def only(row):
    """Return the one transaction that *row* becomes."""
    (found,) = await transactions([row])
    return found


@pytest.mark.parametrize(
    ("digits", "amount"),
    [("25.0", "25.0"), ("0.1", "0.1"), ("0.000001", "0.000001"), ("123456789012.345678", "123456789012.345678"),
     ("1e2", "1E+2"), ("-3.5", "-3.5"), ("7", "7"), ('"8.10"', "8.10")],
)  # fmt: skip
async def test_money_keeps_the_digits_of_the_wire(digits, amount):
    """No float stands between the network's digits and the Decimal."""
    text = json.dumps(sale(commission=0)).replace('"commission": 0', f'"commission": {digits}')
    tx = await only_text(text)
    assert (Decimal(amount).as_tuple(), "EUR") == (tx.commission.amount.as_tuple(), tx.commission.currency)


async def only_text(text):
    """Return the one transaction of a page whose row is exactly *text*."""

    def spoil(report, page, body):
        whole = f'{{"data":[{text}],"token":"x","status":"READY","pagesNumber":1}}'
        return answer(200, body=whole.encode())

    (found,) = await transactions([sale()], spoil=spoil)
    return found


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "sNaN", "nan", "inf", 1e13, "1e999999999"])
async def test_money_is_a_finite_number(word):
    """A text that Decimal would read as no number is another shape than expected."""
    with pytest.raises(SchemaError):
        await only(sale(commission=word))


@pytest.mark.parametrize(
    ("raw", "status"),
    [("pending", "pending"), ("approved", "approved"), ("approved, invoiced", "approved"),
     ("approved, paid in", "approved"), ("approved, paid out", "paid"), ("Approved,  Paid Out ", "paid"),
     ("approved,paid out", "paid"), ("approved , paid in", "approved"),
     ("APPROVED, PAID OUT", "paid"), ("declined", "declined"), ("failed", "declined"), ("under review", "unknown"),
     ("", "unknown"), (None, "unknown")],
)  # fmt: skip
async def test_statuses_become_our_words(raw, status):
    """The network's word is kept beside ours, and an unknown one does not raise."""
    tx = await only(sale(conversionStatus=raw))
    assert (status, raw) == (tx.status, tx.status_raw)


@pytest.mark.parametrize(
    ("reference", "labels"),
    [(["a", "b"], ("a", "b")), ([], ()), (None, ()), (["", None, "a"], ("a",)), ("a", ("a",)), ("", ()),
     ({"ref1": "a", "ref2": None, "ref3": "b"}, ("a", "b")), ([1, "2"], ("1", "2"))],
)  # fmt: skip
async def test_labels_keep_their_order(reference, labels):
    """``reference`` is a list, an object of ref1 to ref5, or one label; empty ones are no labels."""
    assert labels == (await only(sale(reference=reference))).sub_ids


@pytest.mark.parametrize(
    ("told", "code"), [("USD", "USD"), ("nok", "NOK"), (None, "EUR"), ("", "EUR"), ("€", None)]
)
async def test_an_amount_that_names_no_currency_is_in_the_one_asked_for(told, code):
    """A row's own currency counts first; one that cannot be read is not guessed at."""
    account, _ = connect(Reports([sale(currency=told)]))
    async with account, aclosing(account.connector.list_transactions(account.period(SINCE, UNTIL))) as found:
        (batch,) = [batch async for batch in found]
    (tx,) = batch.models()
    assert tx.currency == code
    assert (tx.commission, tx.amount) == ((Money("1.5", code), Money("10", code)) if code else (None, None))
    assert batch.columns("transactions")["currency"] == [code]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Germany", "DE"),
        ("Korea, Republic of", "KR"),
        ("Rest of World", None),
        ("Atlantis", None),
        (None, None),
    ],
)
async def test_countries_become_codes_and_the_name_stays(name, code):
    """The name that the network printed can be read in ``raw``."""
    tx = await only(sale(country=name))
    assert (code, name) == (tx.country, tx.raw["country"])


@pytest.mark.parametrize(
    ("stamp", "moment"),
    [("2016-01-05T10:00:00Z", "2016-01-05T10:00:00Z"), ("2016-01-05T11:00:00+01:00", "2016-01-05T10:00:00Z"),
     ("2016-01-05T10:00:00", "2016-01-05T10:00:00Z"), ("2016-01-05 10:00:00", "2016-01-05T10:00:00Z"),
     ("2016-01-05T10:00:00.250Z", "2016-01-05T10:00:00.250Z")],
)  # fmt: skip
async def test_instants_are_utc(stamp, moment):
    """An instant without a zone is UTC; the id is the same however it was written."""
    tx = await only(sale(saved=stamp))
    assert datetime.fromisoformat(moment) == tx.occurred_at
    assert tx.occurred_at.tzinfo is UTC
    assert "." in stamp or (await only(sale())).transaction_id == tx.transaction_id


@pytest.mark.parametrize(
    "stamp", ["", "soon", "2016-01-05T25:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-05:00"]
)
async def test_what_is_no_instant_is_told(stamp):
    """A row without its instant cannot be landed, and the error names the network's own key."""
    with pytest.raises(SchemaError, match="saved"):
        await only(sale(saved=stamp))


async def test_money_without_a_currency_stays_in_raw():
    """What is no ISO code is no currency; nothing is guessed."""
    tx = await only(sale(currency="EURO"))
    assert (tx.currency, tx.amount, tx.commission) == (None, None, None)
    assert (tx.raw["currency"], tx.raw["commission"]) == ("EURO", Decimal("1.5"))


async def test_money_without_a_currency_does_not_land():
    """A sum would take it for money of the account's own currency; rows beside it keep theirs."""
    account, _ = connect(Reports([sale(currency="EURO"), sale(trackingId="t-2", currency=None)]))
    sink = MemorySink()
    async with account:
        await adnet.pull(account, since=SINCE, until=UNTIL, to=sink, tables=["transactions"])
    told = [(row["currency"], row["amount"], row["commission"]) for row in sink.rows("transactions")]
    assert told == [(None, None, None), ("EUR", Decimal(10), Decimal("1.5"))]


async def test_commission_rep_is_kept_and_not_summed():
    """What ``commissionRep`` means is not documented: it stays readable."""
    tx = await only(sale(commissionRep=99.9))
    assert Money("1.5", "EUR") == tx.commission
    assert tx.raw["commissionRep"] == Decimal("99.9")


async def test_a_secret_inside_a_row_is_removed():
    """Keys that are called a token, and our own token wherever it stands, reach no ``raw``."""
    tx = await only(sale(extra={"apiToken": "abc", "list": [TOKEN]}, offerName=f"x {TOKEN}"))
    assert TOKEN not in tx.raw.json()
    assert "abc" not in tx.raw.json()
    assert TOKEN not in tx.offer_name


@pytest.mark.parametrize(
    "key", ["token", "TOKEN", "Token", "accessToken", "ACCESS_TOKEN", r"\u0074\u006fken", r"t\u006Fken"]
)
async def test_a_token_has_no_other_spelling(key):
    """However its key is spelled, capitals and escapes too, a token reaches no ``raw``."""
    row = json.dumps(sale())[:-1]
    tx = await only_text(f'{row},"{key}":"sf3jtsgCUZ123"}}')
    assert "sf3jtsgCUZ123" not in tx.raw.json()


async def test_our_token_has_no_other_spelling():
    """JSON may spell any sign as an escape; .NET does so with some."""
    row = json.dumps(sale())[:-1] + r',"extra":"SDhV/\u002BkyKhtuuZAZ"}'
    page = answer(200, body=f'{{"data":[{row}],"status":"READY","pagesNumber":1}}'.encode())
    account, _ = connect(Reports([sale()], spoil=lambda *_: page), token="SDhV/+kyKhtuuZAZ")
    async with account:
        (tx,) = [tx async for tx in account.list_transactions(since=SINCE, until=UNTIL)]
    assert tx.raw["extra"] == "***"


async def test_a_click_has_no_address():
    """The address is a keyed hash, equal for equal addresses, and it is nowhere else."""
    one, two, other = await clicks(
        [click(), click("2016-01-05T10:00:01Z"), click("2016-01-05T10:00:02Z", ip="2001:db8::1")]
    )
    assert one.ip_hash == two.ip_hash != other.ip_hash
    assert "192.0.2.1" not in f"{one} {one.raw.json()} {one.click_key}"
    assert "ip" not in one.raw


async def test_a_click_without_an_address_has_no_hash():
    """Nothing is hashed that is not there."""
    assert [found.ip_hash for found in await clicks([click(ip=None), click(ip="")])] == [None, None]


@pytest.mark.parametrize(
    "body",
    [b'{"status":"READY","pagesNumber":1,"data":[{"ip":"192.0.2.1",',
     b'{"status":"READY","pagesNumber":1,"data":[{"ip":"192.0.2.1","clickDate":1}]}',
     b'{"status":1,"data":[{"ip":"192.0.2.1"}]}'],
)  # fmt: skip
async def test_an_error_quotes_no_address(body):
    """What cannot be read names its place, and shows nobody's address."""
    with pytest.raises(PayloadError) as caught:
        await clicks([click()], spoil=lambda _report, _page, _body: answer(200, body=body))
    assert caught.value.operation == "clicks.page"
    assert "192.0.2.1" not in f"{caught.value!r} {caught.value} {vars(caught.value)}"


@pytest.mark.parametrize("name", ["unheard", "unheard token"])
async def test_a_key_that_is_no_utf_8_is_no_json(name):
    """Whether rows go through the scrubber, since they mention a token, or only lose their addresses."""

    def spoil(_report, _page, body):
        return answer(200, body=json.dumps(body).encode().replace(b"unheard", b"\xed\xa0\x80"))

    with pytest.raises(DecodeError) as caught:
        await clicks([click(**{name: 1})], spoil=spoil)
    assert caught.value.operation == "clicks.page"


async def test_a_transaction_that_is_no_utf_8_lands_with_its_own_object():
    """Where the typed fields can be read, one that nobody reads does not keep the row from landing."""

    def spoil(_report, _page, body):
        return answer(200, body=json.dumps(body).encode().replace(b"unheard", b"\xff"))

    account, _ = connect(Reports([sale(unheard=1)], spoil=spoil))
    async with account, aclosing(account.connector.list_transactions(account.period(SINCE, UNTIL))) as found:
        (batch,) = [batch async for batch in found]
        (raw,), (model,) = batch.columns("transactions")["raw"], batch.models()
        assert (json.loads(raw)["\ufffd"], model.raw.json()) == (1, raw)


@pytest.mark.parametrize(
    ("row", "amount", "kind", "event"),
    [
        ({"commision": 10.0, "commisionType": "Fixed", "conversionType": "lead"}, "10.0", "fixed", "lead"),
        ({"commission": 7, "commissionType": "Percentage", "transactionType": "sale"}, "7", "percent", "sale"),
        ({"payout": 3.5, "commissionType": "Variable percentage"}, "3.5", "percent", None),
        ({"payout": 3.5, "commissionType": "in %"}, "3.5", "percent", None),
        ({"payout": 3.5, "commissionType": "Revshare"}, "3.5", "percent", None),
        ({"payout": 3.5, "commissionType": "Fixed, under review: previous"}, "3.5", "fixed", None),
        ({"payout": 0.32, "commissionType": "Fixed", "transactionType": "Install"}, "0.32", "fixed", "Install"),
        ({"commission": 1, "commision": 2, "commissionType": "Fixed", "commisionType": "%"}, "1", "fixed", None),
        ({"payout": 0, "commission": 5}, "0", "fixed", None),
        ({}, None, "fixed", None),
    ],
)  # fmt: skip
def test_a_payout_is_read_in_each_of_three_vocabularies(row, amount, kind, event):
    """Both spellings are read; where both come, the right one wins, and a zero is a value, nothing is none."""
    raw = json.dumps(row).encode()
    found = codec.payout(msgspec.json.decode(raw, type=PricingRow), None, raw)
    assert (amount and Decimal(amount), kind, event) == (found.amount, found.kind, found.event)
    assert raw.decode() == found.raw.json()


@pytest.mark.parametrize(
    ("named", "currency"), [("usd", "USD"), (None, "EUR"), ("", "EUR"), ("US dollars", None)]
)
def test_a_payout_in_a_currency_that_cannot_be_read_is_not_in_the_offers(named, currency):
    """Only a line that names none is in the offer's currency."""
    row = PricingRow(payout=Decimal(10), currency=named)
    assert currency == codec.payout(row, "EUR", b"{}").currency


@given(JSON)
def test_tidying_leaves_strict_json_as_it_is(value):
    """Commas inside texts are no commas before a bracket."""
    strict = json.dumps(value).encode()
    assert strict == codec.tidy_json(strict)


@given(JSON)
def test_tidying_drops_commas_before_brackets(value):
    """Whatever stands there, with a comma behind the last of everything it reads as without."""
    spoilt = f"[{json.dumps(value)} , \n ]".encode()
    assert [value] == json.loads(codec.tidy_json(spoilt))


@pytest.mark.parametrize("value", ["approved, paid out", ["a", "b,c"], "Korea, Republic of"])
def test_a_value_with_a_comma_is_not_sent(value):
    """The network would read it as two values; it is refused with the reason, before any request."""
    with pytest.raises(InvalidRequestError, match="comma") as caught:
        joined("country", value)
    assert list(caught.value.fields) == ["country"]


@given(field=st.sampled_from(sorted(sale())), value=JSON)
async def test_any_json_in_place_of_any_field_is_a_row_or_our_error(field, value):
    """Nothing that a server writes into a row raises anything but an error of ours."""
    try:
        found = await transactions([sale(**{field: value})])
    except AdnetError:
        return
    for tx in found:
        assert tx.transaction_id
        assert tx.amount is None or tx.amount.amount.is_finite()


def test_amounts_are_looked_for_wherever_a_row_may_have_some():
    """Those of a trade's payouts are two levels down; a click has none."""
    kinds = (TransactionRow, TradeRow, OfferRow, ClickRow)
    assert [kind for kind in kinds if not has_amounts(kind)] == [ClickRow]


@given(field=st.sampled_from(sorted(click())), value=JSON)
async def test_any_json_in_a_click_is_a_row_or_our_error(field, value):
    """The same for clicks."""
    try:
        found = await clicks([click(**{field: value})])
    except AdnetError:
        return
    assert all(row.click_key for row in found)


def test_a_country_that_is_not_known_keeps_its_name():
    """Leaving it out would make a payout for one country one for all of them."""
    assert codec.countries(["Norway", "Rest of World", "Atlantis", None, ""]) == ("NO", "Atlantis")
