"""Prose hours of Chinese, Japanese, Taiwanese and Slovenian lists, and what they become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opening_hours import validate

from geo import hours_text, hours_words


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        # Round the clock.
        ("全天", "24/7"),
        ("全天候开放", "24/7"),
        ("24小时", "24/7"),
        ("7×24小时", "24/7"),
        ("24小時開放，全年無休。", "24/7"),
        ("24H", "24/7"),
        ("終日利用可能", "24/7"),
        ("24時間利用可", "24/7"),
        ("24時間対応", "24/7"),
        ("全日・全時間帯使用可", "24/7"),
        ("dostopni 24 ur", "24/7"),
        ("00:00-24:00", "24/7"),
        ("00：00～23：59", "24/7"),
        ("每天 09:00-08:59", "24/7"),
        # A Chinese county's sheet.
        ("周一至周五 8:00-17:30", "Mo-Fr 08:00-17:30"),
        ("星期一至五 08:30—17:00", "Mo-Fr 08:30-17:00"),
        ("周一到周日 09:00～21:00", "09:00-21:00"),
        ("周一、三、五 8:00-12:00", "Mo,We,Fr 08:00-12:00"),
        ("周一至周五8:00-12:00，14:00-17:30", "Mo-Fr 08:00-12:00,14:00-17:30"),
        ("周一至周六 上午8:00-12:00 下午2:00-5:30", "Mo-Sa 08:00-12:00,14:00-17:30"),
        ("周一至周五8点到17点半", "Mo-Fr 08:00-17:30"),
        ("每天 8时30分至18时", "08:30-18:00"),
        ("周一至周五 9:00-18:00，12:00-13:00午休", "Mo-Fr 09:00-12:00,13:00-18:00"),
        ("工作日 8:00-17:00", "Mo-Fr 08:00-17:00; PH off"),
        ("平日 9:00-17:00，周末 10:00-16:00", "Mo-Fr 09:00-17:00; Sa-Su 10:00-16:00"),
        ("星期一至星期五 08:30-17:00（节假日除外）", "Mo-Fr 08:30-17:00; PH off"),
        ("周一至周五（法定节假日除外）8:00-17:30", "Mo-Fr 08:00-17:30; PH off"),
        ("除节假日外每天9:00-17:00", "09:00-17:00; PH off"),
        ("每天9:00-17:00（周一闭馆）", "Tu-Su 09:00-17:00"),
        ("周末 10:00-16:00", "Sa-Su 10:00-16:00"),
        # Who names no days may mean an office's.
        ("8:00-17:30", "Mo-Fr 08:00-17:30; Sa-Su 08:00-17:30 unknown"),
        ("9:00-17:00（周一闭馆）", "Tu-Su 09:00-17:00"),
        # Over midnight and past 24:00.
        ("每日 22:00-次日06:00", "22:00-06:00"),
        ("毎日 18:00-26:00", "18:00-02:00"),
        ("周五至周六 10:00-24:00", "Fr-Sa 10:00-24:00"),
        ("每天 06:00-00:00", "06:00-24:00"),
        # Japanese.
        ("月～金 9:00～17:00 土日祝日を除く", "Mo-Fr 09:00-17:00; PH off"),
        ("月曜日から金曜日 午前9時~午後5時", "Mo-Fr 09:00-17:00"),
        ("平日 9:00〜17:00", "Mo-Fr 09:00-17:00; PH off"),
        ("日・祝 10:00-16:00", "Su 10:00-16:00; PH 10:00-16:00"),
        # Slovene and English.
        ("pon-pet 8:00-16:00", "Mo-Fr 08:00-16:00"),
        ("ponedeljek do petek od 8. do 16. ure", "Mo-Fr 08:00-16:00"),
        (
            "pon-pet 7:00-15:00, sob 8:00-12:00, nedelja in prazniki zaprto",
            "Mo-Fr 07:00-15:00; Sa 08:00-12:00; PH off",
        ),
        ("vsak dan 6:00-22:00", "06:00-22:00"),
        ("Mon-Fri 9:00-17:00", "Mo-Fr 09:00-17:00"),
        # What is `opening_hours` already.
        ("24/7", "24/7"),
        ("24/7; PH off", "24/7; PH off"),
        ("Mo-Fr 08:00-17:00; PH off", "Mo-Fr 08:00-17:00; PH off"),
        ("Mo, Tu, Th 07:30-15:00; We 07:30-17:00", "Mo, Tu, Th 07:30-15:00; We 07:30-17:00"),
    ],
)
def test_HRS_1_prose_hours_are_read(text: str, hours: str) -> None:
    assert hours_text.to_osm(text) == hours


FORM = "星期一至星期五 {}<br>\n                 星期六 {}<br>\n   星期日 {}<br>\n 備註:{}"
DAY, EMPTY = "08:00 至 17:00", " 至 "


@pytest.mark.parametrize(
    ("parts", "hours"),
    [
        (("00:00 至 23:59", "00:00 至 23:59", "00:00 至 23:59", ""), "24/7"),
        (("00:00 至 00:00", "00:00 至 00:00", "00:00 至 00:00", "24小時"), "24/7"),
        (("00:00 至 00:00", "00:00 至 00:00", "00:00 至 00:00", ""), None),
        ((EMPTY, EMPTY, EMPTY, ""), None),
        # Empty, or left as the form began: closed, or nobody said.
        ((DAY, EMPTY, EMPTY, ""), "Mo-Fr 08:00-17:00; Sa-Su unknown"),
        ((DAY, "00:00 至 00:00", EMPTY, ""), "Mo-Fr 08:00-17:00; Sa-Su unknown"),
        ((DAY, EMPTY, EMPTY, "六日不開放"), "Mo-Fr 08:00-17:00"),
        ((DAY, EMPTY, EMPTY, "例假日不開放"), "Mo-Fr 08:00-17:00; PH off"),
        ((DAY, DAY, DAY, "例假日不開放"), None),  # open at weekends, and not
        ((DAY, DAY, DAY, "國定假日公休"), "08:00-17:00; PH off"),
        ((DAY, DAY, DAY, "星期一及國定假日休館"), "Tu-Su 08:00-17:00; PH off"),
        ((DAY, DAY, DAY, "12:00~13:00休息"), "08:00-12:00,13:00-17:00"),
        ((DAY, "08:00 至 12:00", EMPTY, ""), "Mo-Fr 08:00-17:00; Sa 08:00-12:00; Su unknown"),
        (("0730 至 1800", "0730 至 1600", EMPTY, ""),
         "Mo-Fr 07:30-18:00; Sa 07:30-16:00; Su unknown"),
        (("10:00 至 01:00", "09:30 至 02:30", "09:30 至 02:00", ""),
         "Mo-Fr 10:00-01:00, Sa 09:30-02:30, Su 09:30-02:00"),
        ((DAY, DAY, DAY, "星期五：10：00～22：00"), "Mo-Th,Sa-Su 08:00-17:00; Fr 10:00-22:00"),
        # Remarks that nobody can weigh, or that speak against the hours.
        ((DAY, DAY, DAY, "依影城實際營業時間為主"), None),
        ((DAY, DAY, DAY, "除夕休館"), None),
        ((DAY, DAY, DAY, "24小時開放"), None),
        ((DAY, DAY, DAY, "星期二至星期日08:00-17:00"), None),
        ((DAY, EMPTY, EMPTY, "星期一至星期五18:00-21:00"), None),
        ((DAY, EMPTY, EMPTY, "星期一~五12：00-13：30及星期六、日未開放"), None),
        (("08:00 至 05:00", EMPTY, EMPTY, ""), None),
    ],
)  # fmt: skip
def test_HRS_1_taiwan_s_form_is_read(parts: tuple[str, ...], hours: str | None) -> None:
    assert hours_text.to_osm(FORM.format(*parts)) == hours


DAILY = "月火水木金土日"


@pytest.mark.parametrize(
    ("parts", "hours"),
    [
        (("月火水木金", "8:30", "17:00", ""), "Mo-Fr 08:30-17:00"),
        (("月水木金土日", "1899-12-30T09:00:00.000Z", "1899-12-30T22:00:00.000Z", ""),
         "Mo,We-Su 09:00-22:00"),
        ((DAILY, "00:00", "23:59", "通年利用可能"), "24/7"),
        (("全日", "0900", "1700", ""), "09:00-17:00"),
        (("全日・全時間帯使用可", "", "", ""), "24/7"),
        (("", "", "", "終日利用可能"), "24/7"),
        (("", "9:00", "17:00", ""), "Mo-Fr 09:00-17:00; Sa-Su 09:00-17:00 unknown"),
        (("月火水木金", "08:15", "17:00", "祝日を除く"), "Mo-Fr 08:15-17:00; PH off"),
        (("月火水木金", "08:15", "17:00", "祝日、8/13～15及び12/29～1/3を除く"),
         "Mo-Fr 08:15-17:00; Aug 13-15 off; Dec 29-Jan 03 off; PH off"),
        (("月火水木金土", "07:30", "18:45", "祝日、12/29～1/3を除く。土曜日は17:00まで。"),
         "Mo-Fr 07:30-18:45; Sa 07:30-17:00; Dec 29-Jan 03 off; PH off"),
        (("月火木金", "10:45", "16:45", "月・木 10:45～12:00、火・金 14:00～16:45"),
         "Mo,Th 10:45-12:00; Tu,Fr 14:00-16:45"),
        ((DAILY, "10:00", "23:00", "第３水曜は休館"), "10:00-23:00; We[3] off"),
        ((DAILY, "9:00", "21:00", "休館日（偶数月第３木曜日、年末年始）"),
         "09:00-21:00; Feb,Apr,Jun,Aug,Oct,Dec Th[3] off; Dec 27-Jan 07 unknown"),
        (("月火水木金", "8:30", "17:00", "土日、祝日、年末年始を除く"),
         "Mo-Fr 08:30-17:00; Dec 27-Jan 07 unknown; PH off"),
        ((DAILY, "08:00", "17:00", "8/1～8/20は8:00～18:10"), "08:00-17:00; Aug 01-20 08:00-18:10"),
        # Conditions, and columns that say nothing.
        (("月火水木金", "09:00", "16:00", "開所日のみ"), None),
        (("火水木金土日", "09:30", "17:00", "月曜が祝日の場合は翌平日が休館"), None),
        ((DAILY, "", "", "開園時間中利用可"), None),
        (("月火水木金", "9:00", "", ""), None),
        (("月火水木金", "", "", ""), None),
        (("", "", "", ""), None),
    ],
)  # fmt: skip
def test_HRS_1_columns_of_a_registry_are_read(parts: tuple[str, ...], hours: str | None) -> None:
    days, start, end, note = parts
    assert hours_text.from_parts(days, start, end, note) == hours


@pytest.mark.parametrize(
    "text",
    [
        "", "-", "対応不可", "利用不可", "貸出時間制限有", "対応可能", "omejeno dostopni",
        "上班时间", "营业时间", "学校開校日に随時", "不开放", "节假日不开放", "开放时间非全天",
        "中午不休息", "夏季8:00-18:00", "周一至周五 08:00-05:30", "周一至周五", "8:00",
        "周一至周五 25:61-26:00", "周一至周五 8:00-17:00 周五 8:00-16:00", "周一至周五休息",
        "请联系门卫", "除夕休館", "第6火曜休館", "電話07-3573793",
    ],
)  # fmt: skip
def test_HRS_2_what_is_not_certain_is_not_read(text: str) -> None:
    assert hours_text.to_osm(text) is None


@given(
    st.lists(
        st.sampled_from(
            ["周一", "周一至周五", "星期六、日", "月火水", "土曜日は", "节假日", "祝日", "第2火曜",
             "8:00-12:00", "14:00-26:00", "22:00～06:00", "17:00まで", "12/29～1/3", "年末年始",
             "全天", "除外", "を除く", "休館日", "（", "）", "。", "、", "及び", "工作日", "假日"]
        ),
        max_size=7,
    )
)  # fmt: skip
def test_HRS_2_what_is_read_is_always_valid(words: list[str]) -> None:
    hours = hours_text.to_osm("".join(words))
    assert hours is None or validate(hours)


@given(st.text(max_size=40))
def test_HRS_2_no_text_breaks_the_reader(text: str) -> None:
    hours_text.to_osm(text)
    hours_text.from_parts(text, text, text, text)
    hours_words.fold(text)
