"""What `golden doctor` says of the channels: which are on, which are begun and lack something."""

from collections.abc import Iterator

from dispatch import channels
from dispatch.ladder import Channel
from web.commands import finding
from web.commands.finding import Finding, Mend
from web.commands.installation import Installation

_NAMES = {
    Channel.WEB_PUSH: ("Web push", "Web 推送"),
    Channel.SMS: ("SMS", "短信"),
    Channel.VOICE: ("Voice calls", "语音电话"),
    Channel.WECOM: ("WeCom", "企业微信"),
    Channel.DINGTALK: ("DingTalk", "钉钉"),
    Channel.FEISHU: ("Feishu", "飞书"),
}
#: Channels whose gateways send receipts, for which they need the shared secret.
_WITH_RECEIPTS = {Channel.SMS, Channel.VOICE}


def check(place: Installation) -> Iterator[Finding]:
    """Say of each channel whether it is on; no secret is shown."""
    standings = channels.standings(place.settings)
    for standing in standings:
        yield _channel(standing)
    on = {standing.channel for standing in standings if standing.is_on}
    if on & _WITH_RECEIPTS and not place.settings.gateway_secret:
        yield finding.bad(
            "channel_receipts",
            "Nobody may send receipts: whether SMS and calls arrive stays unknown.",
            "未设置回执密钥：无法得知短信和电话是否送达。",
            mend=Mend("Set GOLDEN_GATEWAY_SECRET", "设置 GOLDEN_GATEWAY_SECRET"),
        )


def _channel(standing: channels.Standing) -> Finding:
    code = f"channel_{standing.channel.value}"
    en, zh = _NAMES[standing.channel]
    if standing.is_on:
        where = (
            (" (a double on this machine)", "（本机测试网关）") if standing.is_test else ("", "")
        )
        return finding.ok(code, f"{en}: on{where[0]}", f"{zh}：已开启{where[1]}")
    if not standing.lacks:
        return finding.skipped(code, f"{en}: off", f"{zh}：未开启")
    names = ", ".join(standing.lacks)
    return finding.bad(
        code, f"{en} is begun and not complete.", f"{zh}设置不完整。",
        mend=Mend(f"Set {names}", f"设置 {names}"),
    )  # fmt: skip
