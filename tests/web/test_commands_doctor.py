"""`golden doctor` names each way in which an installation can fail, and the mend."""

import json
import os
import socket
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from dispatch.settings import Settings
from web import commands
from web.commands import (
    check_channels,
    check_machine,
    check_servers,
    cluster,
    installation,
    keys,
    quick_look,
    schema,
)
from web.commands.finding import Finding, State


@pytest.fixture
def place(tmp_path: Path, database: str, redis_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GOLDEN_DATABASE_URL", database)
    monkeypatch.setenv("GOLDEN_REDIS_URL", redis_url)
    return installation.find(tmp_path / "data")


def machine(place: installation.Installation) -> dict[str, Finding]:
    return {found.code: found for found in check_machine.check(place)}


def servers(place: installation.Installation) -> dict[str, Finding]:
    return {found.code: found for found in check_servers.check(place)}


def wrong(found: Finding) -> bool:
    assert (found.mend is not None) == (found.state is State.BAD)
    assert found.en
    assert found.zh
    return found.state is State.BAD


def test_a_taken_port_is_found(place):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = place.with_settings(port=taken.getsockname()[1])
        assert wrong(machine(place)["port"])
    assert not wrong(machine(place)["port"])


def test_missing_servers_are_found_with_the_package_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "postgres_binaries", lambda: None)
    monkeypatch.setattr(cluster, "redis_binary", lambda: None)
    found = machine(installation.find(tmp_path))
    assert "postgresql-15-postgis-3" in found["postgres"].mend.en
    assert "redis-tools" in found["redis"].mend.en


def test_a_full_disk_is_found(place, monkeypatch):
    monkeypatch.setattr(check_machine, "_DISK_FLOOR_BYTES", 1 << 60)
    assert wrong(machine(place)["disk"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_database_folder_of_the_wrong_owner_is_found(tmp_path):
    place = installation.find(tmp_path)
    place.postgres.folder.mkdir()
    os.chown(place.postgres.folder, 12345, 12345)
    assert wrong(machine(place)["database_owner"])
    os.chown(place.postgres.folder, place.postgres.owner.uid, place.postgres.owner.gid)
    tmp_path.chmod(0o700)
    found = machine(place)
    assert wrong(found["database_path"])


def test_a_socket_path_that_is_too_long_is_found(tmp_path):
    place = installation.find(tmp_path)
    deep = replace(place.postgres, sockets=Path("/srv") / ("x" * 100))
    assert wrong(machine(replace(place, postgres=deep))["sockets"])


def test_pages_that_are_not_built_are_found(place, monkeypatch, tmp_path):
    monkeypatch.setattr(installation, "ROOT", tmp_path)
    assert wrong(machine(place)["front_ends"])


def test_a_database_with_fsync_off_is_found(place):
    found = servers(place)
    assert not wrong(found["database"])
    assert wrong(found["durable"])  # the tests' own cluster
    assert "fsync" in found["durable"].en


def test_a_database_that_is_away_is_found(place):
    away = place.with_settings(database_url="postgresql://golden@/golden?host=/nonexistent")
    assert wrong(servers(away)["database"])


def test_a_half_finished_migration_is_found(place):
    assert not wrong(servers(place)["schema"])
    assert quick_look.schema_is_up(place.settings.database_url)
    set_revision(place, "0001_pre_extensions")
    found = servers(place)["schema"]
    assert wrong(found)
    assert found.mend.en == "golden migrate"
    assert not quick_look.schema_is_up(place.settings.database_url)


def test_a_schema_ahead_of_the_program_is_found(place):
    set_revision(place, "9999_from_the_future")
    assert wrong(servers(place)["schema"])


def test_a_redis_that_is_away_is_found(place):
    assert not wrong(servers(place)["redis_server"])
    away = place.with_settings(redis_url="unix:///nonexistent/redis.sock")
    assert wrong(servers(away)["redis_server"])


def test_missing_walking_networks_are_found(place):
    place.data_dir.mkdir()
    assert wrong(servers(place)["routing_data"])


def test_a_private_database_that_is_not_started_is_no_fault(tmp_path):
    assert servers(installation.find(tmp_path))["database"].state is State.SKIPPED


def test_the_command_ends_with_status_one_when_something_is_wrong(place):
    arguments = ["doctor", "--json", "--data-dir", str(place.data_dir)]
    shown = CliRunner().invoke(commands.build(arguments), arguments)
    assert shown.exit_code == 1
    answer = json.loads(shown.output)
    assert not answer["ok"]
    assert {check["code"] for check in answer["checks"]} >= {"port", "disk", "durable", "schema"}


def test_the_newest_migration_is_the_one_that_alembic_means(database):
    assert quick_look.newest_revision() == schema.standing(database).head


def set_revision(place: installation.Installation, revision: str) -> None:
    with psycopg.connect(place.settings.database_url) as conn:
        conn.execute("UPDATE alembic_version SET version_num = %s", [revision])


def channel_findings(place: installation.Installation, **settings: object) -> dict[str, Finding]:
    return {found.code: found for found in check_channels.check(place.with_settings(**settings))}


def test_CHN_22_doctor_says_which_channels_are_on_and_what_others_lack(place):
    found = channel_findings(place)
    assert {one.state for one in found.values()} == {State.SKIPPED}
    keys.ensure(place)
    key = (place.data_dir / "vapid.key").read_text()
    assert (place.data_dir / "vapid.key").stat().st_mode & 0o777 == 0o600
    keys.ensure(place)
    assert (place.data_dir / "vapid.key").read_text() == key
    begun = {"sms_template_alert": "SMS_1", "aliyun_key_id": "id", "aliyun_key_secret": "hush"}
    found = channel_findings(place, **begun)
    assert found["channel_web_push"].state is State.OK
    assert wrong(found["channel_sms"])
    assert "GOLDEN_SMS_SIGN_NAME" in found["channel_sms"].mend.en
    found = channel_findings(place, **begun, sms_sign_name="某市红十字会")
    assert found["channel_sms"].state is State.OK
    assert wrong(found["channel_receipts"])
    assert "hush" not in str(found)
    found = channel_findings(place, vapid_private_key="not a key")
    assert wrong(found["channel_web_push"])


def test_CHN_22_no_command_shows_a_secret(place, monkeypatch):
    monkeypatch.setenv("GOLDEN_WECOM_SECRET", "hush-hush")
    for json_flag in ([], ["--json"]):
        program = commands.build(["settings"])
        shown = CliRunner().invoke(program, ["settings", *json_flag])
        assert "GOLDEN_WECOM_SECRET" in shown.output
        assert "hush-hush" not in shown.output


def test_CHN_22_a_refused_setting_shows_no_secret(monkeypatch):
    monkeypatch.setenv("GOLDEN_GATEWAY_SECRET", "hush-hush")
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert "at least 16" in str(refused.value)
    assert "hush-hush" not in str(refused.value)
