"""One table from what went wrong to an answer: status, meaning, what to do, in two languages.

Exceptions carry a `code`; the table gives the rest. Answers are RFC 9457 documents without a
word of our insides; what nobody foresaw is logged under the id that the answer shows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson
import psycopg
import redis.exceptions
import sqlalchemy.exc
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from dispatch import errors
from geo import position
from web import auth, field_words, headers, language, rights
from web.imports.mapping import BadMapping
from web.imports.unreadable import Unreadable

_logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What one code answers: the status, and title and next step in English and Chinese."""

    status: int
    en: tuple[str, str]
    zh: tuple[str, str]


_RELOAD = ("Load it again and repeat your change.", "请重新加载后再修改。")
_LOOK = ("Look at the present state and choose another step.", "请查看当前状态后选择其他操作。")

TABLE: Mapping[str, Answer] = {
    "bad_parameter": Answer(
        400, ("A parameter of the address is unknown or wrong.", "Correct it; /ogc/api names all."),
        ("地址中的参数未知或有误。", "请更正；/ogc/api 列出全部参数。"),
    ),
    "bad_tracker_message": Answer(
        400, ("The app's message is no position.", "Send id, lat, lon and timestamp."),
        ("应用发送的内容不是位置。", "请发送 id、lat、lon 和 timestamp。"),
    ),
    "not_signed_in": Answer(
        401, ("You are not signed in.", "Sign in and try again."),
        ("尚未登录。", "请登录后重试。"),
    ),
    "bad_credentials": Answer(
        401, ("Name or password is wrong.", "Check both and try again."),
        ("用户名或密码错误。", "请核对后重试。"),
    ),
    "link_over": Answer(
        401, ("This sign-in link was used or is too old.", "Ask for a new one: golden link NAME."),
        ("登录链接已使用或已过期。", "请获取新链接：golden link 用户名。"),
    ),
    "not_allowed": Answer(
        403, ("Your role does not allow this.", "Ask your administrator for the role."),
        ("您的角色无权进行此操作。", "请向管理员申请相应角色。"),
    ),
    "foreign_origin": Answer(
        403, ("The request came from another site's page.", "Use this system's own pages."),
        ("请求来自其他网站的页面。", "请使用本系统的页面。"),
    ),
    "tracker_unknown": Answer(
        403, ("This app's secret is unknown or revoked.", "Make a new one in your profile."),
        ("此应用的密钥无效或已撤销。", "请在个人页面重新生成。"),
    ),
    "not_found": Answer(
        404, ("There is no such thing, or it is not yours to see.", "Check the address."),
        ("不存在，或您无权查看。", "请核对地址。"),
    ),
    "method_not_allowed": Answer(
        405, ("This address does not take that method.", "See /api/v1/openapi.json."),
        ("此地址不支持该方法。", "参见 /api/v1/openapi.json。"),
    ),
    "conflict": Answer(
        409, ("The present state does not allow this.", _LOOK[0]),
        ("当前状态不允许此操作。", _LOOK[1]),
    ),
    "plan_outdated": Answer(
        409, ("The incident changed while the wave was planned.", "Send it again."),
        ("制定方案时事件发生了变化。", "请再发送一次。"),
    ),
    "step_out_of_order": Answer(
        409, ("This step does not follow the present one.", _LOOK[0]),
        ("此步骤不符合当前进度。", _LOOK[1]),
    ),
    "alert_over": Answer(
        409, ("This alert is over; you are not needed now.", "Thank you. Stay available."),
        ("该呼叫已结束，暂不需要您前往。", "谢谢，请继续保持待命。"),
    ),
    "incident_closed": Answer(
        409, ("The incident is closed.", "Reopen it if it is not over."),
        ("事件已结束。", "如仍在进行，请重新打开。"),
    ),
    "ambulance_unknown": Answer(
        409, ("Nobody has recorded whether 120 knows.", "Set the ambulance state, then close."),
        ("尚未记录 120 是否已知悉。", "请先登记 120 状态再结束事件。"),
    ),
    "stock_short": Answer(
        409, ("Not that much is available.", "Take less, or another depot or item."),
        ("可用数量不足。", "请减少数量，或选择其他仓库或物资。"),
    ),
    "nobody_to_alert": Answer(
        409, ("Nobody eligible is within reach.", "Look at the plan; the reasons stand there."),
        ("附近没有可通知的人员。", "请查看方案中的原因。"),
    ),
    "still_going": Answer(
        409, ("People are on their way for this call.", "Merge the other one into it instead."),
        ("已有人员正赶往该事件。", "请反过来将另一事件并入。"),
    ),
    "name_taken": Answer(
        409, ("Another one has this name or code.", "Choose another."),
        ("名称或代码已被使用。", "请换一个。"),
    ),
    "simulation_missing": Answer(
        409, ("No simulation report is about exactly this policy.", "Simulate it, then publish."),
        ("没有针对该策略版本的仿真报告。", "请先仿真，再发布。"),
    ),
    "policy_not_draft": Answer(
        409, ("Only a draft can be published.", "Make a new version."),
        ("只有草稿可以发布。", "请新建一个版本。"),
    ),
    "policy_not_published": Answer(
        409, ("Only a published policy can be retired.", "Leave the draft as it is."),
        ("只有已发布的策略可以停用。", "草稿无需停用。"),
    ),
    "stale_version": Answer(
        412, ("Somebody changed it since you read it.", _RELOAD[0]),
        ("读取之后已被他人修改。", _RELOAD[1]),
    ),
    "version_required": Answer(
        412, ("The version you read is missing.", "Send it as If-Match, as the ETag gave it."),
        ("缺少您读取的版本。", "请用 If-Match 头发送 ETag 中的版本。"),
    ),
    "too_big": Answer(
        413, ("The request is too big.", "Send less at once."),
        ("请求内容过大。", "请减少单次发送的内容。"),
    ),
    "bad_list": Answer(
        422, ("The list cannot be read.", "Follow the remark, and send the file again."),
        ("名册无法读取。", "请按提示修改后重新上传。"),
    ),
    "list_applied": Answer(
        409, ("The list was taken over already, or is too old.", "Send the file again."),
        ("名册已导入或已过期。", "请重新上传文件。"),
    ),
    "malformed": Answer(
        422, ("The request cannot be understood.", "Correct the fields that are named."),
        ("请求无法识别。", "请更正所列字段。"),
    ),
    "bad_position": Answer(
        422, ("The position cannot be right.", "Send degrees: longitude first, then latitude."),
        ("位置坐标有误。", "请发送度数：经度在前，纬度在后。"),
    ),
    "unknown_field": Answer(
        422, ("The request has a field that does not exist.", "Remove or rename the named fields."),
        ("请求含有不存在的字段。", "请删除或改名所列字段。"),
    ),
    "key_required": Answer(
        422, ("The Idempotency-Key header is missing.", "Send a fresh random key per intent."),
        ("缺少 Idempotency-Key 请求头。", "请为每次操作发送新的随机键。"),
    ),
    "bad_policy": Answer(
        422, ("A field of the policy is wrong.", "Correct the field that is named."),
        ("策略中有一个字段有误。", "请更正所指出的字段。"),
    ),
    "key_reused": Answer(
        422, ("This Idempotency-Key was used for something else.", "Send a fresh key."),
        ("此 Idempotency-Key 已用于其他请求。", "请使用新的键。"),
    ),
    "too_many": Answer(
        429, ("Too many tries.", "Wait as long as Retry-After says."),
        ("尝试次数过多。", "请按 Retry-After 的时间等待。"),
    ),
    "internal": Answer(
        500, ("Something unforeseen went wrong here.", "Try again; report the id if it stays."),
        ("系统发生意外错误。", "请重试；若仍出现，请报告编号。"),
    ),
    "unavailable": Answer(
        503, ("The system is not ready just now.", "Try again in a moment; nothing was lost."),
        ("系统暂时不可用。", "请稍后重试，数据不会丢失。"),
    ),
}  # fmt: skip

