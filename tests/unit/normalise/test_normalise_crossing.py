"""Thai names and their Latin spellings meet: by key, and by likeness.

The pairs are names of people in public life and common names with the spellings in use; none was used to make the
rules, so the shares asserted here are a measure, with some room below what is reached today.
"""

from itertools import combinations

import pytest

from ingestion.normalise.crossing import folded, names_similar, readings_agree, skeleton
from ingestion.normalise.romanise import romanise

_SPELLINGS = """
ประยุทธ์ Prayut Prayuth|ยิ่งลักษณ์ Yingluck|อภิสิทธิ์ Abhisit Apisit
ทักษิณ Thaksin|สมชาย Somchai|ชวน Chuan|บรรหาร Banharn
แพทองธาร Paetongtarn|อนุทิน Anutin|พิธา Pita|ธนาธร Thanathorn
ปิยบุตร Piyabutr|พรรณิการ์ Pannika|ชลน่าน Cholnan|สุดารัตน์ Sudarat
ประวิตร Prawit Pravit|อนุพงษ์ Anupong|วิษณุ Wissanu
สมคิด Somkid|อุตตม Uttama|ณัฐพล Nataphol Nattapon Nuttapol|สุริยะ Suriya
พุทธิพงษ์ Buddhipongse Puttipong|ศักดิ์สยาม Saksayam|ณเดชน์ Nadech
อุรัสยา Urassaya|อารยา Araya|พัชราภา Patcharapa|ราณี Ranee
จิรายุ Jirayu|ศรราม Sornram|ชาคริต Shahkrit Chakrit
วันเพ็ญ Wanpen|สุรชัย Surachai|ศิริพร Siriporn|กิตติศักดิ์ Kittisak
วิภาวดี Wipawadee Vibhavadi|จันทร์เพ็ญ Chanpen Janpen|พรทิพย์ Porntip Pornthip
ปาริชาติ Parichat|สุภาพร Supaporn|เฌอมาลย์ Chermarn
ณัฐวุฒิ Nattawut Nuttawut|ธีรเดช Theeradej|ธนพล Thanapol Tanapon
พงศกร Pongsakorn|กัญญารัตน์ Kanyarat|ชญานิษฐ์ Chayanit
วรวิทย์ Worawit Voravit|ภัทรพล Pattarapol Phattharaphon
นภัสสร Napatsorn Napassorn|เมธาวี Maythawee Methawee
ศุภชัย Supachai|ศุภกร Suphakorn
ธัญญา Thanya|อรอนงค์ Onanong Ornanong|เกียรติศักดิ์ Kiattisak Kiatisak
ชัยวัฒน์ Chaiwat|พิมพ์ชนก Pimchanok|ไพลิน Pailin|จุฑามาศ Jutamas Juthamat
อัจฉรา Atchara Achara|รัชนี Ratchanee|เพชรรัตน์ Phetcharat Petcharat|สุทธิดา Suthida
วชิราลงกรณ์ Vajiralongkorn|ภูมิพล Bhumibol|สิรินธร Sirindhorn
จุฬาภรณ์ Chulabhorn|อุบลรัตน์ Ubolratana Ubonrat|ทีปังกร Dipangkorn
สิริกิติ์ Sirikit|สุจินดา Suchinda|เปรม Prem|ประภาส Praphas
ถนอม Thanom|สฤษดิ์ Sarit|แปลก Plaek|ปรีดี Pridi|ควง Khuang
ธานินทร์ Thanin|เกรียงศักดิ์ Kriangsak|ชาติชาย Chatichai Chatchai
อานันท์ Anand|สมัคร Samak|สุรยุทธ์ Surayud|ชวลิต Chavalit
ธนกร Thanakorn Tanagorn|หทัยรัตน์ Hathairat|วรรณา Wanna Vanna
กรกนก Kornkanok|ชุติมา Chutima|อมรรัตน์ Amornrat
บุษบา Busaba Bussaba|ยุพิน Yupin|ญาดา Yada
ปวีณา Paweena|กมลชนก Kamonchanok|ฐิติมา Thitima|ดวงใจ Duangjai
ธัญชนก Tanchanok Thunchanok|ปัณณวัฒน์ Pannawat|พีรพัฒน์ Peerapat
ภาณุพงศ์ Panupong|รุ่งนภา Rungnapa|ลลิตา Lalita
วีรยุทธ Weerayut Veerayuth|ศศิธร Sasithorn|สาวิตรี Sawitree
หนึ่งฤทัย Nuengruethai|อรพรรณ Orapan|เอกพล Ekapol Aekkapon
ไชยา Chaiya|เจษฎา Jessada Jetsada|โสภิตา Sopita|เบญจมาศ Benjamas
"""
NAMES = [line.split() for line in _SPELLINGS.replace("\n", "|").split("|") if line]
PAIRS = [(thai, latin) for thai, *spellings in NAMES for latin in spellings]


