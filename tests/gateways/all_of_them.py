"""All doubles at once, and the settings with which the program uses them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dispatch import vapid
from dispatch.settings import Settings
from gateways import aliyun, messengers, push

SECRET = "shared-by-gateways"
#: A fixed key of 32 bytes, base64url.
VAPID_KEY = vapid.encode(bytes(range(1, 33)))


@dataclass(frozen=True, slots=True)
class Doubles:
    """Every gateway of an installation."""

    push: push.PushService
    aliyun: aliyun.Aliyun
    wecom: messengers.WeCom
    dingtalk: messengers.DingTalk
    feishu: messengers.Feishu

    def settings(self, **more: Any) -> dict[str, Any]:
        """Write the settings that lead to these doubles."""
        return {
            "public_url": "https://x.cn",
            "gateway_secret": SECRET,
            "vapid_private_key": VAPID_KEY,
            "push_hosts": (f"127.0.0.1:{self.push.port}",),
            "aliyun_key_id": aliyun.KEY_ID,
            "aliyun_key_secret": aliyun.KEY_SECRET,
            "sms_url": self.aliyun.url,
            "sms_sign_name": "某市红十字会",
            "sms_template_alert": "SMS_1",
            "sms_template_stand_down": "SMS_2",
            "sms_template_mission": "SMS_3",
            "sms_template_reminder": "SMS_4",
            "voice_url": self.aliyun.url,
            "voice_number": "02785550000",
            "voice_template_alert": "TTS_1",
            "voice_template_stand_down": "TTS_2",
            "wecom_url": self.wecom.url,
            "wecom_corp_id": messengers.CORP_ID,
            "wecom_agent_id": messengers.AGENT_ID,
            "wecom_secret": messengers.CORP_SECRET,
            "dingtalk_url": self.dingtalk.url,
            "dingtalk_token": messengers.ROBOT_TOKEN,
            "dingtalk_secret": messengers.ROBOT_SECRET,
            "feishu_url": self.feishu.url,
            "feishu_hook": messengers.HOOK,
            "feishu_secret": messengers.HOOK_SECRET,
            **more,
        }


@contextmanager
def running() -> Iterator[Doubles]:
    """Run all doubles."""
    with ExitStack() as stack:
        doubles = Doubles(
            push.PushService(), aliyun.Aliyun(), messengers.WeCom(), messengers.DingTalk(),
            messengers.Feishu(),
        )  # fmt: skip
        for double in (
            doubles.push, doubles.aliyun, doubles.wecom, doubles.dingtalk, doubles.feishu,
        ):  # fmt: skip
            stack.enter_context(double.running())
        yield doubles


def read(doubles: Doubles, database: str, redis_url: str, folder: Path, **more: Any) -> Settings:
    """Make the settings of an installation with these gateways."""
    return Settings(
        database_url=database, redis_url=redis_url, data_dir=folder, **doubles.settings(**more)
    )
