"""What `golden up` runs, in order: servers, schema, demo, routing, app processes, runner."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Literal, TextIO

import typer

from geo import walking_format
from web.commands import (
    forked,
    installation,
    keys,
    quick_look,
    readiness,
    routing_service,
    routing_watch,
    supervise,
)
from web.commands.forked import ForkedProgram
from web.commands.installation import Installation
from web.commands.process import Program
from web.commands.trouble import Trouble

_GOLDEN = (sys.executable, "-m", "web.commands")
_DEMO_NAMES = ("operator", "responder-01", "planner", "keeper", "admin")


@dataclass(frozen=True, slots=True)
class System:
    """One start of the whole system. `city` is the demo city, None for no demo."""

    place: Installation
    listener: int
    lock: TextIO
    city: str | None

    async def serve(self) -> None:
        """Start everything, serve until SIGINT or SIGTERM, stop everything."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop.set)
        supervisor = supervise.Supervisor(self.place.log_dir, say)
        try:
            await _first(stop.wait(), self._work(supervisor))
        finally:
            say("stopping / 正在停止")
            await supervisor.stop()
            say("stopped / 已停止")

    async def _work(self, supervisor: supervise.Supervisor) -> None:
        began = time.monotonic()
        forked.load_early()
        await self._start_servers(supervisor)
        await self._prepare()
        routed, service = await self._start_routing(supervisor)
        await routed.start_processes(supervisor)
        say(f"ready after {time.monotonic() - began:.1f} s / 已就绪")
        await self._show_addresses()
        if self.city:
            await self._play()
        if service is not None:
            await routing_watch.watch(supervisor, service)
        await asyncio.Event().wait()

    async def _prepare(self) -> None:
        """Bring schema and demo up, each by its own command, unless there is nothing to do."""
        url = self.place.settings.database_url
        if not await asyncio.to_thread(quick_look.schema_is_up, url):
            await self._step("migrate")
        keys.ensure(self.place)
        if walking_format.outdated(self.place.settings.walking_dir):
            await self._step("routing", "renew")
        if not self.city:
            return
        if not await asyncio.to_thread(quick_look.demo_is_there, self.place, self.city):
            await self._step("demo", "--city", self.city)

    async def _start_servers(self, supervisor: supervise.Supervisor) -> None:
        place = self.place
        if place.has_own_database:
            postgres = place.postgres
            if old := await asyncio.to_thread(postgres.stop_left_over):
                say(f"stopped a left-over PostgreSQL (process {old}) / 已停止遗留的数据库进程")
            if await asyncio.to_thread(postgres.initialise):
                say(f"made a database in {postgres.folder} / 已创建数据库")
            await supervisor.start(postgres.program(), probe=postgres.is_ready)
            await asyncio.to_thread(postgres.ensure_database)
        if place.has_own_redis:
            place.redis.owner.make_folder(place.redis.sockets)
            await supervisor.start(place.redis.program(), probe=place.redis.is_ready)

    async def _start_routing(
        self, supervisor: supervise.Supervisor
    ) -> tuple["System", routing_service.Service | None]:
        """Start the service, if there are tiles; its address is known before there are any."""
        service = routing_service.Service.reserve(self.place.settings.valhalla_dir)
        if service is None or self.place.settings.valhalla_url:
            return self, None
        if service.renew():
            await supervisor.start(service.program(), probe=service.is_ready)
        told = installation.Running(os.getpid(), self.place.settings.port, service.url)
        installation.tell(self.lock, told)
        return replace(self, place=self.place.with_settings(valhalla_url=service.url)), service

    async def start_processes(self, supervisor: supervise.Supervisor) -> None:
        """Start the app processes and the runner together."""
        numbers = range(1, self.place.settings.processes + 1)
        apps = [self._forked(f"app-{number}", "serve") for number in numbers]
        await supervisor.start(*apps, self._forked("runner", "runner"))

    def _forked(self, name: str, command: Literal["serve", "runner"]) -> ForkedProgram:
        listener = self.listener if command == "serve" else None
        return ForkedProgram(name, command, self._environment(name), listener)

    def _environment(self, name: str) -> dict[str, str]:
        return {**installation.environment(self.place.settings), readiness.PROCESS: name}

    async def _step(self, *arguments: str) -> None:
        """Run one command of the program to its end, its output on our terminal."""
        command = (*_GOLDEN, *arguments)
        program = Program(arguments[0], command, environment=self._environment(arguments[0]))
        status = await supervise.run_once(program)
        if status != 0:
            raise Trouble(
                f"golden {arguments[0]} failed ({supervise.describe(status)}).",
                f"golden {arguments[0]} 执行失败。",
            )

    async def _play(self) -> None:
        """Play the demo drill; the system serves on if it fails."""
        try:
            await self._step("drill", "--demo")
        except Trouble as problem:
            say(f"{problem.en} / {problem.zh}")

    async def _show_addresses(self) -> None:
        base = self.place.settings.base_url
        for path, en, zh in (
            ("/console", "dispatchers", "调度台"),
            ("/go", "responders", "志愿者"),
            ("/planner", "planners", "规划"),
            ("/aed", "public AED map", "AED 地图"),
        ):
            typer.echo(f"  {base}{path:<10} {en} {zh}")
        if self.city:
            typer.echo("Sign in once by one of these within half an hour 半小时内的一次性登录链接:")
            await self._step("link", *_DEMO_NAMES)


def say(text: str) -> None:
    """Say something about the system aloud, with the time of day."""
    typer.echo(f"{time.strftime('%H:%M:%S')} {text}")


async def _first(*works: Coroutine[object, object, object]) -> None:
    """Run until the first of these ends; raise what it raised; cancel the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
