"""The 77 provinces of Thailand, however they are written."""

import re
from functools import lru_cache
from typing import Final

from ingestion.normalise.crossing import folded
from ingestion.normalise.thai import normalise_thai

# Each row: our name for it (the Royal Institute's romanisation), its Thai name, other spellings without spaces.
_ROWS: Final = """
krabi กระบี่
bangkok กรุงเทพมหานคร กรุงเทพ กรุงเทพฯ กทม กทม. กรุงเทพมหานครฯ krungthep krungthepmahanakhon bkk bangkokmetropolis
kanchanaburi กาญจนบุรี กาญจน์ kanchanabury
kalasin กาฬสินธุ์ karasin
kamphaeng-phet กำแพงเพชร kampangpetch kamphaengpetch kampaengphet kampangphet
khon-kaen ขอนแก่น konkaen khonkean khonkan
chanthaburi จันทบุรี จันท์ chantaburi janthaburi
chachoengsao ฉะเชิงเทรา แปดริ้ว chachengsao chacherngsao paetriu
chon-buri ชลบุรี cholburi
chai-nat ชัยนาท chainart
chaiyaphum ชัยภูมิ chaiyapoom chaiyapum
chumphon ชุมพร chumporn
chiang-rai เชียงราย chiengrai
chiang-mai เชียงใหม่ chiengmai chiangmei cnx
trang ตรัง
trat ตราด trad
tak ตาก
nakhon-nayok นครนายก nakornnayok
nakhon-pathom นครปฐม nakornpathom nakhonprathom
nakhon-phanom นครพนม nakornphanom nakornpanom nakhonpanom
nakhon-ratchasima นครราชสีมา โคราช korat nakornratchasima nakhonratchsima
nakhon-si-thammarat นครศรีธรรมราช นครศรีฯ นครศรี nakhonsrithammarat nakornsrithammarat
nakhon-sawan นครสวรรค์ nakornsawan
nonthaburi นนทบุรี เมืองนนท์ nontaburi nonthburi
narathiwat นราธิวาส naratiwat
nan น่าน
bueng-kan บึงกาฬ buengkarn bungkan
buri-ram บุรีรัมย์
pathum-thani ปทุมธานี ปทุม prathumthani patumthani
prachuap-khiri-khan ประจวบคีรีขันธ์ ประจวบ ประจวบฯ prachuap prachuabkhirikhan prachuabkirikhan prachuapkirikhan
prachin-buri ปราจีนบุรี prajinburi
pattani ปัตตานี patani
phayao พะเยา payao
phra-nakhon-si-ayutthaya พระนครศรีอยุธยา อยุธยา พระนครศรีอยุธยาฯ ayutthaya ayuthaya ayudhya ayutaya
phangnga พังงา pangnga phangnga
phatthalung พัทลุง pattalung phattalung
phichit พิจิตร pichit
phitsanulok พิษณุโลก pitsanulok phisanulok
phetchaburi เพชรบุรี เพชรบุรีฯ petchaburi phetburi petburi
phetchabun เพชรบูรณ์ petchabun petchaboon phetchaboon
phrae แพร่ prae
phuket ภูเก็ต puket
maha-sarakham มหาสารคาม สารคาม mahasarakam
mukdahan มุกดาหาร mukdaharn
mae-hong-son แม่ฮ่องสอน maehongsorn
yasothon ยโสธร yasothorn
yala ยะลา
roi-et ร้อยเอ็ด roied
ranong ระนอง
rayong ระยอง
ratchaburi ราชบุรี rajburi rachaburi
lop-buri ลพบุรี lobburi
lampang ลำปาง
lamphun ลำพูน lampoon
loei เลย loey
si-sa-ket ศรีสะเกษ ศรีษะเกษ srisaket srisaked
sakon-nakhon สกลนคร สกล sakonnakorn sakolnakorn
songkhla สงขลา songkla
satun สตูล
samut-prakan สมุทรปราการ ปากน้ำ samutprakarn
samut-songkhram สมุทรสงคราม แม่กลอง samutsongkram
samut-sakhon สมุทรสาคร มหาชัย samutsakorn
sa-kaeo สระแก้ว srakaew sakaew srakaeo
saraburi สระบุรี
sing-buri สิงห์บุรี singhburi
sukhothai สุโขทัย sukothai
suphan-buri สุพรรณบุรี สุพรรณ สุพรรณฯ supanburi suphan
surat-thani สุราษฎร์ธานี สุราษฎร์ สุราษฏร์ธานี suratthanee suratani
surin สุรินทร์
nong-khai หนองคาย
nong-bua-lam-phu หนองบัวลำภู nongbualamphoo nongbualumphu
ang-thong อ่างทอง angtong
amnat-charoen อำนาจเจริญ amnatcharern amnardcharoen
udon-thani อุดรธานี อุดร อุดรฯ udon udornthani udorn udontani
uttaradit อุตรดิตถ์ utaradit
uthai-thani อุทัยธานี uthaithanee
ubon-ratchathani อุบลราชธานี อุบล อุบลฯ ubon ubonratchatani ubonrachathani
"""
_NOT_LETTERS: Final = re.compile("[^a-z\u0e01-\u0e4e]+")
_PREFIX: Final = re.compile("^(?:จังหวัด|จ\\.)|^(?:changwat|province of)\\b|\\b(?:province|city)$", re.IGNORECASE)


def _spellings() -> dict[str, str]:
    return {_squashed(spelling): row.split()[0] for row in _ROWS.strip().splitlines() for spelling in row.split()}


def _squashed(text: str) -> str:
    return _NOT_LETTERS.sub("", text.casefold())


_BY_SPELLING: Final = _spellings()
_BY_READING: Final = {
    folded(slug.replace("-", "")): slug for slug in dict.fromkeys(_BY_SPELLING.values()) if len(slug) > 6
}

PROVINCES: Final = frozenset(_BY_SPELLING.values())


@lru_cache(maxsize=8_192)
def province(text: str) -> str | None:
    """The province that a text names and nothing else does (``กทม.``, ``จ.ชลบุรี``, ``Chon Buri Province``), or None."""
    text = normalise_thai(text)
    if len(text) > 60:
        return None
    squashed = _squashed(text)
    if found := _BY_SPELLING.get(squashed):
        return found
    squashed = _squashed(_PREFIX.sub("", text.strip(" ,.")))
    return _BY_SPELLING.get(squashed) or (_BY_READING.get(folded(squashed)) if squashed.isascii() else None)
