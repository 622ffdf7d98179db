"""What is printed, and how."""

import io
import json
import logging
import os
import re
import sys
import types
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from adnet.cli.output import Output, Table, plain, shown, styled
from adnet.interface import Support

TABLE = Table(("name", "rows"), [("one", 7), ("three", 12)], title="Numbers")


def bare(text):
    """Return what a terminal shows, without colours and the like."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


class TestTable:
    def test_plain_columns_are_aligned(self):
        """Texts stand to the left, numbers to the right, and no line ends in blanks."""
        assert plain(TABLE) == "Numbers\nname   rows\none       7\nthree    12"

    def test_no_rows(self):
        """Where there are no rows, the table says so."""
        assert plain(Table(("name", "rows"), [])) == "name  rows\n(none)"

    def test_missing_numbers_are_blank(self):
        """A column of numbers with gaps is still one of numbers."""
        assert plain(Table(("n",), [(None,), (10,), (5,)])) == " n\n\n10\n 5"

    def test_styled_table_has_colours(self):
        """On a terminal, words that say how it went are coloured."""
        assert "\x1b[32mok" in styled(Table(("verdict",), [("ok",)]))

    def test_wide_letters_take_two_places(self):
        """Columns stay aligned; a combining mark takes none."""
        table = Table(("name", "n"), [("夏の", 1), ("e\u0301té", 2), ("a", 3)])
        assert plain(table) == "name  n\n夏の  1\ne\u0301té   2\na     3"

    def test_a_narrow_terminal_is_shown_no_empty_columns(self, monkeypatch):
        """Where there is room they stand there, so that one sees what might."""
        table = Table(("account", "blocked_until", "left"), [("a", None, 7)], title="Limits")
        for columns, header in (("30", "account  blocked_until  left"), ("20", "account  left")):
            monkeypatch.setenv("COLUMNS", columns)
            assert header in bare(styled(table))

    def test_long_texts_are_folded_and_no_others(self, monkeypatch):
        """An account's name in the middle of which a line ends is no name."""
        monkeypatch.setenv("COLUMNS", "50")
        lines = bare(
            styled(Table(("account", "detail"), [("targetcircle", "so many words " * 5)]))
        ).splitlines()
        assert [line.split()[0] for line in lines][:2] == ["account", "targetcircle"]
        assert max(map(len, lines)) <= 50

    def test_rows_without_room_stand_by_themselves(self, monkeypatch):
        """A line for each value, none for those that are not there."""
        monkeypatch.setenv("COLUMNS", "22")
        rows = [("targetcircle", "failed", None), ("mgid", "ok", "USD")]
        lines = bare(styled(Table(("account", "verdict", "currency"), rows, title="Checks"))).splitlines()
        assert [line.split() for line in lines] == [
            ["Checks"], [],
            ["account", "targetcircle"], ["verdict", "failed"], [],
            ["account", "mgid"], ["verdict", "ok"], ["currency", "USD"],
        ]  # fmt: skip

    @pytest.mark.parametrize("width", [14, 20, 24])
    def test_no_terminal_is_too_narrow_for_a_whole_amount(self, monkeypatch, width):
        """It is folded, and loses no digit."""
        monkeypatch.setenv("COLUMNS", str(width))
        amount = Decimal("123456789012.34")
        lines = bare(styled(Table(("impressions", "revenue"), [(7, amount)]))).splitlines()
        assert "".join(line[13:] for line in lines[1:]).replace(" ", "") == str(amount)

    def test_no_color(self, monkeypatch):
        """NO_COLOR takes the colours away."""
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b[3" not in styled(Table(("verdict",), [("ok",)]))

    def test_nothing_in_a_cell_is_markup(self):
        """A campaign may be called like a style."""
        assert "[red]x[/red]" in styled(Table(("name",), [("[red]x[/red]",)]))

    def test_nothing_in_a_cell_is_an_order_to_the_terminal(self):
        """Control characters in a name do not reach the terminal."""
        assert plain(Table(("name",), [("a\x1b[2Jb\nc\x07",)])) == "name\na [2Jb c"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (1.234, "1.23"),
        (Decimal("1.230000"), "1.230000"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02 03:04:05Z"),
        (("a", None, "b"), "a, , b"),
        (Support.NATIVE, "native"),
    ],
)
def test_values_as_people_read_them(value, text):
    """Each kind of value has one way to be shown."""
    assert text == shown(value)


class TestResult:
    def test_blocks_for_people(self, capsys):
        """Blocks are separated by an empty line."""
        Output().result({}, TABLE, "the end")
        assert capsys.readouterr().out == plain(TABLE) + "\n\nthe end\n"

    def test_json_for_machines(self, capsys):
        """With --json the data goes out, its dates, decimals and words as texts."""
        out = Output()
        out.json = True
        words = {"c": Support.NONE, "d": {"é"}, "e": types.MappingProxyType({})}
        out.result({"a": Decimal("1.50"), "b": date(2026, 1, 2), **words}, TABLE)
        text = capsys.readouterr().out
        assert json.loads(text) == {"a": "1.50", "b": "2026-01-02", "c": "none", "d": ["é"], "e": {}}
        assert text.isascii()

    def test_unknown_value_is_a_bug(self):
        """A value without a form in JSON is not made up."""
        out = Output()
        out.json = True
        with pytest.raises(TypeError, match="holds object"):
            out.result(object())

    def test_result_beside_rows(self, capsys):
        """When standard output is taken by rows, the result goes to standard error."""
        Output().result({}, TABLE, to_stderr=True)
        assert capsys.readouterr() == ("", plain(TABLE) + "\n")

    def test_terminal(self, monkeypatch):
        """A terminal gets styles, a dumb one does not."""
        terminal = io.StringIO()
        terminal.isatty = lambda: True
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setenv("TERM", "xterm")
        Output().result({}, TABLE)
        assert "\x1b[1m" in terminal.getvalue()
        monkeypatch.setenv("TERM", "dumb")
        assert not Output.styled()


class TestStreams:
    def test_same_problem_once(self, capsys):
        """What several accounts have in common is told once, on one line each."""
        Output().problems(["a\nb", "c", "a\nb"])
        assert capsys.readouterr().err == "adnet: a b\nadnet: c\n"

    def test_reader_who_has_gone(self, monkeypatch):
        """`adnet … | head -1` ends without a word."""
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "w", buffering=1) as pipe:
            monkeypatch.setattr(sys, "stdout", pipe)
            Output().line("nobody reads this")
            Output().line("nor this")
            Output.flush()

    def test_letters_that_the_terminal_cannot_show(self, monkeypatch):
        """They are replaced, not run into."""
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii", newline="\n"))
        Output().line("Casalån")
        assert raw.getvalue() == b"Casal?n\n"

    def test_log(self, capsys):
        """Asked for, what adnet logs goes to standard error until the end, however often it was asked for."""
        logger, out = logging.getLogger("adnet"), Output()
        out.log()
        out.log()
        logger.debug("partner offers.list sent")
        out.end()
        logger.debug("partner offers.list answered")
        assert capsys.readouterr().err.count("partner offers.list") == 1
