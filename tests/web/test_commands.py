"""The `golden` program: its frame, settings, accounts and the data folder."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from dispatch.settings import Settings
from web import commands
from web.commands import accounts, installation, options, process, settings
from web.commands.trouble import Trouble


@pytest.fixture
def golden(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the program against a fresh database."""
    monkeypatch.setenv("GOLDEN_DATABASE_URL", database)
    monkeypatch.setenv("GOLDEN_DATA_DIR", str(tmp_path))

    def run(*arguments: str, text: str | None = None) -> Result:
        return CliRunner().invoke(commands.build(arguments), arguments, input=text)

    return run


@pytest.fixture
def org(database: str) -> str:
    with psycopg.connect(database) as conn:
        conn.execute(
            "INSERT INTO org (id, code, name_zh, name_en, level, path, timezone) VALUES "
            "(gen_random_uuid(), 'wh', '武汉', 'Wuhan', 2, 'wh/', 'Asia/Shanghai')"
        )
    return "wh"


def test_help_names_every_command_and_loads_none():
    shown = CliRunner().invoke(commands.build(["--help"]), ["--help"])
    assert shown.exit_code == 0
    assert all(name in shown.output for name in commands.COMMANDS)


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_every_command_has_help_in_both_languages(name: str):
    shown = CliRunner().invoke(commands.build([name]), [name, "--help"])
    assert shown.exit_code == 0
    assert any("\u4e00" <= letter <= "\u9fff" for letter in shown.output)


def test_settings_lists_every_setting_and_hides_passwords(golden, monkeypatch):
    monkeypatch.setenv("GOLDEN_DATABASE_URL", "postgresql://me:secret@db/golden")
    shown = golden("settings", "--json")
    rows = {row["name"]: row for row in json.loads(shown.output)}
    assert set(rows) == {f"GOLDEN_{name.upper()}" for name in Settings.model_fields}
    assert rows["GOLDEN_DATABASE_URL"]["value"] == "postgresql://me:***@db/golden"
    assert all(row["en"] and row["zh"] for row in rows.values())
    assert settings.list_settings(Settings())[0]["default"] == ""


def test_a_user_is_added_once_and_gets_a_second_role(golden, org, database):
    added = golden("user", "add", "lin", "--role", "operator", "--org", org, "--json")
    golden("user", "add", "lin", "--role", "carer", "--org", org)
    again = golden("user", "add", "lin", "--role", "keeper", "--org", org, "--json")
    assert json.loads(added.output)["id"] == json.loads(again.output)["id"]
    with psycopg.connect(database) as conn:
        roles = conn.execute("SELECT role FROM membership ORDER BY role").fetchall()
    assert roles == [("carer",), ("keeper",), ("operator",)]


def test_a_password_is_read_from_standard_input_and_kept_hashed(golden, org, database):
    word = "correct horse battery"
    add = ("user", "add", "lin", "--role", "admin", "--org", org, "--password-stdin")
    assert golden(*add, text=word + "\n").exit_code == 0
    with psycopg.connect(database) as conn:
        [(kept,)] = conn.execute("SELECT password_hash FROM person").fetchall()
    assert kept.startswith("$argon2id$")


def test_a_weak_password_and_an_unknown_organisation_are_refused(golden, org):
    weak = golden("user", "add", "a", "--role", "admin", "--org", org, "--password-stdin", text="a")
    assert isinstance(weak.exception, Trouble)
    nowhere = golden("user", "add", "a", "--role", "admin", "--org", "nowhere")
    assert isinstance(nowhere.exception, Trouble)


def test_a_token_is_printed_once_and_kept_hashed(golden, org, database):
    golden("user", "add", "lin", "--role", "operator", "--org", org)
    secret = golden("token", "lin", "--expires", "30d").output.strip()
    assert len(secret) == 43
    with psycopg.connect(database) as conn:
        [(kept,)] = conn.execute("SELECT token_hash FROM api_token").fetchall()
    assert len(kept) == 32
    assert secret.encode() not in kept


def test_a_sign_in_link_has_its_secret_where_no_log_sees_it(golden, org):
    golden("user", "add", "lin", "--role", "operator", "--org", org)
    [made] = json.loads(golden("link", "lin", "--json").output)
    address, _, secret = made["link"].partition("#")
    assert address.endswith("/sign-in")
    assert len(secret) == 43


def test_a_link_for_nobody_says_what_to_do(golden, org):
    refused = golden("link", "nobody")
    assert isinstance(refused.exception, Trouble)
    assert "golden user add nobody" in refused.exception.en


def test_without_a_database_a_command_says_how_to_start_one(golden, monkeypatch):
    monkeypatch.setenv("GOLDEN_DATABASE_URL", "postgresql://golden@/golden?host=/nonexistent")
    refused = golden("token", "lin")
    assert isinstance(refused.exception, Trouble)
    assert "golden up" in refused.exception.en


def test_migrate_does_nothing_on_a_schema_that_is_up(golden):
    answer = json.loads(golden("migrate", "--json").output)
    assert answer["applied"] == 0
    assert answer["from"] == answer["to"]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC) - datetime(2026, 11, 22, tzinfo=UTC)),
    ],
)
def test_the_end_of_a_token_is_read(text: str, end: timedelta):
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert accounts.parse_end(text, now=now) == now + end


def test_a_wrong_end_is_refused():
    with pytest.raises(Trouble):
        accounts.parse_end("soon", now=datetime(2026, 11, 22, tzinfo=UTC))


def test_settings_come_from_the_environment_before_the_file(tmp_path, monkeypatch):
    (tmp_path / "golden.env").write_text("GOLDEN_WAVE_SIZE=5\nGOLDEN_REACH_S=600\n")
    monkeypatch.setenv("GOLDEN_REACH_S", "700")
    place = installation.find(tmp_path)
    assert (place.settings.wave_size, place.settings.reach_s) == (5, 700)


def test_the_environment_of_a_child_gives_the_same_settings(tmp_path, monkeypatch):
    place = installation.find(tmp_path).with_settings(allowed_origins=("http://a", "http://b"))
    for name, value in installation.environment(place.settings).items():
        monkeypatch.setenv(name, value)
    assert installation.find().settings == place.settings


def test_only_one_holds_a_data_folder_and_the_others_learn_its_port(tmp_path):
    place = installation.find(tmp_path)
    with installation.hold(place) as lock:
        installation.tell(lock, installation.Running(pid=1, port=8321, valhalla_url=""))
        assert installation.find(tmp_path).settings.port == 8321
        with pytest.raises(installation.AlreadyRunning), installation.hold(place):
            pass
    assert installation.running(place.lock_path) is None
    assert installation.find(tmp_path).settings.port == 8000


def test_a_file_left_by_a_killed_system_is_no_running_system(tmp_path):
    (tmp_path / "running.json").write_text('{"pid": 1, "port": 1, "valhalla_url": ""}')
    assert installation.running(tmp_path / "running.json") is None


def test_a_clone_that_the_database_cannot_reach_keeps_its_data_elsewhere(tmp_path):
    closed = tmp_path / "closed" / "clone"
    closed.mkdir(parents=True)
    closed.parent.chmod(0o700)
    owner = process.server_owner()
    if owner.can_pass(closed):
        pytest.skip("the tests run as the database's own user")
    folder = installation.default_data_dir(closed)
    assert closed not in folder.parents
    assert folder.name.startswith("clone-")


def test_json_is_printed_as_one_document(capsys):
    options.print_json({"a": 1})
    assert json.loads(capsys.readouterr().out) == {"a": 1}
