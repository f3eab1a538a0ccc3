"""How far an alert has come on a device, as its owner's phone says it, by socket or by request."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from dispatch import alerts, db, errors
from realtime import protocol
from realtime.protocol import Ack
from web import ack_batch, auth


async def answer(database: db.Database, caller: auth.Caller, ack: Ack) -> str:
    """Store an ack and write the frame that confirms it, or says why not."""
    try:
        receipt = alerts.Receipt(UUID(ack.alert), caller.id, alerts.Level(ack.level))
        await ack_batch.of(database).store(database, receipt)
    except ValueError:
        return protocol.error("malformed", "alert is an id.", alert=ack.alert)
    except errors.DispatchError as refused:
        return protocol.error(refused.code, str(refused), alert=ack.alert)
    except (SQLAlchemyError, OSError):  # TimeoutError is an OSError
        detail = "The ack was not stored; send it again."
        return protocol.error("unavailable", detail, alert=ack.alert)
    return protocol.ack_ok(ack)
