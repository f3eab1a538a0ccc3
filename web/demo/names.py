"""Invented names of people, in Chinese and in pinyin."""

from random import Random

_FAMILY = (
    ("王", "Wang"), ("李", "Li"), ("张", "Zhang"), ("刘", "Liu"), ("陈", "Chen"), ("杨", "Yang"),
    ("黄", "Huang"), ("赵", "Zhao"), ("吴", "Wu"), ("周", "Zhou"), ("徐", "Xu"), ("孙", "Sun"),
    ("马", "Ma"), ("朱", "Zhu"), ("胡", "Hu"), ("郭", "Guo"), ("何", "He"), ("林", "Lin"),
    ("高", "Gao"), ("罗", "Luo"), ("郑", "Zheng"), ("梁", "Liang"), ("谢", "Xie"), ("宋", "Song"),
)  # fmt: skip
_GIVEN = (
    ("伟", "Wei"), ("芳", "Fang"), ("敏", "Min"), ("静", "Jing"), ("磊", "Lei"), ("洋", "Yang"),
    ("勇", "Yong"), ("艳", "Yan"), ("杰", "Jie"), ("娟", "Juan"), ("涛", "Tao"), ("明", "Ming"),
    ("秀兰", "Xiulan"), ("建国", "Jianguo"), ("晓雯", "Xiaowen"), ("志强", "Zhiqiang"),
    ("雨桐", "Yutong"), ("子涵", "Zihan"), ("海燕", "Haiyan"), ("春梅", "Chunmei"),
    ("文博", "Wenbo"), ("思远", "Siyuan"), ("佳怡", "Jiayi"), ("俊峰", "Junfeng"),
)  # fmt: skip


def make_names(count: int, *, random: Random) -> list[tuple[str, str]]:
    """Give so many different names, each in Chinese and in pinyin with the family name last."""
    every = [
        (family + given, f"{given_en} {family_en}")
        for family, family_en in _FAMILY
        for given, given_en in _GIVEN
    ]
    return random.sample(every, count)