def share(hits: list[bool]) -> float:
    return sum(hits) / len(hits)


def test_most_spellings_share_the_key_of_the_thai_name() -> None:
    assert share([skeleton(thai) == skeleton(latin) for thai, latin in PAIRS]) >= 0.95


def test_the_key_still_tells_names_apart() -> None:
    others = list(combinations([thai for thai, *_ in NAMES], 2))
    assert share([skeleton(a) == skeleton(b) for a, b in others]) <= 0.01


def test_spellings_of_one_name_are_alike_and_other_names_are_not() -> None:
    others = [(a[0], b[1]) for a, b in combinations(NAMES, 2)]
    assert share([names_similar(thai, latin) >= 0.75 for thai, latin in PAIRS]) >= 0.97
    assert share([names_similar(a, b) >= 0.75 for a, b in others]) <= 0.05
    assert share([readings_agree(thai, latin) >= 0.65 for thai, latin in PAIRS]) >= 0.97
    assert share([readings_agree(a, b) >= 0.65 for a, b in others]) <= 0.02


@pytest.mark.parametrize("latin", ["Thanakorn", "Tanagorn", "thanakon", "DHANAKORN"])
def test_one_key_for_every_spelling(latin: str) -> None:
    assert skeleton("ธนกร") == skeleton(latin) == "tnkn"


def test_a_misspelling_stays_near() -> None:
    assert names_similar("พิชญาภรณ์", "พิชญาภรน์") > 0.9
    assert readings_agree("Somchai", "Somchia") > 0.7


def test_names_that_begin_alike_do_not_agree() -> None:
    assert names_similar("กิตติศักดิ์", "กิตติพงษ์") > 0.8
    assert readings_agree("กิตติศักดิ์", "กิตติพงษ์") < 0.65
    assert readings_agree("Siriporn", "Siriwan") < 0.65


@pytest.mark.parametrize("compare", [names_similar, readings_agree])
def test_the_scale(compare) -> None:
    assert compare("สมชาย", "สมชาย") == 1.0
    assert compare("Müller", "müller") == 1.0
    assert compare("", "Somchai") == compare("", "") == 0.0
    assert compare("สมชาย", "Beatrix") < 0.5


@pytest.mark.parametrize(
    ("thai", "latin"),
    [
        ("สมชาย", "somchai"), ("เชียงใหม่", "chiangmai"), ("ขอนแก่น", "khonkaen"), ("ภูเก็ต", "phuket"),
        ("วรรณา", "wanna"), ("ธรรมรักษ์", "thamrak"), ("กฤษณะ", "kritna"),
        ("จันทร์เพ็ญ", "chanphen"), ("สุรชัย", "surachai"),
        ("ศศิธร", "sasithon"),
        ("หนองคาย", "nongkhai"), ("อุดม ใจดี", "udom chaidi"), ("Khun สมชาย", "Khun somchai"), ("พฤกษา", "phrueksa"),
    ],
)  # fmt: skip
def test_romanise(thai: str, latin: str) -> None:
    assert romanise(thai) == latin


def test_empty_and_foreign() -> None:
    assert romanise("") == folded("") == skeleton("") == ""
    assert romanise("王伟") == "王伟"
    assert skeleton("王伟") == ""
