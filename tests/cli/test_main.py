"""The command line as a whole: its commands, its shared options, and how it ends."""

import asyncio
import gc
import json
import os
import shlex
import signal
import subprocess
import sys
import textwrap
import threading
from importlib import import_module
from pathlib import Path

import click
import pytest

from adnet import errors
from adnet.cli import COMMANDS, _call, _exits, main
from adnet.cli._call import Call, InterruptedRunError
from cli.kit import PERIOD, configure

REFUSED = errors.AuthenticationError("no", account="partner")
DENIED = errors.AccessDeniedError("no")
UNREACHABLE = errors.ConnectError("no")
NO_CURRENCY = errors.ConfigurationError("no")


def ran_alone(script):
    """Run a Python script in a process of its own, which signals may end."""
    command = [sys.executable, "-c", script]
    return subprocess.run(command, check=False, capture_output=True, timeout=20, text=True)


class TestHelp:
    def test_every_command_is_listed(self, adnet):
        """`adnet --help` names every command."""
        ran = adnet("--help")
        assert ran.code == 0
        assert [name for name in COMMANDS if f"\n  {name} " not in ran.out] == []

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_command_explains_itself(self, adnet, name):
        """Each command can be imported and has help, with the shared options in it."""
        ran = adnet(name, "-h")
        assert ran.code == 0
        assert isinstance(import_module(f"adnet.cli.{name}").command, click.Command)
        assert all(option in ran.out for option in ("--config FILE", "--json", "--verbose", "--debug"))

    def test_help_is_quick(self, home):
        """Help imports no command, and none of the heavy libraries."""
        code = (
            "import sys; from adnet.cli import main; main(['--help']);"
            "print(*(set(sys.modules) & {'rich', 'duckdb', 'pyarrow', 'adnet.cli.pull', 'adnet.cli.demo'}))"
        )
        out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        assert out.endswith("\n\n")

    def test_version(self, adnet):
        """The version goes to standard output, as JSON wherever --json stands."""
        assert adnet("--version").out.startswith("adnet 0.")
        assert adnet("--json", "--version").json["version"].startswith("0.")
        assert adnet("--version", "--json").json == adnet("--json", "--version").json

    def test_no_command(self, adnet):
        """Without a command, help is shown as an error of usage."""
        ran = adnet()
        assert (ran.code, ran.out) == (2, "")
        assert "Commands:" in ran.err

    def test_module(self, home):
        """`python -m adnet` is the same command line."""
        ran = subprocess.run(
            [sys.executable, "-m", "adnet", "nothing"], check=False, capture_output=True, text=True
        )
        assert ran.returncode == 2
        assert ran.stderr.startswith("adnet: there is no command 'nothing'")


class TestShell:
    def test_completion(self, home):
        """A shell can be told how to complete commands."""
        done = subprocess.run(
            [sys.executable, "-m", "adnet"],
            check=False,
            capture_output=True,
            text=True,
            env={
                **os.environ,
                "_ADNET_COMPLETE": "bash_complete",
                "COMP_WORDS": "adnet ne",
                "COMP_CWORD": "1",
            },
        )
        assert (done.returncode, done.stdout) == (0, "plain,networks\n")

    def test_other_threads(self, home):
        """The command line can be called from any thread, where no signal can be caught."""
        codes = []
        thread = threading.Thread(target=lambda: codes.append(main(["--version"])))
        thread.start()
        thread.join()
        assert codes == [0]


class TestStreams:
    def shell(self, words):
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {shlex.quote(sys.executable)} -m adnet {words}"],
            check=False,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stderr

    @pytest.mark.parametrize("words", ["--help", "networks --json"])
    def test_reader_who_stops_reading(self, home, words):
        """`adnet … | head -1` ends well and without a word."""
        assert self.shell(f"{words} | head -1") == (0, "")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
    def test_full_disk(self, home):
        """A result that cannot be written is an error, which says where it was to go."""
        assert self.shell("networks --json > /dev/full") == (
            2,
            "adnet: standard output: No space left on device\n",
        )

    def test_closed_output(self, home):
        """Whoever closes standard output gets no result, and no trouble."""
        assert self.shell("networks >&-") == (0, "")


