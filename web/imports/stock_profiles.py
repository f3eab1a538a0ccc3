"""The fields of a list of relief stock, and our own sheet for it."""

from web.imports.profile import Field, Profile

#: In the order of our own county sheet; the Chinese names are its headers.
FIELDS = (
    Field(
        "depot",
        "Depot",
        "仓库",
        ("备灾仓库", "仓库名称", "仓库编号", "库房", "warehouse"),
        is_required=True,
    ),
    Field("item", "Item", "物资", ("物资名称", "品名", "物资编码", "goods"), is_required=True),
    Field("item_code", "Code of the item", "物资代码", ("编码", "sku")),
    Field("item_en", "Item in English", "物资英文名", ("英文品名",)),
    Field("unit", "Unit", "单位", ("计量单位",)),
    Field("unit_en", "Unit in English", "英文单位", ()),
    Field(
        "quantity", "Quantity received", "数量", ("入库数量", "库存数量", "qty"), is_required=True
    ),
    Field("code", "Lot", "批号", ("批次", "批次号", "lot number")),
    Field("expires_on", "Expires", "有效期至", ("保质期至", "到期日", "有效期", "expiry")),
    Field("donor", "Donor", "捐赠方", ("捐赠单位", "来源")),
)

PROFILES = (
    Profile(
        "county-zh", "stock", {field.name: field.zh for field in FIELDS},
        marks=("仓库", "物资", "数量"),
        en="Our county sheet", zh="县级名册模板",
    ),
    Profile(
        "columns", "stock", {field.name: field.name for field in FIELDS},
        marks=("depot", "item", "quantity"), en="Names of the fields", zh="英文字段名",
    ),
)  # fmt: skip
