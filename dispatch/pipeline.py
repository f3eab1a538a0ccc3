"""A connection that sends several statements at once and reads all their answers together.

psycopg's own pipeline makes a cursor and a turn of the socket for each statement, and waits for the
answer to BEGIN by itself. Here BEGIN goes with the first statements and COMMIT with the last, all
in one turn, for a fraction of the processor time (docs/acceptance.md, row 35). The lower half, `pq`
and its generators and how values are written and read, is psycopg's.
"""

from __future__ import annotations

import os
import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, generators, pq

# What is prepared is dropped at each rollback, and there is no other way to say no.
from psycopg._preparing import PrepareManager
from psycopg.abc import PQGen, Transformer
from psycopg.adapt import PyFormat
from psycopg.adapt import Transformer as Adapting

Row = dict[str, Any]

#: The server keeps so many statements of a connection ready; the longest unused is dropped first.
PREPARED_MOST = 200


class _Kept(PrepareManager):
    """Keeps prepared statements over a ROLLBACK, which they outlive.

    psycopg drops all, as tables may have been changed; ours are not while requests run. Else each
    refused request would have everything after it on its connection planned anew.
    """

    def clear(self) -> bool:
        """Forget nothing."""
        return False


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement with `$1` and so on, and its values."""

    sql: bytes
    values: Sequence[Any]


#: A statement and the types of its values: what the server prepares.
_Key = tuple[bytes, tuple[int, ...]]
_Written = tuple[_Key, Sequence[Any], Sequence[pq.Format]]


@dataclass(slots=True)
class _Prepared:
    """What the server knows a statement by, and the names of the columns of its answers."""

    name: bytes
    columns: list[str] | None = None


@dataclass(slots=True)
class _Answer:
    """What the server will say to one message; `of` is the statement whose rows are wanted."""

    of: _Prepared | None = None
    prepares: _Key | None = None
    said: pq.abc.PGresult | None = None

    @property
    def is_good(self) -> bool:
        return self.said is not None and self.said.status in _GOOD

    @property
    def is_bad(self) -> bool:
        return self.said is not None and self.said.status == pq.ExecStatus.FATAL_ERROR


_GOOD = frozenset({pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK, pq.ExecStatus.EMPTY_QUERY})


class Connection(psycopg.AsyncConnection[Any]):
    """One of psycopg's, made by its `connect`."""

    #: Around each wait for an answer, where somebody wants to know of it.
    listening: Callable[[Connection], AbstractContextManager[None]] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepared = _Kept()
        self._ready: OrderedDict[_Key, _Prepared] = OrderedDict()
        self._number = 0
        self._adapting: Transformer | None = None

    async def ask(
        self, asked: Sequence[Asked], *, commit: bool = False
    ) -> tuple[list[list[Row]], psycopg.Error | None]:
        """Run statements in this order; give the rows of each, and the error that ended them.

        Begins a transaction if none is open (unless `autocommit`), and ends it with `commit`; when
        that returns without an error it is committed. What comes after an error is not run. Raises
        psycopg's errors where the connection itself fails.
        """
        async with self.lock:
            adapting = self._adapting = self._adapting or Adapting(self)
            # Before anything is sent: one value that cannot be written spoils nothing.
            written = [_write(adapting, each) for each in asked]
            answers = await self.wait(self._turn(written, commit=commit))
            return self._rows(adapting, answers), self._error(answers, commit=commit)

    async def wait(self, gen: PQGen[Any], *args: Any, **more: Any) -> Any:
        """Wait for an answer."""
        if self.listening is None:
            return await super().wait(gen, *args, **more)
        with self.listening(self):
            return await super().wait(gen, *args, **more)

    # psycopg gives way to the loop in each of these, though there is nothing to wait for.
    # SQLAlchemy calls them while it checks a connection out, and loses it if cancelled there.

    async def set_autocommit(self, value: bool) -> None:
        """Change how statements are committed, at once."""
        _finish(self._set_autocommit_gen(value))

    async def set_isolation_level(self, value: psycopg.IsolationLevel | None) -> None:
        """Change what transactions see, at once."""
        _finish(self._set_isolation_level_gen(value))

    async def set_read_only(self, value: bool | None) -> None:
        """Change whether transactions may write, at once."""
        _finish(self._set_read_only_gen(value))

    def cut(self) -> None:
        """End it without a word: whoever waits for an answer reads the end of the connection."""
        if not self.closed:
            with suppress(OSError), socket.socket(fileno=os.dup(self.pgconn.socket)) as own:
                own.shutdown(socket.SHUT_RDWR)

    async def rollback(self) -> None:
        """Roll back what was begun; each return to the pool asks for it, mostly in vain."""
        if self.pgconn.transaction_status != _IDLE:
            await super().rollback()

    def _turn(self, written: Sequence[_Written], *, commit: bool) -> PQGen[list[_Answer]]:
        begins = not self.autocommit and self.pgconn.transaction_status == _IDLE
        self.pgconn.enter_pipeline_mode()
        try:
            answers = [self._say(self._get_tx_start_command())] if begins else []
            for each in written:
                answers += self._send(*each)
            answers += self._drop_unused()
            answers += [self._say(b"COMMIT")] if commit else []
            self.pgconn.pipeline_sync()
            yield from generators.send(self.pgconn)
            yield from _fetch(self.pgconn, answers)
        finally:
            self._leave()
        return answers

    def _say(self, command: bytes) -> _Answer:
        self.pgconn.send_query_params(command, None)
        return _Answer()

    def _send(
        self, key: _Key, values: Sequence[Any], formats: Sequence[pq.Format]
    ) -> list[_Answer]:
        prepared, answers = self._ready.get(key), []
        if prepared is None:
            self._number += 1
            prepared = self._ready[key] = _Prepared(b"golden_%d" % self._number)
            self.pgconn.send_prepare(prepared.name, *key)
            answers.append(_Answer(prepares=key))
        self._ready.move_to_end(key)
        self.pgconn.send_query_prepared(prepared.name, values, formats)
        return [*answers, _Answer(of=prepared)]

    def _drop_unused(self) -> list[_Answer]:
        if len(self._ready) <= PREPARED_MOST:
            return []
        _, unused = self._ready.popitem(last=False)
        return [self._say(b"DEALLOCATE " + unused.name)]

    def _leave(self) -> None:
        """Leave the pipeline; what was not read of it would be taken for answers to the next."""
        if self.pgconn.status == pq.ConnStatus.BAD:
            return
        try:
            self.pgconn.exit_pipeline_mode()
        except psycopg.OperationalError:
            self.pgconn.finish()

    def _rows(self, adapting: Transformer, answers: Sequence[_Answer]) -> list[list[Row]]:
        for answer in answers:
            if answer.prepares is not None and not answer.is_good:
                self._ready.pop(answer.prepares, None)
        return [
            _read(adapting, answer.of, answer.said)
            for answer in answers
            if answer.of is not None and answer.said is not None and answer.is_good
        ]

    def _error(self, answers: Sequence[_Answer], *, commit: bool) -> psycopg.Error | None:
        for answer in answers:
            if answer.is_bad and answer.said is not None:
                error = errors.error_from_result(answer.said, encoding=self.info.encoding)
                if isinstance(error, _OUTDATED):
                    self.pgconn.finish()
                return error
        said = [answer.said for answer in answers if answer.said is not None]
        if len(said) < len(answers):
            return psycopg.OperationalError("the connection was lost")
        # To commit what has failed before is no error to the server: it rolls back.
        if commit and said[-1].command_status != b"COMMIT":
            return errors.InFailedSqlTransaction("not committed")
        return None


