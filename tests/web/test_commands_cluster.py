"""The private servers: what is made, what is found left over, where the sockets lie."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from web.commands import cluster, process


@pytest.fixture
def postgres(open_folder: Path) -> cluster.Postgres:
    return cluster.Postgres(
        open_folder / "pg", open_folder / "run", process.server_owner(), cluster.FORGETFUL
    )


@pytest.fixture
def start():
    """Start a server; whatever still runs after the test is killed."""
    children: list[subprocess.Popen[bytes]] = []

    def begin(server: cluster.Postgres) -> subprocess.Popen[bytes]:
        children.append(server.program().spawn())
        cluster.wait_ready(server, children[-1])
        return children[-1]

    yield begin
    for child in children:
        child.kill()
        child.wait()


def test_a_cluster_is_made_once_survives_a_kill_and_has_no_port(postgres, start):
    postgres = replace(postgres, settings=cluster.DURABLE)
    assert postgres.initialise()
    assert not postgres.initialise()
    first = start(postgres)
    postgres.ensure_database()
    postgres.ensure_database()
    with psycopg.connect(postgres.url()) as conn:
        conn.execute("CREATE TABLE kept AS SELECT 1")
        [(address,)] = conn.execute("SHOW listen_addresses").fetchall()
        [(checksums,)] = conn.execute("SHOW data_checksums").fetchall()
    assert (address, checksums) == ("", "on")
    first.send_signal(signal.SIGQUIT)
    first.wait()
    second = start(postgres)
    with psycopg.connect(postgres.url()) as conn:
        assert conn.execute("SELECT * FROM kept").fetchall() == [(1,)]
    assert postgres.left_over() == second.pid
    assert postgres.stop_left_over() == second.pid
    assert second.wait() == 0
    assert postgres.left_over() is None


def test_a_mark_whose_number_another_process_has_now_is_removed(postgres):
    postgres.initialise()
    mark = postgres.folder / "postmaster.pid"
    mark.write_text(f"{os.getpid()}\n")
    assert postgres.left_over() is None
    assert not mark.exists()


def test_an_unfinished_cluster_is_made_anew(postgres):
    postgres.folder.with_name("pg.unfinished").mkdir()
    assert postgres.initialise()
    assert (postgres.folder / "PG_VERSION").exists()
    assert not postgres.folder.with_name("pg.unfinished").exists()


def test_a_cluster_that_cannot_be_made_says_why(open_folder, monkeypatch):
    monkeypatch.setattr(cluster, "postgres_binaries", lambda: None)
    server = cluster.Postgres(open_folder / "pg", open_folder / "run", process.server_owner())
    with pytest.raises(cluster.ServerError, match="apt-get install"):
        server.initialise()


def test_the_live_cluster_is_durable():
    assert cluster.DURABLE["fsync"] == cluster.DURABLE["full_page_writes"] == "on"
    assert cluster.DURABLE["synchronous_commit"] == "on"


def test_sockets_lie_in_the_data_folder_unless_its_path_is_too_long():
    assert cluster.socket_folder(Path("/srv/golden")) == Path("/srv/golden/run")
    long = Path("/srv") / ("x" * 90)
    assert cluster.socket_folder(long) == cluster.socket_folder(long)
    assert len(str(cluster.socket_folder(long))) < 60


def test_redis_starts_from_its_check_program_and_throws_nothing_away(open_folder, monkeypatch):
    check_program = shutil.which("redis-check-rdb")
    monkeypatch.setattr(cluster, "redis_binary", lambda: check_program)
    server = cluster.Redis(open_folder / "run", process.server_owner())
    server.owner.make_folder(server.sockets)
    child = server.program().spawn()
    cluster.wait_ready(server, child)
    with cluster.redis.Redis.from_url(server.url) as client:
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert client.config_get("port")["port"] == "0"
    assert server.program().stop(child) == 0
    assert not server.is_ready()


def test_a_server_that_ends_at_once_is_reported(open_folder):
    server = cluster.Redis(open_folder / "run", process.server_owner())
    child = process.Program("redis", (sys.executable, "-c", "raise SystemExit(7)")).spawn()
    with pytest.raises(cluster.ServerError, match="status 7"):
        cluster.wait_ready(server, child)
