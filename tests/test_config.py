"""The configuration file: where it is found, what it may say, and how its secrets are fetched."""

import os
import re
import sys
import types
from pathlib import Path

import pytest

import adnet
from adnet import config
from adnet.errors import AdnetError, ConfigurationError, CredentialsError, StateError

PARTNER = """
[state]
url = "sqlite:kept/state.db"

[accounts.partner]
network = "targetcircle"
base_url = "https://partner.example/api"
token = "s3cret-token-of-partner"
currency = "EUR"
limits = { api = "4/s", pages = 8 }
"""


@pytest.fixture(autouse=True)
def _apart(tmp_path, monkeypatch):
    """Keep every test away from the files of whoever runs it."""
    monkeypatch.delenv("ADNET_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def write(text, path="adnet.toml"):
    file = Path(path).absolute()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def there(path):
    return Path(path).exists()


def refusal(text, **options):
    """Return the one line with which a file of this text is refused."""
    with pytest.raises(ConfigurationError) as caught:
        config.load(write(text), **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def account(*lines, network="targetcircle"):
    return "\n".join(["[accounts.partner]", f'network = "{network}"', *lines])


class TestFinding:
    def test_named_file_comes_first(self, monkeypatch):
        """A file named on the command line wins over all others."""
        monkeypatch.setenv("ADNET_CONFIG", str(write("", "variable.toml")))
        assert write("", "named.toml") == config.find("named.toml")

    def test_variable_comes_before_the_working_folder(self, monkeypatch):
        """$ADNET_CONFIG wins over ./adnet.toml."""
        write("")
        monkeypatch.setenv("ADNET_CONFIG", str(write("", "variable.toml")))
        assert Path("variable.toml").absolute() == config.find()

    def test_working_folder_comes_before_the_user_folder(self):
        """./adnet.toml wins over the user's own."""
        write("", "user/adnet/adnet.toml")
        assert write("") == config.find()

    def test_user_folder_comes_last(self):
        """The platform's user configuration folder is looked at in the end."""
        assert write("", "user/adnet/adnet.toml") == config.find()

    def test_nothing_found_names_both_places(self):
        """Without any file, the message names the places and how to go on."""
        with pytest.raises(ConfigurationError, match=r"\./adnet\.toml nor .*user.*--config.*adnet demo"):
            config.find()

    def test_missing_named_file(self):
        """A named file that is not there is no reason to take another one."""
        write("")
        with pytest.raises(ConfigurationError, match=r"other\.toml does not exist"):
            config.find("other.toml")

    def test_missing_file_of_the_variable(self, monkeypatch):
        """The message says that the variable named it."""
        monkeypatch.setenv("ADNET_CONFIG", "gone.toml")
        with pytest.raises(
            ConfigurationError, match=r"gone\.toml \(named by \$ADNET_CONFIG\) does not exist"
        ):
            config.find()

    def test_folder_is_no_file(self):
        """A folder is refused as such."""
        with pytest.raises(ConfigurationError, match="is a folder"):
            config.find(".")


class TestReading:
    def test_account(self):
        """An account has its network, base URL, limits as text, and the network's own keys."""
        partner = config.load(write(PARTNER)).accounts["partner"]
        assert (partner.network, partner.base_url) == ("targetcircle", "https://partner.example/api")
        assert partner.limits == {"api": "4/s", "pages": "8"}
        assert partner.credentials() == {"token": "s3cret-token-of-partner", "currency": "EUR"}

    def test_state_is_relative_to_the_file(self):
        """A relative state file is sought beside the configuration, not in the working folder."""
        file = write(PARTNER, "deep/adnet.toml")
        assert f"sqlite:{file.parent / 'kept/state.db'}" == config.load(file).state_url

    @pytest.mark.parametrize("url", ["state.db", "./state.db", "sqlite:state.db"])
    def test_state_without_a_scheme_is_relative_to_the_file_too(self, url, tmp_path, monkeypatch):
        """Runs from different folders share one state, however its file is written."""
        file = write(f'[state]\nurl = "{url}"', "deep/adnet.toml")
        monkeypatch.chdir(tmp_path)
        with config.open_state(config.load(file)) as state:
            assert Path(state.database.name).absolute() == file.parent / "state.db"

    def test_state_elsewhere_is_left_alone(self):
        """A state that is no file is passed on as it stands."""
        assert config.load(write('[state]\nurl = "redis://host/0"')).state_url == "redis://host/0"

    def test_state_by_default(self, tmp_path):
        """Without a state url it is in the platform's state folder."""
        assert f"sqlite:{tmp_path / 'state/adnet/state.db'}" == config.load(write("")).state_url

    def test_numbers_and_booleans_are_texts(self):
        """A network's key takes a number or a boolean as well."""
        file = write(account('token = "abcdef"', "send_nulls = true", "currency = 978"))
        found = config.load(file).accounts["partner"].credentials()
        assert found == {"token": "abcdef", "send_nulls": "true", "currency": "978"}

    def test_byte_order_mark(self):
        """A file with a byte order mark is read like any other."""
        assert list(config.load(write(b"\xef\xbb\xbf" + PARTNER.encode())).accounts) == ["partner"]

    def test_only_some_in_the_order_asked_for(self):
        """Names chosen on the command line select accounts, each once."""
        file = write("".join(f'[accounts.{name}]\nnetwork = "targetcircle"\n' for name in "abc"))
        assert list(config.load(file, only=["c", "a", "c"]).accounts) == ["c", "a"]

    def test_account_of_a_network_that_is_not_here(self):
        """An account that is not asked for may be on a network that is not installed."""
        file = write(PARTNER + '[accounts.other]\nnetwork = "nowhere"\n')
        assert list(config.load(file, only="partner").accounts) == ["partner"]


class TestRefusing:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[account.partner]", r"the file has no key 'account'; did you mean 'accounts'\?"),
            ("[state]\nuri = 'x'", r"\[state\] has no key 'uri'; did you mean 'url'\?"),
            (account("tokn = 'x'"), r"account 'partner' on targetcircle has no key 'tokn'.*'token'\?"),
            (
                account("token = { evn = 'X' }"),
                r"token of account 'partner' has no key 'evn'; did you mean 'env'\?",
            ),
            (
                account("zzz = 'x'"),
                r"has no key 'zzz'; there are network, base_url, proxy, limits, ceilings, token, currency",
            ),
            ("[accounts.partner]", r"account 'partner' names no network; there are .*targetcircle"),
            (
                account(network="targetcircel"),
                r"'partner': unknown network 'targetcircel'; did you mean 'targetcircle'",
            ),
            ("accounts = 3", r"\[accounts\] must be a table"),
            ("accounts.partner = 3", r"\[accounts\.partner\] must be a table"),
            ("state = []", r"\[state\] must be a table"),
            ("[state]\nurl = ''", r"\[state\] url must be a text"),
            (account("base_url = 3"), r"partner': base_url must be a text"),
            (account("limits = 3"), r"limits must be a table"),
            (account("limits = { api = [4] }"), r'the limit api must be like "4/s"'),
            (account("limits = { api = true }"), r'the limit api must be like "4/s"'),
            (account("token = 1.5"), r"token of account .partner. must be text, or \{ env ="),
            (account("token = ['x']"), r"token of account .partner. must be text, or \{ env ="),
            (account("token = {}"), r"token of .* takes exactly one of env, file, keyring"),
            (account("token = { env = 'A', file = 'B' }"), r"token of .* takes exactly one of"),
            (account("token = { env = 3 }"), r"token of account .partner.: env must be a text"),
            (account("token = { keyring = 'service' }"), r'keyring must be "service/name"'),
            ('[accounts."a\\nb"]\nnetwork = "targetcircle"', r"must be printable"),
        ],
    )
    def test_what_is_wrong_is_named(self, text, message):
        """The line names the file, the place and the nearest known word."""
        with pytest.raises(ConfigurationError, match=r"adnet\.toml: .*" + message):
            config.load(write(text))

    def test_unknown_account(self):
        """A name that is not in the file is told with the nearest one that is."""
        assert "no account 'partnr'; did you mean 'partner'?" in refusal(PARTNER, only=["partnr"])

    def test_unknown_account_of_an_empty_file(self):
        """Where there is no account at all, the line says so."""
        assert "there is no account 'partner'; there is none" in refusal("", only=["partner"])

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("[accounts.partner]\ntoken = s3cret-token", "line 2, column 9"),
            ('[accounts.partner]\ntoken = "s3cret-token', "line 2, column 22"),
            ("a = 1\na = 2", "line 2, column 6"),
            (b"[accounts.x]\ntoken = '\xff'", "line 2: not text in UTF-8"),
        ],
    )
    def test_syntax(self, text, place):
        """What is no TOML is told by line and column, without quoting the line."""
        line = refusal(text)
        assert place in line
        assert "s3cret" not in line

    @pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "1" * 5000])
    def test_abuse(self, text):
        """A value that no reader can take is refused, not run into."""
        assert "too long or nested too deeply" in refusal(text)

    def test_unreadable_file(self, monkeypatch):
        """A file that may not be read is told with the reason."""
        file = write(PARTNER)

        def denied(self, mode):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", denied)
        with pytest.raises(ConfigurationError, match=r"adnet\.toml cannot be read: Permission denied"):
            config.load(file)

    def test_what_has_no_end(self):
        """A device that gives bytes for ever is refused; no memory is filled with it."""
        with pytest.raises(ConfigurationError, match="/dev/zero cannot be read: it is larger than 1 MB"):
            config.load(Path("/dev/zero"))

    def test_long_word_in_place_of_a_key(self):
        """A key that may be a secret in the wrong place is not shown whole."""
        assert "0123456789abcdef" not in refusal(account("0123456789abcdef0123456789abcdef = 'x'"))


