"""WeCom, DingTalk and Feishu, each with its own way to know who writes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from gateways.double import Double, Reply, Request

CORP_ID, CORP_SECRET, AGENT_ID = "ww-test", "corp-secret", 1000002
ROBOT_TOKEN, ROBOT_SECRET = "robot-token", "SECrobot"
HOOK, HOOK_SECRET = "hook-id", "hook-secret"


class WeCom(Double):
    """Gives a token and takes application messages; the same text twice is shown once."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[dict[str, Any]] = []
        self.tokens = 0

    def take(self, request: Request) -> Reply:
        if request.path == "/cgi-bin/gettoken":
            if request.query != {"corpid": CORP_ID, "corpsecret": CORP_SECRET}:
                return Reply.of({"errcode": 40001, "errmsg": "invalid credential"})
            self.tokens += 1
            token = f"token-{self.tokens}"
            return Reply.of({"errcode": 0, "access_token": token, "expires_in": 7200})
        if request.query.get("access_token") != f"token-{self.tokens}":
            return Reply.of({"errcode": 42001, "errmsg": "access_token expired"})
        body = request.json()
        if body["agentid"] != AGENT_ID or body["msgtype"] != "text":
            return Reply.of({"errcode": 40058, "errmsg": "invalid request parameter"})
        message = {"to": body["touser"], "text": body["text"]["content"]}
        if not (body.get("enable_duplicate_check") and message in self.shown):
            self.shown.append(message)
        return Reply.of({"errcode": 0, "errmsg": "ok", "msgid": f"msg-{len(self.shown)}"})


class DingTalk(Double):
    """A group robot: the key is the secret, the text is milliseconds and the secret."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[dict[str, Any]] = []

    def take(self, request: Request) -> Reply:
        at_ms = request.query.get("timestamp", "")
        text = f"{at_ms}\n{ROBOT_SECRET}"
        wanted = hmac.new(ROBOT_SECRET.encode(), text.encode(), hashlib.sha256).digest()
        if request.query.get("access_token") != ROBOT_TOKEN:
            return Reply.of({"errcode": 300001, "errmsg": "token is not exist"})
        if len(at_ms) != 13 or request.query.get("sign") != base64.b64encode(wanted).decode():
            return Reply.of({"errcode": 310000, "errmsg": "sign not match"})
        body = request.json()
        self.shown.append({"to": body["at"]["atUserIds"], "text": body["text"]["content"]})
        return Reply.of({"errcode": 0, "errmsg": "ok"})


class Feishu(Double):
    """A group bot: the text is the key, and nothing is signed; seconds, not milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[dict[str, Any]] = []

    def take(self, request: Request) -> Reply:
        if request.path != f"/open-apis/bot/v2/hook/{HOOK}":
            return Reply.of({"code": 19001, "msg": "param invalid: incoming webhook access token"})
        body = request.json()
        key = f"{body.get('timestamp')}\n{HOOK_SECRET}".encode()
        wanted = base64.b64encode(hmac.new(key, digestmod=hashlib.sha256).digest()).decode()
        if len(body.get("timestamp", "")) != 10 or body.get("sign") != wanted:
            return Reply.of({"code": 19021, "msg": "sign match fail or timestamp is not within"})
        self.shown.append({"text": body["content"]["text"]})
        return Reply.of({"code": 0, "msg": "success", "data": {}})