#: Kinder words for the same code, by the reason in its state.
_KINDER: Mapping[tuple[str, str], Answer] = {
    ("alert_over", "covered"): Answer(
        409,
        ("Enough people are on their way already. Thank you for answering.",
         "You need not set out. Please stay available for the next call."),
        ("已有足够的人赶往现场，感谢您的响应。", "您无需前往，请继续保持待命。"),
    ),
    ("alert_over", "real_alarm"): Answer(
        409, ("A real alarm wants you. Thank you for taking part.", "Answer what your phone says."),
        ("有真实呼叫需要您，感谢您参与演练。", "请答复手机上现在显示的呼叫。"),
    ),
}  # fmt: skip

_BY_HTTP_STATUS = {
    400: "malformed",
    401: "not_signed_in",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_big",
    422: "malformed",
    429: "too_many",
    503: "unavailable",
}


def answer(
    request: Request,
    code: str,
    *,
    detail: str = "",
    state: Mapping[str, Any] | None = None,
    fields: Sequence[Mapping[str, str]] = (),
    extra: Mapping[str, str] | None = None,
    instance: str | None = None,
) -> Response:
    """Write the problem document of a code in the caller's language."""
    entry = TABLE.get(code, TABLE["internal"])
    entry = _KINDER.get((code, str((state or {}).get("reason"))), entry)
    spoken = language.of(request)
    title, what_to_do = entry.zh if spoken == "zh" else entry.en
    body: dict[str, object] = {
        "type": f"/problems/{code}",
        "title": title,
        "status": entry.status,
        "code": code,
        "detail": detail or title,
        "what_to_do": what_to_do,
    }
    optional = {"instance": instance, "state": state, "errors": list(fields)}
    body.update({name: value for name, value in optional.items() if value})
    sent = {"Content-Language": spoken, "Cache-Control": "no-store", **(extra or {})}
    if entry.status in {429, 503}:
        sent.setdefault("Retry-After", str(RETRY_AFTER_S))
    if entry.status == 401:
        sent.setdefault("WWW-Authenticate", "Bearer")
    return Response(
        orjson.dumps(body, default=str), entry.status, headers=sent, media_type=MEDIA_TYPE
    )


