"""The layouts of AED lists that are known from the start, and the fields of every AED list."""

from web.imports import aed_columns
from web.imports.profile import Field, Profile

#: In the order of our own county sheet; the Chinese names are its headers.
FIELDS = (
    Field("id", "Id", "设备编号", ("编号", "序号", "no", "ref", "設備編號", "aedid", "@id")),
    Field(
        "name", "Place", "场所名称",
        ("名称", "地点名称", "单位名称", "安装单位", "設置場所名稱", "場所名稱", "名稱", "施設名",
         "設置施設", "title", "site", "ime", "naziv", "nom", "opis", "lokacija", "설치장소"),
        is_required=True,
    ),
    Field(
        "address", "Address", "详细地址",
        ("地址", "安装地址", "设置地址", "場所地址", "所在地", "住所", "addr", "street", "naslov",
         "adresse", "주소"),
    ),
    Field("floor", "Floor", "楼层", ("所在楼层", "level", "樓層", "階")),
    Field("entrance", "Entrance", "入口", ("入口说明",)),
    Field(
        "location_note", "Where exactly", "放置位置",
        ("安放位置", "具体位置", "设置位置", "AED放置地點", "設置位置", "placement",
         "position description", "설치위치"),
    ),
    Field("indoor", "Indoors", "室内", ("是否室内", "室内外")),
    Field(
        "phone", "Telephone", "场所电话",
        ("电话", "联系电话", "聯絡電話", "電話", "電話番号", "telephone", "tel", "전화번호"),
    ),
    Field(
        "lon", "Longitude", "经度",
        ("經度", "経度", "lng", "long", "x", "地點LNG", "wgs84经度", "경도"),
    ),
    Field("lat", "Latitude", "纬度", ("緯度", "y", "地點LAT", "wgs84纬度", "위도")),
    Field("coordinates", "Coordinates in one cell", "坐标", ("经纬度", "座標", "latlng")),
    Field("access", "Who may take it", "开放范围", ("开放对象", "使用范围")),
    Field(
        "hours", "Opening hours", "开放时间",
        ("可用时间", "營業時間", "開放時間", "opening hours", "利用可能時間", "delovni čas"),
    ),
    Field("hours_days", "Weekdays of the hours", "开放日", ("利用可能曜日", "availableDate")),
    Field("hours_start", "Open from", "开放开始", ("開始時間", "startTime")),
    Field("hours_end", "Open until", "开放结束", ("終了時間", "endTime")),
    Field(
        "hours_note", "Remarks on hours", "开放时间说明",
        ("利用可能日時特記事項", "availableDateNote"),
    ),
    Field("cabinet", "Cabinet", "箱柜", ("箱柜类型",)),
    Field(
        "cabinet_code", "Code of the cabinet (secret)", "箱柜密码",
        ("开箱密码", "柜门密码", "开锁密码", "密码", "lock code", "door code", "pin"),
        is_secret=True,
    ),
    Field("status", "Status", "状态", ("设备状态",)),
    Field("brand", "Brand", "品牌", ("厂家", "manufacturer")),
    Field("model", "Model", "型号", ("设备型号",)),
    Field("serial", "Serial number", "序列号", ("设备序列号", "serial no")),
    Field(
        "pads_expire_on", "Adult pads expire", "成人电极片有效期",
        ("电极片有效期", "电极片到期日"),
    ),
    Field("child_pads_expire_on", "Child pads expire", "儿童电极片有效期", ("小儿电极片有效期",)),
    Field(
        "has_child_pads", "Child pads", "儿童电极片",
        ("小児対応設備の有無", "equipmentForChildren", "儿童模式"),
    ),
    Field("battery_expires_on", "Battery expires", "电池有效期", ("电池到期日",)),
    Field("installed_on", "Installed", "安装日期", ("设置日期", "設置日期", "設置年月日")),
    Field("acquired", "How acquired", "来源方式", ("取得方式",)),
    Field("donor", "Donor", "捐赠方", ("捐赠单位",)),
    Field("carrier", "Carrier (mobile devices)", "随车载体", ("车辆",)),
    Field("check_every_days", "Checked every (days)", "巡检周期", ("巡检周期天",)),
    Field("verified_at", "Last checked", "最近核查", ("最近巡检", "核查日期")),
    Field(
        "custodian_1_name", "First custodian", "第一责任人",
        ("责任人", "管护人", "管理人", "管理员", "负责人", "联系人", "第一管护人", "custodian"),
    ),
    Field(
        "custodian_1_unit", "First custodian: unit", "第一责任人单位",
        ("责任单位", "管护单位", "管理单位", "责任人单位", "管护人单位", "custodian unit"),
    ),
    Field(
        "custodian_1_phone", "First custodian: telephone", "第一责任人电话",
        ("责任人电话", "管护人电话", "管理人电话", "管理员电话", "负责人电话", "联系人电话",
         "责任人手机", "管护人手机", "管理员手机", "联系人手机", "custodian phone"),
    ),
    Field(
        "custodian_1_email", "First custodian: e-mail", "第一责任人邮箱",
        ("责任人邮箱", "管护人邮箱", "管理员邮箱", "联系人邮箱", "custodian email"),
    ),
    Field(
        "custodian_2_name", "Second custodian", "第二责任人",
        ("备用责任人", "副责任人", "第二管护人", "备用联系人", "第二联系人"),
    ),
    Field(
        "custodian_2_unit", "Second custodian: unit", "第二责任人单位",
        ("备用责任人单位", "第二管护人单位", "第二管护单位"),
    ),
    Field(
        "custodian_2_phone", "Second custodian: telephone", "第二责任人电话",
        ("备用责任人电话", "副责任人电话", "第二管护人电话", "备用联系人电话", "第二联系人电话",
         "第二责任人手机"),
    ),
    Field(
        "custodian_2_email", "Second custodian: e-mail", "第二责任人邮箱",
        ("备用责任人邮箱", "第二管护人邮箱"),
    ),
)  # fmt: skip

