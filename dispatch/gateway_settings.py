"""The settings of the channels that need a gateway; a channel whose settings are empty is off.

docs/channels.md says where each value comes from.
"""

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

from dispatch.meaning import Meaning

Word = Annotated[str, Field(max_length=400)]
Secret = Annotated[str, Field(max_length=400, repr=False)]
Address = Annotated[str, Field(pattern=r"^(https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/]?)")]


class GatewaySettings(BaseSettings):
    """What the channels were told; part of `Settings`."""

    gateway_secret: Annotated[
        Secret,
        Meaning(
            "Secret that gateways send with their receipts (Authorization: Bearer); empty: none "
            "are taken.",
            "网关回执请求所带的密钥（Authorization: Bearer）；留空则不接收回执。",
            is_secret=True,
        ),
    ] = ""
    vapid_private_key: Annotated[
        Secret,
        Meaning(
            "Private key of web push (32 bytes, base64url); empty: the one in the data folder.",
            "Web 推送私钥（32 字节，base64url）；留空则使用数据目录中的密钥。",
            is_secret=True,
        ),
    ] = ""
    vapid_subject: Annotated[
        Word,
        Field(pattern=r"^(mailto:[^@\s]+@[^@\s]+|https://\S+)?$"),
        Meaning(
            "Whom push services may write to: mailto: or https:; empty: the public address.",
            "推送服务的联系方式（mailto: 或 https:）；留空则为系统网址。",
        ),
    ] = ""
    push_hosts: Annotated[
        tuple[str, ...],
        NoDecode,
        Meaning(
            "Further hosts of push services, separated by commas, beside those of the browsers.",
            "除各浏览器的推送服务外允许的主机，用逗号分隔。",
        ),
    ] = ()
    aliyun_key_id: Annotated[
        Word,
        Meaning("Access key of Aliyun for SMS and voice.", "阿里云短信与语音的 AccessKey ID。"),
    ] = ""
    aliyun_key_secret: Annotated[
        Secret,
        Meaning("Secret of that access key.", "该 AccessKey 的 Secret。", is_secret=True),
    ] = ""
    sms_url: Annotated[Address, Meaning("Address of the SMS gateway.", "短信网关地址。")] = (
        "https://dysmsapi.aliyuncs.com"
    )
    sms_sign_name: Annotated[
        Word, Meaning("Signature of SMS, without the brackets.", "短信签名（不含【】）。")
    ] = ""
    sms_template_alert: Annotated[
        Word, Meaning("SMS template of an alert; empty: no SMS.", "呼叫短信模板；留空则不发短信。")
    ] = ""
    sms_template_stand_down: Annotated[
        Word, Meaning("SMS template of a stand-down.", "解除任务短信模板。")
    ] = ""
    sms_template_reminder: Annotated[
        Word,
        Meaning(
            "SMS template of a certificate that ends; empty: no SMS about it.",
            "证书到期提醒短信模板；留空则不发此类短信。",
        ),
    ] = ""
    sms_template_mission: Annotated[
        Word,
        Meaning(
            "SMS template with the link to the mission of who accepted by phone call.",
            "电话接受任务后发送任务链接的短信模板。",
        ),
    ] = ""
    voice_url: Annotated[Address, Meaning("Address of the voice gateway.", "语音网关地址。")] = (
        "https://dyvmsapi.aliyuncs.com"
    )
    voice_number: Annotated[Word, Meaning("Number that calls show.", "外呼显示号码。")] = ""
    voice_template_alert: Annotated[
        Word,
        Meaning("Voice template of an alert; empty: no calls.", "呼叫语音模板；留空则不打电话。"),
    ] = ""
    voice_template_thanks: Annotated[
        Word, Meaning("Voice template after a key was pressed.", "按键后播放的语音模板。")
    ] = ""
    voice_template_stand_down: Annotated[
        Word, Meaning("Voice template of a stand-down.", "解除任务语音模板。")
    ] = ""
    wecom_url: Annotated[Address, Meaning("Address of WeCom.", "企业微信接口地址。")] = (
        "https://qyapi.weixin.qq.com"
    )
    wecom_corp_id: Annotated[
        Word, Meaning("Corporation of WeCom; empty: off.", "企业微信企业 ID；留空则关闭。")
    ] = ""
    wecom_agent_id: Annotated[
        int, Field(ge=0), Meaning("Application of WeCom.", "企业微信应用 AgentId。")
    ] = 0
    wecom_secret: Annotated[
        Secret,
        Meaning("Secret of that application.", "企业微信应用的 Secret。", is_secret=True),
    ] = ""
    dingtalk_url: Annotated[Address, Meaning("Address of DingTalk.", "钉钉接口地址。")] = (
        "https://oapi.dingtalk.com"
    )
    dingtalk_token: Annotated[
        Secret,
        Meaning(
            "Token of the DingTalk robot; empty: off.",
            "钉钉机器人 access_token；留空则关闭。",
            is_secret=True,
        ),
    ] = ""
    dingtalk_secret: Annotated[
        Secret,
        Meaning("Signing secret of that robot.", "钉钉机器人加签密钥。", is_secret=True),
    ] = ""
    feishu_url: Annotated[Address, Meaning("Address of Feishu.", "飞书接口地址。")] = (
        "https://open.feishu.cn"
    )
    feishu_hook: Annotated[
        Secret,
        Meaning(
            "Hook id of the Feishu bot; empty: off.",
            "飞书机器人 webhook 标识；留空则关闭。",
            is_secret=True,
        ),
    ] = ""
    feishu_secret: Annotated[
        Secret,
        Meaning("Signing secret of that bot.", "飞书机器人签名密钥。", is_secret=True),
    ] = ""

    @field_validator("gateway_secret")
    @classmethod
    def _check_secret(cls, value: str) -> str:
        if value and len(value) < 16:
            raise ValueError(
                "use at least 16 letters, such as: openssl rand -base64 24; "
                "至少 16 个字符，例如：openssl rand -base64 24"
            )
        return value

    @field_validator("push_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().lower() for part in value.split(",") if part.strip())
        return value