class TestUsage:
    def test_unknown_command(self, adnet):
        """The nearest command is named."""
        ran = adnet("pul")
        assert (
            ran.code,
            ran.line,
        ) == (2, "adnet: there is no command 'pul'; did you mean 'pull'? See `adnet --help`")

    def test_unknown_command_like_none(self, adnet):
        """Where no command is near, all are named."""
        assert "there are demo, pull, check" in adnet("zzz").line

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("pull",), "Missing option"),
            (("pull", "--sinc", "2026-01-01"), "No such option"),
            (("jobs", "lst"), "there is no command 'lst'; did you mean 'list'?"),
            (("jobs", "cancel"), "name the jobs to cancel, or say --all"),
        ],
    )
    def test_one_line(self, adnet, words, message):
        """A mistake in the words is told in one line that says where to look."""
        ran = adnet(*words)
        assert ran.code == 2
        assert message in ran.line
        assert "--help`" in ran.line

    @pytest.mark.parametrize("words", [("--config", "x.toml", "check"), ("check", "--config", "x.toml")])
    def test_config_before_and_after_the_verb(self, adnet, words):
        """The configuration may be named on either side of the verb."""
        assert "the configuration x.toml does not exist" in adnet(*words).line

    @pytest.mark.parametrize("words", [("--config", "", "check"), ("check", "--config", "")])
    def test_a_config_that_is_empty_is_none_that_is_found(self, adnet, partner, words):
        """A variable that is not set must not lead to the accounts of another configuration."""
        configure(partner.account())
        ran = adnet(*words)
        assert (ran.code, ran.out, "it is empty; name a file" in ran.line) == (2, "", True)

    def test_the_last_config_counts(self, adnet):
        """What stands nearer to the end wins."""
        assert "b.toml does not exist" in adnet("--config", "a.toml", "check", "--config", "b.toml").line

    @pytest.mark.parametrize("words", [("--json", "networks"), ("networks", "--json")])
    def test_json_before_and_after_the_verb(self, adnet, words):
        """So may --json."""
        assert "networks" in adnet(*words).json

    def test_verbose(self, adnet, partner):
        """With -v, what is sent is logged, without the token."""
        configure(partner.account())
        ran = adnet("check", "-v")
        assert "partner offers.list sent /api/offers" in ran.err
        assert partner.sandbox.credentials["token"] not in ran.err