_IDLE = pq.TransactionStatus.IDLE
#: A table was changed under a prepared statement: only a new connection prepares it anew.
_OUTDATED = (errors.FeatureNotSupported, errors.InvalidSqlStatementName)


def _finish(work: PQGen[None]) -> None:
    """Run what has nothing to wait for."""
    for _ in work:
        raise psycopg.ProgrammingError("the connection is in a pipeline of psycopg's")


def _write(adapting: Transformer, asked: Asked) -> _Written:
    values = adapting.dump_sequence(asked.values, [PyFormat.AUTO] * len(asked.values))
    return (asked.sql, tuple(adapting.types or ())), list(values), list(adapting.formats or ())


def _fetch(pgconn: pq.abc.PGconn, answers: Sequence[_Answer]) -> PQGen[None]:
    """Read the answers; when the connection ends among them, the server has said why before."""
    try:
        for answer in answers:
            found = yield from generators.fetch_many(pgconn)
            answer.said = found[0] if found else None
        yield from generators.fetch_many(pgconn)
    except psycopg.OperationalError:
        if not any(answer.is_bad for answer in answers):
            raise


def _read(adapting: Transformer, of: _Prepared, said: pq.abc.PGresult) -> list[Row]:
    if said.status != pq.ExecStatus.TUPLES_OK:
        return []
    if of.columns is None:
        of.columns = [(said.fname(place) or b"").decode() for place in range(said.nfields)]
    columns = of.columns
    adapting.set_pgresult(said)
    return adapting.load_rows(0, said.ntuples, lambda row: dict(zip(columns, row, strict=True)))
