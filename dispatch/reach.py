"""By which channels a call reaches one person, and when each was last proved to work."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import events, ladder


class Standing(StrEnum):
    """How a channel stands for one person."""

    READY = "ready"
    # This installation has no gateway for it.
    OFF = "off"
    # The person has no number, device or account for it.
    NONE = "none"
    # Nothing arrives on the devices that the person has.
    DEAD = "dead"
    # The gateway takes messages and delivers none to anybody.
    SILENT = "silent"


# The primary keys, ix_push_subscription_person_id, ix_alert_responder_id and ix_delivery_alert_id;
# of a person there are a few alerts a year.
_REACH = sa.text("""
with device as (
    select count(*) as had,
        count(*) filter (where gone_at is null and flagged_at is null) as live,
        max(probe_answered_at) as heard_at
    from push_subscription where person_id = :person_id),
heard as (
    select delivery.channel, max(delivery.delivered_at) as at
    from alert join delivery on delivery.alert_id = alert.id
    where alert.responder_id = :person_id
      and delivery.status in ('delivered', 'seen', 'acted')
    group by delivery.channel)
select wanted.name,
    case when channel.name is null then 'off'
         when wanted.name = 'web_push' and device.had = 0 then 'none'
         when wanted.name = 'web_push' and device.live = 0 then 'dead'
         when wanted.name in ('sms', 'voice') and coalesce(person.phone, '') = '' then 'none'
         when wanted.name in ('wecom', 'dingtalk', 'feishu') and contact.channel is null
         then 'none'
         when channel.flagged_at is not null then 'silent'
         else 'ready' end as standing,
    greatest(heard.at, case when wanted.name = 'web_push' then device.heard_at end) as heard_at
from unnest(cast(:names as text[])) with ordinality as wanted(name, place)
cross join device
join person on person.id = :person_id
left join channel on channel.name = wanted.name and channel.is_on
left join contact on contact.person_id = person.id and contact.channel = wanted.name
left join heard on heard.channel = wanted.name
order by wanted.place
""")


async def read(conn: AsyncConnection, person_id: UUID) -> Sequence[events.Body]:
    """List every channel with how it stands and when a message last got through for certain."""
    names = [channel.value for channel in ladder.GATEWAYS]
    rows = await conn.execute(_REACH, {"person_id": person_id, "names": names})
    return [
        {
            "channel": row.name,
            "state": Standing(row.standing).value,
            "heard_at": events.time(row.heard_at),
        }
        for row in rows
    ]
