"""The fields of a list of volunteers, and our own sheet for them."""

from web.imports.profile import Field, Profile

#: In the order of our own county sheet; the Chinese names are its headers.
FIELDS = (
    Field("code", "Number", "编号", ("志愿者编号", "工号", "队员编号", "no", "id", "volunteer no")),
    Field("name", "Name", "姓名", ("名字", "志愿者姓名", "中文名"), is_required=True),
    Field("name_en", "Name in Latin letters", "英文名", ("拼音", "姓名拼音", "english name")),
    Field(
        "phone", "Mobile phone", "手机",
        ("手机号", "手机号码", "电话", "联系电话", "mobile", "tel"),
    ),
    Field("username", "User name", "用户名", ("登录名", "账号", "login")),
    Field("skills", "Skills", "技能", ("专长", "能力")),
    Field("born_on", "Date of birth", "出生日期", ("生日", "出生年月", "birthday", "dob")),
    Field("certificate_kind", "Certificate", "证书类型", ("证书", "证书名称", "certificate type")),
    Field("certificate_number", "Certificate number", "证书编号", ("证书号", "证号")),
    Field("certificate_issuer", "Issued by", "发证单位", ("发证机构", "issuer")),
    Field("certificate_issued_on", "Issued on", "发证日期", ("颁发日期", "issued")),
    Field(
        "certificate_expires_on", "Valid until", "有效期至",
        ("证书有效期", "证书到期", "证书到期日", "到期日", "有效期", "expires", "valid to"),
    ),
    Field("note", "Remarks", "备注", ("说明", "remark")),
)  # fmt: skip

PROFILES = (
    Profile(
        "county-zh", "responders", {field.name: field.zh for field in FIELDS},
        marks=("姓名", "手机", "有效期至"),
        en="Our county sheet", zh="县级名册模板",
    ),
    Profile(
        "columns", "responders", {field.name: field.name for field in FIELDS},
        marks=("name", "phone"), en="Names of the fields", zh="英文字段名",
    ),
)  # fmt: skip