_OSM = {
    "id": ("@id", "id", "osm_id"),
    "kind": ("@type", "type", "osm_type"),
    "lon": ("@lon", "lon", "longitude", "x"),
    "lat": ("@lat", "lat", "latitude", "y"),
}
_LINK_DATA = {
    "id": "#property",
    "name": "name",
    "address": "address",
    "location_note": "installationPosition",
    "phone": "telephoneNumber",
    "hours_days": "availableDate",
    "hours_start": "startTime",
    "hours_end": "endTime",
    "hours_note": "availableDateNote",
    "has_child_pads": "equipmentForChildren",
}
# The numbers begin anew in each ward: they name no device.
_KOBE = {
    "name": "name",
    "address": "location",
    "lon": "lng",
    "lat": "lat",
    "hours_note": "note",
}

PROFILES = (
    Profile(
        "county-zh", "aeds", {field.name: field.zh for field in FIELDS},
        marks=("场所名称", "经度", "纬度"), en="Our county sheet", zh="县级名册模板",
    ),
    # What `golden export aeds` writes.
    Profile(
        "golden", "aeds", {column: column for column in aed_columns.EXPORTED},
        marks=aed_columns.EXPORTED, source="golden", style="golden",
        en="Export of this system", zh="本系统导出的名册",
    ),
    # Tags as columns, as Overpass and others write them; every column is a tag.
    Profile(
        "osm-tags", "aeds", _OSM, "osm-list", ("@id", "@lat", "@lon"), style="osm",
        en="OpenStreetMap tags", zh="OpenStreetMap 标签",
    ),
    Profile(
        "osm-features", "aeds", _OSM, "osm-list", ("emergency", "lon", "lat"), style="osm",
        en="OpenStreetMap features", zh="OpenStreetMap 要素",
    ),
    # Japan's recommended data set, both of its editions.
    Profile(
        "japan-standard", "aeds",
        {
            "id": ("NO", "ID"),
            "name": "名称",
            "address": ("住所", "所在地_連結表記"),
            "address_more": ("方書", "建物名等(方書)"),
            "lon": "経度",
            "lat": "緯度",
            "location_note": "設置位置",
            "phone": "電話番号",
            "hours_days": "利用可能曜日",
            "hours_start": "開始時間",
            "hours_end": "終了時間",
            "hours_note": "利用可能日時特記事項",
            "has_child_pads": "小児対応設備の有無",
        },
        "japan-standard", ("名称", "緯度", "経度", "設置位置", "利用可能曜日"),
        en="Japan, recommended data set", zh="日本推荐数据集",
    ),
    Profile(
        "takamatsu-2023", "aeds", {**_LINK_DATA, "lon": "longitude", "lat": "latitude"},
        "takamatsu", en="Takamatsu, 2023", zh="高松市 2023",
    ),
    Profile(
        "takamatsu-old", "aeds", {**_LINK_DATA, "coordinates": "location"}, "takamatsu",
        en="Takamatsu, before 2023", zh="高松市旧版",
    ),
    Profile(
        "urasoe", "aeds",
        {"id": "NO.", "name": "施設名", "address": "住所", "phone": "電話番号", "lon": "経度",
         "lat": "緯度"},
        "urasoe", en="Urasoe", zh="浦添市",
    ),
    # The table, and the markers of the map: one registry, two numberings.
    Profile(
        "kobe", "aeds", _KOBE, "kobe", ("number", "zipcode", "area", "location", "lng", "note"),
        en="Kobe", zh="神户市",
    ),
    Profile(
        "taiwan-2014", "aeds",
        {"name": "1", "address": "2", "coordinates": "3", "coordinates_again": "8",
         "location_note": ("9", "7"), "hours": "10", "phone": "11"},
        "taiwan", tuple(str(number) for number in range(1, 13)),
        ("3", r"^\(\s*[\d.]+\s*,\s*[\d.]+\s*\)$"), style="taiwan-2014",
        en="Taiwan, 2014", zh="台湾 2014",
    ),
    Profile(
        "taiwan", "aeds",
        {
            "id": "AEDID",
            "name": "場所名稱",
            "city": "場所縣市",
            "district": "場所區域",
            "address": "場所地址",
            "location_note": ("AED放置地點", "AED地點描述"),
            "lon": "地點LNG",
            "lat": "地點LAT",
            "weekday_start": "周一至周五起",
            "weekday_end": "周一至周五迄",
            "saturday_start": "周六起",
            "saturday_end": "周六迄",
            "sunday_start": "周日起",
            "sunday_end": "周日迄",
            "hours_note": "開放使用時間備註",
            "phone": "開放時間緊急連絡電話",
        },
        "taiwan", ("AEDID", "場所名稱", "地點LAT", "地點LNG"), style="taiwan",
        en="Taiwan, current", zh="台湾现行",
    ),
    Profile(
        "brezice", "aeds",
        {"name": "Opis", "hours": "delovni čas", "lon": "longitude", "lat": "latitude"}, "brezice",
        en="Brežice", zh="布雷日采",
    ),
    Profile(
        "braslovce", "aeds",
        {"name": "LOKACIJA DEFIBRILATORJA", "address": "NASLOV LOKACIJE"}, "braslovce",
        en="Braslovče", zh="布拉斯洛夫切",
    ),
)  # fmt: skip
