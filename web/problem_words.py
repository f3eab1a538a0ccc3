"""What each code answers: the status, and title and next step in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
    "stock_expired": Answer(
        409, ("These goods have expired meanwhile.", "Release the claim and reserve others."),
        ("该批物资已过期。", "请释放预留，改用其他批号。"),
    ),
    "not_first_to_expire": Answer(
        409, ("Another lot of this depot expires earlier.", "Take that one, or give a reason."),
        ("该仓库另有更早到期的批号。", "请先发更早到期的批号，或填写原因。"),
    ),
    "second_person": Answer(
        409, ("This takes two people.", "Have somebody else confirm it."),
        ("此操作须由两人完成。", "请由另一人确认。"),
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
KINDER: Mapping[tuple[str, str], Answer] = {
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
