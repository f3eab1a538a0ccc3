"""Aliyun's SMS and voice: checks ACS3-HMAC-SHA256 and the parameters, and writes receipts."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any
from urllib.parse import unquote

from gateways.double import Double, Reply, Request

KEY_ID, KEY_SECRET = "LTAI-test", "test-secret"
#: What the templates say, as the console of the gateway keeps them.
TEMPLATES = {
    "SMS_1": "急救呼叫：${where}有人${what}，能否前往？请点 x.cn/a/${code} 答复。",
    "SMS_2": "任务已解除，请停止前往。感谢您的响应。",
    "SMS_3": "感谢接受任务，路线请点 x.cn/a/${code} 查看。",
    "SMS_4": "您的急救证书即将到期或已到期，请打开应用查看。",
}


class Aliyun(Double):
    """One gateway for both services; whatever it takes it keeps, and delivers nothing by itself."""

    def __init__(self) -> None:
        super().__init__()
        #: Texts by phone number, and calls, as they went out.
        self.messages: list[dict[str, Any]] = []
        self.calls: list[dict[str, Any]] = []
        self._nonces: set[str] = set()

    def take(self, request: Request) -> Reply:
        problem = self._problem(request)
        if problem:
            return self.refuse(problem, 400)
        action, form = request.headers["x-acs-action"], request.form()
        if request.query:
            return self.refuse("phone numbers do not belong into an address", 400)
        if action == "SendSms":
            return self._send_sms(form)
        if action == "IvrCall":
            return self._call(form)
        return self.refuse("InvalidAction.NotFound", 404)

    def _problem(self, request: Request) -> str | None:
        headers = request.headers
        match = re.fullmatch(
            r"ACS3-HMAC-SHA256 Credential=(.+),SignedHeaders=(.+),Signature=([0-9a-f]{64})",
            headers.get("authorization", ""),
        )
        if match is None or match[1] != KEY_ID:
            return "InvalidAccessKeyId.NotFound"
        if headers["x-acs-signature-nonce"] in self._nonces:
            return "SignatureNonceUsed"
        self._nonces.add(headers["x-acs-signature-nonce"])
        digest = hashlib.sha256(request.body).hexdigest()
        if headers["x-acs-content-sha256"] != digest:
            return "SignatureDoesNotMatch"
        lines = [request.method, "/", ""]
        lines += [f"{name}:{headers[name]}" for name in match[2].split(";")]
        lines += ["", match[2], digest]
        text = "ACS3-HMAC-SHA256\n" + hashlib.sha256("\n".join(lines).encode()).hexdigest()
        wanted = hmac.new(KEY_SECRET.encode(), text.encode(), "sha256").hexdigest()
        return None if hmac.compare_digest(wanted, match[3]) else "SignatureDoesNotMatch"

    def _send_sms(self, form: dict[str, str]) -> Reply:
        template = TEMPLATES.get(form["TemplateCode"])
        if template is None:
            return Reply.of({"Code": "isv.SMS_TEMPLATE_ILLEGAL", "Message": "template"})
        if not re.fullmatch(r"1[3-9]\d{9}|[1-9]\d{6,14}", form["PhoneNumbers"]):
            return Reply.of({"Code": "isv.MOBILE_NUMBER_ILLEGAL", "Message": "number"})
        values = json.loads(form["TemplateParam"])
        text = re.sub(r"\$\{(\w+)\}", lambda hole: values[hole[1]], template)
        number = len(self.messages) + 1
        self.messages.append(
            {
                "phone": form["PhoneNumbers"], "out_id": form["OutId"], "biz_id": f"biz-{number}",
                "text": f"【{form['SignName']}】{text}", "code": values.get("code", ""),
            }
        )  # fmt: skip
        return Reply.of({"Code": "OK", "Message": "OK", "BizId": f"biz-{number}"})

    def _call(self, form: dict[str, str]) -> Reply:
        number = len(self.calls) + 1
        keys = {unquote(value) for name, value in form.items() if name.endswith(".Key")}
        self.calls.append(
            {
                "phone": form["CalledNumber"], "out_id": form["OutId"], "call_id": f"call-{number}",
                "keys": keys, "spoken": json.loads(form["StartTtsParams"]),
                "template": form["StartCode"],
            }
        )  # fmt: skip
        return Reply.of({"Code": "OK", "Message": "OK", "CallId": f"call-{number}"})


def sms_report(message: dict[str, Any], *, success: bool = True) -> dict[str, Any]:
    """Write one item of SmsReport."""
    return {
        "phone_number": message["phone"], "send_time": "2026-11-22 16:30:00",
        "report_time": "2026-11-22 16:30:02", "success": success,
        "err_code": "DELIVERED" if success else "UNDELIVERED", "err_msg": "", "sms_size": "1",
        "biz_id": message["biz_id"], "out_id": message["out_id"],
    }  # fmt: skip


def key_pressed(call: dict[str, Any], key: str) -> dict[str, Any]:
    """Write one item of VoiceCallReport."""
    return {
        "status_code": "300000", "smart_status_code": "", "dtmf": key,
        "status_time": "2026-11-22 16:30:20", "out_id": call["out_id"], "call_id": call["call_id"],
    }  # fmt: skip


def call_ended(call: dict[str, Any], *, status: str = "200000", key: str = "") -> dict[str, Any]:
    """Write one item of VoiceReport."""
    return {
        "call_id": call["call_id"], "start_time": "2026-11-22 16:30:15",
        "end_time": "2026-11-22 16:30:40", "duration": "20", "status_code": status,
        "status_msg": "", "out_id": call["out_id"], "dtmf": key,
    }  # fmt: skip
