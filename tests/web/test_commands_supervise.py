"""The supervisor with real child processes."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from waiting import until

from web.commands import supervise
from web.commands.process import Program
from web.commands.trouble import Trouble

_READY = "import os; os.write(int(os.environ['GOLDEN_READY_FD']), b'ready\\n'); "
_LIVES = _READY + "import signal; signal.pause()"


def python(name: str, code: str, **options: object) -> Program:
    return Program(name, (sys.executable, "-c", code), **options)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
async def supervisor(tmp_path: Path, said: list[str]):
    supervisor = supervise.Supervisor(tmp_path, said.append)
    yield supervisor
    await supervisor.stop()


async def test_a_killed_child_is_started_again_at_once_and_said_aloud(supervisor, said):
    await supervisor.start(python("app-1", _LIVES))
    [child] = supervisor.children()
    for count in (1, 2, 3, 4):
        old = child.pid
        os.kill(old, signal.SIGKILL)
        await until(lambda old=old: child.pid != old and child.ready.is_set())
        assert child.restarts == count
    assert said[0].startswith("app-1 ended (killed by SIGKILL); restart no. 1")
    assert not any("waiting" in line for line in said)


async def test_a_child_that_is_never_ready_waits_after_three_tries(supervisor, said, tmp_path):
    with pytest.raises(Trouble, match=r"broken\.log"):
        await supervisor.start(python("broken", "print('no luck'); raise SystemExit(3)"))
    assert sum("exit status 3" in line for line in said) == 3
    assert "was never ready" in said[-1]
    assert (tmp_path / "broken.log").read_text().count("no luck") == 3


async def test_layers_stop_in_reverse_order(supervisor, tmp_path):
    note = tmp_path / "order"
    code = (
        "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit("
        f"open({str(note)!r}, 'a').write(sys.argv[1] + ' ') and 0)); " + _LIVES
    )
    for name in ("first", "second"):
        await supervisor.start(Program(name, (sys.executable, "-c", code, name)))
    await supervisor.stop()
    assert note.read_text() == "second first "


async def test_a_child_that_does_not_end_is_killed(supervisor, said):
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + _LIVES + "\n"
    await supervisor.start(python("deaf", code + "while True: signal.pause()", stop_limit_s=0.1))
    await supervisor.stop()
    assert said[-1].startswith("deaf does not end; killed")


async def test_important_lines_of_a_log_are_said_aloud(supervisor, said):
    lines = (
        """print('{"level": "info", "event": "quiet"}\\n{"level": "error", "event": "loud"}', """
    )
    await supervisor.start(python("app-1", lines + "flush=True); " + _LIVES))
    await until(lambda: bool(said))
    assert said == ["app-1: loud"]


async def test_a_child_ends_with_the_process_that_started_it():
    code = (
        "import sys; from web.commands.process import Program; "
        "p = Program('x', (sys.executable, '-c', 'import signal; signal.pause()')).spawn(); "
        "print(p.pid, flush=True); import signal; signal.pause()"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    child = int(await parent.stdout.readline())
    descriptor = os.pidfd_open(child)
    parent.kill()
    await parent.wait()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, ended.set)
    await asyncio.wait_for(ended.wait(), 10)
    asyncio.get_running_loop().remove_reader(descriptor)
    os.close(descriptor)
