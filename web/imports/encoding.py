"""Which encoding a text file is in: strict tries first, then how usual the characters are.

Statistics alone fail on short lists (a Korean name is also two common Chinese characters), so the
characters that place names, headers and addresses are made of count more than others.
"""

import codecs
from dataclasses import dataclass

import charset_normalizer

from web.imports.unreadable import Unreadable

# What lists of devices, people and goods are full of, beside the most frequent characters.
_SIMPLIFIED = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面"
    "而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把"
    "性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质"
    "气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活"
    "设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则"
    "任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美"
    "再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元"
    "况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近矿千周委"
    "素技备半办青省列习响约支般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江"
    "型眼王按格养易置派层片始却专状育厂京识适属圆包火住调满县局照参红细引听该铁价严龙飞址纬镇乡街村社区楼栋"
    "室厅站校医院幢弄湖桥港园馆店馆票姓名电话手机号码备注序编数量单位规格批次有效期仓库责任负责联系箱柜锁密码"
    "护士证书培训队急救志愿者服务中心卫生广场酒店宾馆银行超市体育武汉北京上海"
    "王李张刘陈杨赵黄周吴徐孙胡朱林郭罗梁宋郑谢韩唐冯董程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶余潘杜戴夏钟汪"
    "田姜范姚谭廖邹熊陆郝孔崔康邱秦顾侯邵孟万段雷钱汤尹黎常乔贺赖龚伟芳娜秀英敏静丽磊洋勇艳杰娟涛霞刚桂梅玉兰"
    "凤洁琳云莲雪荣妹香瑞佳嘉琼珍莉鹏浩宇欣怡婷"
)
_TRADITIONAL = frozenset(
    "的一是不了在有個人這上中大為來我到出要以時和地們得可下對生也子就過能他會多發說而於自之用年行家方後作成"
    "開面事好小心前所道法如進著同經分定都然與本還其當動學點現當國種理部主意體高長文機實等新日正天明三問力量"
    "無全把將物公從頭西重間相場所電水教業加社員外市臺灣北高雄中南桃園新竹苗栗彰化雲林嘉義屏東宜蘭花蓮澎湖"
    "金門縣市區鄉鎮村里鄰路街段巷弄號樓館廳站校院醫護車捷運公園局署處室服務中心圖書體育國民小學高級職業專科"
    "名稱地址經緯度設置點描述開放時間備註星期至聯絡話編號機關單位管理負責人緊急救護廣場飯店銀行辦公大門口櫃檯"
    "警衛健康衛生所消防隊分香港澳九龍新界島道大廈中心康樂文化事務署商場酒店屋邨診所"
)
_JAPANESE = frozenset(
    "日一国人年大十二本中長出三時行見月分後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先"
    "名川千水半男西電校語土木聞食車何南万毎白天母火右読友左休父雨市区町村丁目番地号都道府県郵便住所施設称緯経"
    "度設置位場内館室階棟庁舎役所支所公民病院医療保育幼稚園児童図書体育総合運動公共会議事務消防署団交番駅前"
    "利用可能曜始終了備考有無連絡先団体法人株式会社店神戸大阪京福岡沖縄浦添高松狛江港湾浜崎島田村井谷原"
)
_HANGUL = frozenset(
    "가각간갈감강개거건걸검게겨격견결경계고곡골공과관광교구국군권귀규그극근금급기길김나난남내너네노농누는능니다단"
    "달담당대더덕도독동두둔드들등디라락란람래랑력련령례로록론료류률르를름리린림마만말망매면명모목무문물미민바박반"
    "발방배백번범법변별병보복본봉부북분불비사산삼상새생서석선설성세소속송수순스시식신실심아안암앙애야약양어언업"
    "에여역연영예오옥온완왕외요용우운울원월위유육은을음의이인일임입자작장재전절점정제조종좌주준중증지직진질집차"
    "찰창처천청체초촌총추출충치칠타탄터통트특판팔평포표품프하학한할함합해행향허혁현협형호홍화환활황회후훈희"
)
_CENTRAL = frozenset("čšžćđáéěíóúůýřťďňłąęśźżőűöüäôľĺŕČŠŽĆĐÁÉĚÍÓÚŮÝŘŤĎŇŁĄĘŚŹŻŐŰÖÜÄ")
_WESTERN = frozenset("éèêëàâçîïôûùüöäßñáíóúãõœæøåÉÈÊÀÂÇÎÔÛÜÖÄÑÁÍÓÚÃÕŒÆØÅ")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An encoding that people save lists in; `codec` is the superset that programs really use."""

    name: str
    codec: str
    usual: frozenset[str]


# The first of equals wins: our own country's encoding.
_CANDIDATES = (
    _Candidate("GB18030", "gb18030", _SIMPLIFIED),
    _Candidate("Big5", "cp950", _TRADITIONAL),
    _Candidate("Shift_JIS", "cp932", _JAPANESE),
    _Candidate("EUC-KR", "cp949", _HANGUL),
    _Candidate("windows-1250", "cp1250", _CENTRAL),
    _Candidate("windows-1252", "cp1252", _WESTERN),
)
_SINGLE_BYTE = {"cp1250", "cp1252"}
_MARKS = (
    (codecs.BOM_UTF8, "UTF-8 with BOM", "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "UTF-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "UTF-16", "utf-16"),
)
_SUPERSETS = {
    "utf-8": "utf-8-sig",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "cp950",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
_SAMPLE = 200_000
_JUDGED = 20_000


def decode(content: bytes, encoding: str | None = None) -> tuple[str, str]:
    """Give the text and the name of its encoding, the given one or the one it looks like.

    Raises `Unreadable`, which names the first line that does not fit.
    """
    if encoding is not None:
        return _as_told(content, encoding)
    for mark, name, codec in _MARKS:
        if content.startswith(mark):
            return _strictly(content, codec, name), name
    try:
        return content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError as error:
        _refuse_spoilt_utf8(content, error)
    return _by_looks(content)


def _as_told(content: bytes, encoding: str) -> tuple[str, str]:
    try:
        codec = codecs.lookup(encoding.strip()).name
    except LookupError:
        raise Unreadable(
            f"{encoding} is no known encoding; give UTF-8, GB18030, GBK, Big5, Shift_JIS or EUC-KR",
            f"无法识别编码 {encoding}，请使用 UTF-8、GB18030、GBK、Big5、Shift_JIS 或 EUC-KR。",
        ) from None
    return _strictly(content, _SUPERSETS.get(codec, codec), encoding), encoding


def _strictly(content: bytes, codec: str, name: str) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        raise _broken(content, error.start, name) from None


def _broken(content: bytes, start: int, name: str) -> Unreadable:
    line = content.count(b"\n", 0, start) + 1
    return Unreadable(
        f"Line {line} holds bytes that are not {name}; "
        "save the file again as CSV UTF-8, or name its encoding",
        f"第 {line} 行含有不属于 {name} 编码的字节，请另存为 CSV UTF-8 格式，或指定编码。",
    )


def _refuse_spoilt_utf8(content: bytes, error: UnicodeDecodeError) -> None:
    """Refuse UTF-8 in which a few bytes are broken; other encodings would read it as nonsense."""
    text = content[:_SAMPLE].decode("utf-8", errors="replace")
    foreign = [character for character in text if character > "\x7f"]
    if len(foreign) >= 20 and foreign.count("\ufffd") * 20 < len(foreign):
        raise _broken(content, error.start, "UTF-8")


def _by_looks(content: bytes) -> tuple[str, str]:
    judged = []
    for place, candidate in enumerate(_CANDIDATES):
        text = content[:_SAMPLE].decode(candidate.codec, errors="replace")
        is_whole = "\ufffd" not in text.removesuffix("\ufffd")
        judged.append((_usualness(text, candidate), is_whole, -place, candidate))
    score, _whole, _place, best = max(judged, key=lambda entry: entry[:3])
    if score > 0:
        return _strictly(content, best.codec, best.name), best.name
    other = charset_normalizer.from_bytes(content[:_SAMPLE]).best()
    if other is None:
        raise Unreadable(
            "The file is no text in a known encoding; save it as CSV UTF-8 or XLSX",
            "无法识别文件的文字编码，请另存为 CSV UTF-8 或 XLSX 格式。",
        )
    return _strictly(content, other.encoding, other.encoding), other.encoding


def _usualness(text: str, candidate: _Candidate) -> float:
    """Judge how usual the characters beyond ASCII are: about 3 for real text, below 0 for noise."""
    is_single = candidate.codec in _SINGLE_BYTE
    total = count = 0
    for index, character in enumerate(text):
        if character > "\x7f":
            weigh = _weigh_single if is_single else _weigh
            total += weigh(text, index, candidate)
            count += 1
            if count == _JUDGED:
                break
    return total / count if count else 0.0


def _weigh(text: str, index: int, candidate: _Candidate) -> int:
    character = text[index]
    if character in candidate.usual:
        return 4
    if character == "\ufffd":
        return -8
    if "\uff61" <= character <= "\uff9f":
        return _weigh_half_kana(text, index)
    if "\u3040" <= character <= "\u30ff":
        return 3 if candidate.codec == "cp932" else 0
    if "\uac00" <= character <= "\ud7a3":
        return 2
    return _weigh_rare(character, candidate)


def _weigh_rare(character: str, candidate: _Candidate) -> int:
    """Weigh what is in no list of usual ones: the first halves of the tables hold common words."""
    if "\u3000" <= character <= "\u301f" or "\uff01" <= character <= "\uff5e":
        return 1
    coded = character.encode(candidate.codec)
    first = _FIRST_HALF.get(candidate.codec)
    if first is not None and len(coded) == 2 and first[0] <= coded[0] <= first[1]:
        return 1
    return -2


# Lead bytes of the hanzi and kanji that each standard calls level one.
_FIRST_HALF = {"gb18030": (0xB0, 0xD7), "cp950": (0xA4, 0xC6), "cp932": (0x88, 0x98)}


def _weigh_half_kana(text: str, index: int) -> int:
    """Half-width kana come in words of their own; single ones are another encoding's halves."""
    around = text[max(0, index - 1) : index] + text[index + 1 : index + 2]
    return 1 if any("\uff61" <= near <= "\uff9f" for near in around) else -3


def _weigh_single(text: str, index: int, candidate: _Candidate) -> int:
    """In Latin text a letter with a mark stands among plain letters."""
    around = text[max(0, index - 1) : index] + text[index + 1 : index + 2]
    if text[index] in candidate.usual and any(near.isascii() and near.isalpha() for near in around):
        return 4
    return -3