def of_dispatch(request: Request, error: errors.DispatchError) -> Response:
    """Answer what an action refused; a conflict shows the present state."""
    detail = error.detail if language.of(request) == "en" else ""
    return answer(request, error.code, detail=detail, state=error.state)


def _of_auth(request: Request, error: auth.AuthError) -> Response:
    wait = error.retry_after_s
    return answer(request, error.code, extra={"Retry-After": str(wait)} if wait else None)


def _of_rights(request: Request, error: rights.NotAllowed) -> Response:
    return answer(request, error.code)


def _of_list(request: Request, error: Unreadable | BadMapping) -> Response:
    """Say in the caller's language what is wrong with a list that was sent in."""
    said = error if isinstance(error, Unreadable) else error.said
    return answer(request, "bad_list", detail=said.zh if language.of(request) == "zh" else said.en)


def _of_position(request: Request, error: position.BadPosition) -> Response:
    return _of_fields(request, "bad_position", [field_words.of_position(error)])


def _of_validation(request: Request, error: RequestValidationError) -> Response:
    faults = [field_words.read(fault) for fault in error.errors()]
    return _of_fields(request, field_words.code(faults), faults)


def _of_fields(request: Request, code: str, faults: Sequence[field_words.Fault]) -> Response:
    spoken = language.of(request)
    fields = [{"field": fault.field, "message": fault.message(spoken)} for fault in faults]
    return answer(request, code, fields=fields)


def _of_http(request: Request, error: HTTPException) -> Response:
    code = _BY_HTTP_STATUS.get(error.status_code, "internal")
    allow = (error.headers or {}).get("Allow")
    return answer(request, code, extra={"Allow": allow} if allow else None)


def _of_bad_value(request: Request, _error: Exception) -> Response:
    """A value that passed our models and that PostgreSQL or UTF-8 cannot hold."""
    return answer(request, "malformed")


def _of_broken_rule(request: Request, error: sqlalchemy.exc.IntegrityError) -> Response:
    diagnosis = getattr(error.orig, "diag", None)
    _logger.warning("constraint refused: %s", getattr(diagnosis, "constraint_name", None))
    return answer(request, "conflict")


def _of_outage(request: Request, error: Exception) -> Response:
    _logger.warning("unavailable: %s", type(getattr(error, "orig", None) or error).__name__)
    return answer(request, "unavailable")


def _of_surprise(request: Request, error: Exception) -> Response:
    number = uuid4()
    _logger.error("unforeseen error %s", number, exc_info=error)
    # Starlette answers this one outside of our middleware.
    guards = headers.ALWAYS
    return answer(request, "internal", instance=f"urn:uuid:{number}", extra=guards)


#: Most particular first is not needed: Starlette looks along each exception's own ancestors.
_HANDLERS: Mapping[type[Exception], Any] = {
    errors.DispatchError: of_dispatch,
    auth.AuthError: _of_auth,
    rights.NotAllowed: _of_rights,
    position.BadPosition: _of_position,
    Unreadable: _of_list,
    BadMapping: _of_list,
    RequestValidationError: _of_validation,
    HTTPException: _of_http,
    sqlalchemy.exc.DataError: _of_bad_value,
    UnicodeEncodeError: _of_bad_value,
    sqlalchemy.exc.IntegrityError: _of_broken_rule,
    sqlalchemy.exc.OperationalError: _of_outage,
    sqlalchemy.exc.InterfaceError: _of_outage,
    sqlalchemy.exc.TimeoutError: _of_outage,
    psycopg.OperationalError: _of_outage,
    redis.exceptions.RedisError: _of_outage,
    TimeoutError: _of_outage,
    ClientDisconnect: _of_bad_value,  # nobody is there to read it
    Exception: _of_surprise,
}


def install(app: FastAPI) -> None:
    """Let every exception of the app end in a problem document."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, _awaited(handler))


def _awaited(handler: Callable[[Request, Any], Response]) -> Any:
    """Starlette runs plain functions in threads; ours are quick and read the request's state."""

    async def handle(request: Request, error: Exception) -> Response:
        return handler(request, error)

    return handle


class FieldShape(BaseModel):
    """One field and what is wrong with it."""

    field: str
    message: str


class ProblemShape(BaseModel):
    """A refusal (RFC 9457): `code` never changes, the words are in the caller's language."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    what_to_do: str
    instance: str | None = None
    state: dict[str, Any] | None = None
    errors: list[FieldShape] | None = None


#: What any route may answer besides its own; for the OpenAPI text.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A refusal, as a problem document.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemShape"}}},
    }
}


def codes_text() -> str:
    """List every code with its status and meaning, for the OpenAPI text."""
    return "\n".join(f"* `{code}` ({a.status}): {a.en[0]} {a.en[1]}" for code, a in TABLE.items())