class TestSecrets:
    def fetched(self, value):
        return config.load(write(account(f"token = {value}"))).accounts["partner"].credentials()["token"]

    def missing(self, value):
        with pytest.raises(CredentialsError) as caught:
            self.fetched(value)
        return str(caught.value)

    def test_variable(self, monkeypatch):
        """A secret is taken from the environment as it is."""
        monkeypatch.setenv("TC_TOKEN", "from-the-environment")
        assert self.fetched("{ env = 'TC_TOKEN' }") == "from-the-environment"

    def test_missing_variable(self, monkeypatch):
        """The line names the account, the key and the variable."""
        monkeypatch.delenv("TC_TOKEN", raising=False)
        expected = "token of account 'partner': the environment variable TC_TOKEN is not set; set it"
        assert expected == self.missing("{ env = 'TC_TOKEN' }")

    def test_empty_variable(self, monkeypatch):
        """An empty variable is as good as none."""
        monkeypatch.setenv("TC_TOKEN", "")
        assert "TC_TOKEN is empty" in self.missing("{ env = 'TC_TOKEN' }")

    def test_variable_that_is_no_text(self, monkeypatch):
        """Bytes of another encoding are a mistake of this one account, and none of adnet's."""
        monkeypatch.setenv("TC_TOKEN", os.fsdecode(b"abcd\xe9fgh"))
        assert "TC_TOKEN is not text in UTF-8" in self.missing("{ env = 'TC_TOKEN' }")

    @pytest.mark.parametrize(
        ("content", "secret"),
        [(b"abc", "abc"), (b"abc\n", "abc"), (b"abc\r\n", "abc"), (b"abc\n\n", "abc\n"), (b" abc ", " abc "),
         (b"\xef\xbb\xbfabc\r\n", "abc")],
    )  # fmt: skip
    def test_file_loses_its_final_newline(self, content, secret):
        """One line end at the end of a secret's file is no part of it, nor is a byte order mark; all else is."""
        write(content, "secrets/token")
        assert secret == self.fetched("{ file = 'secrets/token' }")

    def test_file_is_relative_to_the_configuration(self):
        """A secret's file is sought beside the configuration."""
        write("beside", "deep/token")
        file = write(account("token = { file = 'token' }"), "deep/adnet.toml")
        assert config.load(file).accounts["partner"].credentials() == {"token": "beside"}

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (None, "No such file"),
            (b"\n", "is empty"),
            (b"\xff\xfe", "not text in UTF-8"),
            (b"x" * 2**20 + b"x", "larger than 1 MB"),
        ],
    )
    def test_bad_file(self, content, problem):
        """A secret's file that is of no use is named with the reason."""
        if content is not None:
            write(content, "token")
        assert problem in self.missing("{ file = 'token' }")

    def test_keyring(self, monkeypatch):
        """The last part of a keyring entry is its name; what stands before is the service."""
        ring = self.ring(monkeypatch, {("https://a.example/x", "me"): "from-the-ring"})
        assert self.fetched("{ keyring = 'https://a.example/x/me' }") == "from-the-ring"
        assert "keyring set service me" in self.missing("{ keyring = 'service/me' }")
        ring.broken = True
        assert "the keyring refuses: KeyringError" in self.missing("{ keyring = 'service/me' }")

    def test_keyring_not_installed(self, monkeypatch):
        """Without the library, the line says what to install."""
        monkeypatch.setitem(sys.modules, "keyring", None)
        with pytest.raises(ConfigurationError, match=r'pip install "adnet\[keyring\]"'):
            self.fetched("{ keyring = 'service/me' }")

    def ring(self, monkeypatch, entries):
        errors = types.ModuleType("keyring.errors")
        errors.KeyringError = type("KeyringError", (Exception,), {})
        ring = types.ModuleType("keyring")
        ring.broken = False

        def get_password(service, name):
            if ring.broken:
                raise errors.KeyringError("s3cret")
            return entries.get((service, name))

        ring.get_password = get_password
        monkeypatch.setitem(sys.modules, "keyring", ring)
        monkeypatch.setitem(sys.modules, "keyring.errors", errors)
        return ring

    def test_nothing_shows_a_secret(self):
        """No representation of a configuration shows a literal secret."""
        assert "s3cret" not in repr(config.load(write(PARTNER)))

    def test_unused_account_needs_no_secret(self, monkeypatch):
        """A machine has to know the secrets of the accounts that it uses, no others."""
        monkeypatch.delenv("NOT_HERE", raising=False)
        other = '[accounts.other]\nnetwork = "targetcircle"\ntoken = { env = "NOT_HERE" }\n'
        assert (
            "token" in config.load(write(PARTNER + other), only=["partner"]).accounts["partner"].credentials()
        )