class TestExits:
    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (errors.ConfigurationError("no"), 2),
            (errors.UnknownNetworkError("no"), 2),
            (errors.StateError("no"), 2),
            (errors.SinkError("no"), 2),
            (errors.UnsupportedError("no"), 2),
            (errors.UnsafePlanError("no"), 2),
            (errors.CredentialsError("no"), 2),
            (REFUSED, 3),
            (errors.TokenRevokedError("no"), 3),
            (DENIED, 3),
            (UNREACHABLE, 5),
            (errors.ServerError("no"), 5),
            (errors.SchemaError("no"), 5),
            (errors.OriginError("no"), 5),
            (errors.TruncatedReportError("no"), 5),
            (ExceptionGroup("tasks", [ExceptionGroup("more", [errors.SinkError("no")])]), 2),
            (ExceptionGroup("tasks", [errors.SinkError("no"), KeyError("x")]), 1),
            (errors.BatchError("some", [DENIED, UNREACHABLE]), 3),
            (click.UsageError("no"), 2),
            (click.Abort(), 130),
            (KeyboardInterrupt(), 130),
            (InterruptedRunError("go on"), 130),
            (PermissionError(13, "Permission denied", "x"), 2),
            (BrokenPipeError(), 0),
            (ValueError("oh"), 1),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
    )
    def test_each_error_has_its_code(self, capsys, error, code):
        """The one place where errors become exit codes, and at most one line each."""
        assert code == _exits.explained(error, Call())
        assert capsys.readouterr().err.count("\n") == (0 if isinstance(error, BrokenPipeError) else 1)

    @pytest.mark.parametrize(
        ("failed", "landed", "code"),
        [
            ([], True, 0),
            ([], False, 0),
            ([REFUSED, UNREACHABLE], True, 4),
            ([REFUSED, DENIED, errors.CredentialsError("no")], False, 3),
            ([REFUSED, UNREACHABLE], False, 5),
            ([NO_CURRENCY], False, 2),
            ([NO_CURRENCY, UNREACHABLE], False, 5),
        ],
    )
    def test_several_accounts(self, failed, landed, code):
        """What failed, and whether anything landed, decide together."""
        assert code == _exits.code_of_some(failed, landed=landed)

    def test_remedy(self):
        """A refusal says what to look at."""
        assert _exits.sentence(REFUSED) == "partner: no; check the account's credentials in the configuration"

    def test_notes_of_an_error_are_told(self):
        """Whether it may have been executed, and until when the network is not asked again, stand in notes."""
        error = errors.ServerError("gone", status=502)
        error.add_note("it may have been executed, and is not sent again")
        told = "gone (HTTP 502); it may have been executed, and is not sent again"
        assert _exits.sentence(error).startswith(told)

    def test_bug(self, capsys):
        """A bug is told as one, with how to report it and without a traceback."""
        _exits.explained(ValueError("odd\nthing token=abcdefgh"), Call())
        line = capsys.readouterr().err
        assert "this is a bug in adnet: ValueError: odd thing token=***; please report" in line
        assert "Traceback" not in line

    def test_debug(self, capsys):
        """With --debug the traceback is shown, without secrets."""
        with pytest.raises(ValueError, match="abcdefgh") as caught:
            int("token=abcdefgh")
        assert _exits.explained(caught.value, Call(debug=True)) == 1
        shown = capsys.readouterr().err
        assert "Traceback" in shown
        assert "abcdefgh" not in shown


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_work_is_cancelled_and_may_tidy_up(self, number):
        """A signal cancels the work, which then has its time to put things in order."""
        tidied = []

        async def work():
            try:
                os.kill(os.getpid(), number)
                await waiting()
            finally:
                await waiting(0)
                tidied.append(True)

        with pytest.raises(InterruptedRunError, match="go on so"):
            _call.run(work(), go_on="go on so")
        assert tidied == [True]

    def test_trouble_while_tidying_up(self):
        """What goes wrong while things are put in order is not told as the reason."""

        async def work():
            try:
                os.kill(os.getpid(), signal.SIGINT)
                await waiting()
            finally:
                raise errors.SinkError("too late")

        with pytest.raises(InterruptedRunError):
            _call.run(work())

    def test_second_signal(self):
        """A second signal does not wait, and what is told is told once."""
        # In a process of its own: a second SIGINT must never reach the test worker.
        script = textwrap.dedent("""
            import asyncio, os, signal
            from adnet.cli import _call

            async def work():
                try:
                    os.kill(os.getpid(), signal.SIGINT)
                    await asyncio.sleep(30)
                finally:
                    os.kill(os.getpid(), signal.SIGINT)
                    await asyncio.sleep(30)

            try:
                _call.run(work(), go_on="go on so")
            except _call.InterruptedRunError as error:
                print(error)
        """)
        # Without the second signal it would have waited for longer than the time-out.
        ended = ran_alone(script)
        assert (ended.stdout, ended.stderr, ended.returncode) == ("go on so\n", "", 0)

    def test_third_signal(self):
        """A third signal ends the process, whatever is still being put in order, and says nothing."""
        script = textwrap.dedent("""
            import asyncio, os, signal
            from adnet.cli import _call

            async def stubborn(times):
                try:
                    os.kill(os.getpid(), signal.SIGINT)
                    await asyncio.sleep(30)
                finally:
                    if times > 1:
                        await stubborn(times - 1)

            _call.run(stubborn(3))
        """)
        ended = ran_alone(script)
        assert (ended.stdout, ended.stderr, ended.returncode) == ("", "", -signal.SIGINT)

    def test_signals_in_one_go(self):
        """A hand that hits Ctrl-C again and again stops the work as two signals do."""
        script = textwrap.dedent("""
            import asyncio, os, signal
            from adnet.cli import _call

            async def work():
                for _ in range(5):
                    os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(30)

            try:
                _call.run(work(), go_on="go on so")
            except _call.InterruptedRunError as error:
                print(error)
        """)
        ended = ran_alone(script)
        assert (ended.stdout, ended.stderr, ended.returncode) == ("go on so\n", "", 0)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_signals_are_heard_as_before_afterwards(self, number):
        """What a signal did before the work, it does after it: results are still to be written then."""

        def heard(*_):
            raise KeyboardInterrupt

        before = signal.signal(number, heard)
        try:
            _call.run(waiting(0))
            assert signal.getsignal(number) is heard
        finally:
            signal.signal(number, before)

    def test_pull_says_how_to_go_on(self, home, partner):
        """Interrupted, a pull exits with 130 and one line; run again, it lands everything."""
        configure(partner.account())
        command = [sys.executable, "-m", "adnet", "pull", *PERIOD, "--to", "duckdb:ads.duckdb", "--json"]
        seen = len(partner.sandbox.log)
        partner.sandbox.ready_after_s, before = 60.0, partner.sandbox.ready_after_s
        try:
            running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            partner.wait_for("POST", "/api/clicks", after=seen)
            running.send_signal(signal.SIGTERM)
            assert (running.communicate(timeout=20)[0], running.returncode) == ("", 130)
        finally:
            partner.sandbox.ready_after_s = before
        partner.sandbox.evict()
        again = subprocess.run(command, check=True, capture_output=True, text=True)
        assert json.loads(again.stdout)["ok"]


async def waiting(seconds=30):
    """Wait for a signal."""
    await asyncio.sleep(seconds)


def test_a_command_seldom_looks_for_cycles_and_leaves_that_as_it_was() -> None:
    """How often Python looks is the process's own to say; a caller of `main` gets it back as it was."""

    async def during() -> int:
        return gc.get_threshold()[0]

    before = gc.get_threshold()
    assert _call.run(during()) > before[0]
    assert gc.get_threshold() == before
