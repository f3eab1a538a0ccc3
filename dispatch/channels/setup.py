"""Which channels the settings switch on, what the others lack, and the gateways themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import httpx

from dispatch import outside, vapid
from dispatch.channels import aliyun, outgoing, web_push
from dispatch.channels.dingtalk import DingTalk
from dispatch.channels.feishu import Feishu
from dispatch.channels.message import Gateway
from dispatch.channels.sms import Sms
from dispatch.channels.voice import Voice
from dispatch.channels.wecom import WeCom
from dispatch.ladder import GATEWAYS, Channel, Purpose
from dispatch.settings import PREFIX, Settings

#: What a channel needs to be on, by the names of settings.
NEEDS: Mapping[Channel, tuple[str, ...]] = {
    Channel.SMS: ("sms_template_alert", "sms_sign_name", "aliyun_key_id", "aliyun_key_secret"),
    Channel.VOICE: ("voice_template_alert", "aliyun_key_id", "aliyun_key_secret"),
    Channel.WECOM: ("wecom_corp_id", "wecom_agent_id", "wecom_secret"),
    Channel.DINGTALK: ("dingtalk_token", "dingtalk_secret"),
    Channel.FEISHU: ("feishu_hook", "feishu_secret"),
}
_ADDRESSES = {
    Channel.SMS: "sms_url",
    Channel.VOICE: "voice_url",
    Channel.WECOM: "wecom_url",
    Channel.DINGTALK: "dingtalk_url",
    Channel.FEISHU: "feishu_url",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A channel as the settings have it; one that is begun and not whole says what it lacks."""

    channel: Channel
    is_on: bool
    is_test: bool
    lacks: tuple[str, ...] = ()


def standings(settings: Settings) -> list[Standing]:
    """Say of every channel whether it is on, without any secret."""
    return [_standing(settings, channel) for channel in GATEWAYS]


def _standing(settings: Settings, channel: Channel) -> Standing:
    if channel is Channel.WEB_PUSH:
        has_key = vapid.read(settings.vapid_private_key, settings.data_dir) is not None
        is_bad = bool(settings.vapid_private_key) and not has_key
        lacks = (f"{PREFIX}VAPID_PRIVATE_KEY",) if is_bad else ()
        return Standing(channel, has_key, outside.is_test(settings.push_hosts), lacks)
    needs = NEEDS[channel]
    missing = tuple(name for name in needs if not getattr(settings, name))
    is_begun = bool(getattr(settings, needs[0]))
    is_test = outside.is_loopback(getattr(settings, _ADDRESSES[channel]))
    unset = tuple(PREFIX + name.upper() for name in missing) if is_begun else ()
    return Standing(channel, not missing, is_test, unset)


@asynccontextmanager
async def gateways(
    settings: Settings, clock: Callable[[], datetime]
) -> AsyncIterator[dict[Channel, Gateway]]:
    """Give the gateways that are on, with one client for all of them."""
    async with outgoing.client() as http:
        yield {
            one.channel: _make(settings, one.channel, http, clock)
            for one in standings(settings)
            if one.is_on
        }


def _make(
    settings: Settings, channel: Channel, http: httpx.AsyncClient, clock: Callable[[], datetime]
) -> Gateway:
    match channel:
        case Channel.SMS:
            return _sms(settings, http, clock)
        case Channel.VOICE:
            return _voice(settings, http, clock)
        case Channel.WECOM:
            return WeCom(
                http, clock, settings.wecom_url, settings.wecom_corp_id,
                settings.wecom_agent_id, settings.wecom_secret,
            )  # fmt: skip
        case Channel.DINGTALK:
            return DingTalk(
                http, clock, settings.dingtalk_url, settings.dingtalk_token,
                settings.dingtalk_secret,
            )  # fmt: skip
        case Channel.FEISHU:
            return Feishu(
                http, clock, settings.feishu_url, settings.feishu_hook, settings.feishu_secret
            )
        case _:
            return _web_push(settings, http, clock)


def _key(settings: Settings) -> aliyun.Key:
    return aliyun.Key(settings.aliyun_key_id, settings.aliyun_key_secret)


def _sms(settings: Settings, http: httpx.AsyncClient, clock: Callable[[], datetime]) -> Sms:
    templates = {
        Purpose.ALERT: settings.sms_template_alert,
        Purpose.STAND_DOWN: settings.sms_template_stand_down,
        Purpose.MISSION: settings.sms_template_mission,
        Purpose.REMINDER: settings.sms_template_reminder,
    }
    return Sms(http, clock, _key(settings), settings.sms_url, settings.sms_sign_name, templates)


def _voice(settings: Settings, http: httpx.AsyncClient, clock: Callable[[], datetime]) -> Voice:
    templates = {
        Purpose.ALERT: settings.voice_template_alert,
        Purpose.STAND_DOWN: settings.voice_template_stand_down,
    }
    return Voice(
        http, clock, _key(settings), settings.voice_url, settings.voice_number, templates,
        settings.voice_template_thanks,
    )  # fmt: skip


def _web_push(
    settings: Settings, http: httpx.AsyncClient, clock: Callable[[], datetime]
) -> web_push.WebPush:
    key = vapid.read(settings.vapid_private_key, settings.data_dir)
    if key is None:
        raise AssertionError("web push without a key")
    subject = settings.vapid_subject or settings.base_url
    if not subject.startswith(("mailto:", "https:")):
        subject = "mailto:admin@localhost"
    return web_push.WebPush(http, clock, key, subject, settings.base_url, settings.push_hosts)