class TestOpening:
    async def test_accounts_share_one_state(self):
        """All accounts of a file are on one state, which is made where the file says."""
        second = PARTNER.replace("[accounts.partner]", "[accounts.second]").partition("[accounts")
        async with adnet.open(write(PARTNER + "[accounts" + second[2])) as accounts:
            assert list(accounts) == ["partner", "second"]
            assert accounts["partner"].state is accounts["second"].state
        assert there("kept/state.db")

    async def test_none_that_is_wanted_is_none(self):
        """A list of names may be empty, and the file is not to blame for that."""
        async with adnet.open(write(PARTNER), only=[]) as accounts:
            assert accounts == {}

    async def test_names_go_with_the_accounts(self):
        """An account is called as in the file."""
        async with adnet.open(write(PARTNER), only="partner") as accounts:
            assert (accounts["partner"].name, accounts["partner"].network) == ("partner", "targetcircle")

    async def test_state_is_closed_at_the_end(self):
        """When the block ends, the state is closed."""
        async with adnet.open(write(PARTNER)) as accounts:
            state = accounts["partner"].state
        with pytest.raises(StateError):
            state.jobs.unfinished()

    async def test_loaded_configuration(self):
        """A configuration that was loaded already is not read again."""
        loaded = config.load(write(PARTNER))
        write("nonsense")
        async with adnet.open(loaded) as accounts:
            assert list(accounts) == ["partner"]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "has no account; add a section"),
            (account(), "account 'partner': token is missing"),
            (account("token = 'abcdefgh'"), "needs base_url"),
            (
                account("token = 'abcdefgh'", "base_url = 'http://h.example'"),
                "partner: base_url .* in the clear",
            ),
            (PARTNER.replace("api = ", "apple = "), "there is no limit 'apple'; there are .*api"),
            (PARTNER.replace("api = ", "ap = "), "there is no limit 'ap'; did you mean 'api'"),
            (PARTNER + "ceilings = { pags = 4 }", "there is no ceiling 'pags'; did you mean 'pages'"),
            (PARTNER + "ceilings = { zzz = 4 }", "there is no ceiling 'zzz'; there are body_bytes, "),
            (PARTNER + "proxy = 'hunter2:1'", "account 'partner': proxy must be http://HOST:PORT"),
            (PARTNER.replace("4/s", "often"), "the limit api = 'often' is none"),
            (PARTNER.replace("sqlite:", "mongo:"), "unknown scheme 'mongo'"),
        ],
    )
    async def test_what_cannot_be_opened(self, text, message):
        """An account that cannot be opened is told before anything is sent."""
        with pytest.raises(ConfigurationError) as caught:
            async with adnet.open(write(text)):
                pass
        assert re.search(message, str(caught.value))

    async def test_the_proxy_may_hold_a_password(self, monkeypatch):
        """It comes from where secrets come from; where it is missing, that fails its own account alone."""
        monkeypatch.setenv("PROXY", "http://me:hunter2@127.0.0.1:9")
        configured = config.load(write(PARTNER + "proxy = { env = 'PROXY' }"))
        assert "hunter2" not in repr(configured)
        async with adnet.open(configured) as accounts:
            assert accounts["partner"].connector.session.scrubber.text("hunter2") == "***"
        monkeypatch.delenv("PROXY")
        failed: dict[str, AdnetError] = {}
        async with config.open_accounts(configured, unopened=failed) as accounts:
            assert not accounts
        assert "proxy of account 'partner': the environment variable PROXY is not set" in str(
            failed["partner"]
        )

    async def test_missing_secret_leaves_no_state_behind(self, monkeypatch):
        """Secrets are fetched before the state is made."""
        monkeypatch.delenv("TC_TOKEN", raising=False)
        text = PARTNER.replace('"s3cret-token-of-partner"', "{ env = 'TC_TOKEN' }")
        with pytest.raises(CredentialsError):
            async with adnet.open(write(text)):
                pass
        assert not there("kept")

    async def test_encrypted_state(self):
        """A key of the state comes from wherever a secret can come from."""
        write("the key of the state\n", "key")
        text = PARTNER.replace('state.db"', 'state.db"\nkey = { file = "key" }')
        async with adnet.open(write(text)):
            pass
        write("another key\n", "key")
        with pytest.raises(StateError):
            async with adnet.open(write(text)):
                pass


def test_the_states_own_folder_is_not_open_to_others(tmp_path, monkeypatch):
    """The default one is adnet's alone; the error says how to close it."""
    folder = tmp_path / "adnet"
    folder.mkdir()
    folder.chmod(0o755)
    monkeypatch.setattr("adnet.config.default_state_url", lambda: f"sqlite:{folder / 'state.db'}")
    with pytest.raises(StateError, match=f"chmod 700 {folder}"):
        config.open_state(None)
    folder.chmod(0o700)
    config.open_state(None).close()
