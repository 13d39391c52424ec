"""Provinces, districts and postcodes of the sample company's customers, in Thai and English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class District:
    """A district with its province, in both languages, and its postcode (five digits)."""

    thai: str
    english: str
    postcode: str
    province_thai: str
    province_english: str


#: Province in Thai and English, weight among the customers, then its districts as Thai:English:postcode.
_PROVINCES = """
กรุงเทพมหานคร|Bangkok|34|
  บางรัก:Bang Rak:10500;ปทุมวัน:Pathum Wan:10330;วัฒนา:Watthana:10110;ห้วยขวาง:Huai Khwang:10310;
  จตุจักร:Chatuchak:10900;ลาดพร้าว:Lat Phrao:10230;บางกะปิ:Bang Kapi:10240;บางนา:Bang Na:10260;
  สาทร:Sathon:10120;ดินแดง:Din Daeng:10400;พญาไท:Phaya Thai:10400;คลองสาน:Khlong San:10600;
  บางแค:Bang Khae:10160;มีนบุรี:Min Buri:10510;ดอนเมือง:Don Mueang:10210;พระโขนง:Phra Khanong:10260
นนทบุรี|Nonthaburi|8|
  เมืองนนทบุรี:Mueang Nonthaburi:11000;ปากเกร็ด:Pak Kret:11120;บางใหญ่:Bang Yai:11140;
  บางบัวทอง:Bang Bua Thong:11110
ปทุมธานี|Pathum Thani|6|
  เมืองปทุมธานี:Mueang Pathum Thani:12000;คลองหลวง:Khlong Luang:12120;ธัญบุรี:Thanyaburi:12110;
  ลำลูกกา:Lam Luk Ka:12150
สมุทรปราการ|Samut Prakan|6|
  เมืองสมุทรปราการ:Mueang Samut Prakan:10270;บางพลี:Bang Phli:10540;พระประแดง:Phra Pradaeng:10130
เชียงใหม่|Chiang Mai|8|
  เมืองเชียงใหม่:Mueang Chiang Mai:50000;สันทราย:San Sai:50210;หางดง:Hang Dong:50230;แม่ริม:Mae Rim:50180
ชลบุรี|Chon Buri|7|
  เมืองชลบุรี:Mueang Chon Buri:20000;บางละมุง:Bang Lamung:20150;ศรีราชา:Si Racha:20110;สัตหีบ:Sattahip:20180
ภูเก็ต|Phuket|5|
  เมืองภูเก็ต:Mueang Phuket:83000;กะทู้:Kathu:83120;ถลาง:Thalang:83110
ขอนแก่น|Khon Kaen|4|
  เมืองขอนแก่น:Mueang Khon Kaen:40000;ชุมแพ:Chum Phae:40130;บ้านไผ่:Ban Phai:40110
นครราชสีมา|Nakhon Ratchasima|5|
  เมืองนครราชสีมา:Mueang Nakhon Ratchasima:30000;ปากช่อง:Pak Chong:30130;สีคิ้ว:Sikhio:30140
สงขลา|Songkhla|4|
  หาดใหญ่:Hat Yai:90110;เมืองสงขลา:Mueang Songkhla:90000;สะเดา:Sadao:90120
ระยอง|Rayong|3|
  เมืองระยอง:Mueang Rayong:21000;บ้านฉาง:Ban Chang:21130
อุดรธานี|Udon Thani|3|
  เมืองอุดรธานี:Mueang Udon Thani:41000;กุมภวาปี:Kumphawapi:41110
เชียงราย|Chiang Rai|2|
  เมืองเชียงราย:Mueang Chiang Rai:57000;แม่สาย:Mae Sai:57130
พิษณุโลก|Phitsanulok|2|
  เมืองพิษณุโลก:Mueang Phitsanulok:65000;วังทอง:Wang Thong:65130
สุราษฎร์ธานี|Surat Thani|3|
  เมืองสุราษฎร์ธานี:Mueang Surat Thani:84000;เกาะสมุย:Ko Samui:84140;พุนพิน:Phunphin:84130
อุบลราชธานี|Ubon Ratchathani|2|
  เมืองอุบลราชธานี:Mueang Ubon Ratchathani:34000;วารินชำราบ:Warin Chamrap:34190
นครปฐม|Nakhon Pathom|3|
  เมืองนครปฐม:Mueang Nakhon Pathom:73000;สามพราน:Sam Phran:73110
ประจวบคีรีขันธ์|Prachuap Khiri Khan|2|
  หัวหิน:Hua Hin:77110;ปราณบุรี:Pran Buri:77120
พระนครศรีอยุธยา|Phra Nakhon Si Ayutthaya|2|
  พระนครศรีอยุธยา:Phra Nakhon Si Ayutthaya:13000;บางปะอิน:Bang Pa-in:13160
กระบี่|Krabi|1|
  เมืองกระบี่:Mueang Krabi:81000;อ่าวลึก:Ao Luek:81110
"""


def _districts() -> tuple[tuple[District, ...], tuple[int, ...]]:
    """Return every district and, beside it, the running total of the weights (a province's weight shared evenly)."""
    districts: list[District] = []
    totals: list[int] = []
    running = 0
    for line in _PROVINCES.replace("\n  ", "").strip().splitlines():
        province_thai, province_english, weight, text = line.split("|")
        entries = [entry.split(":") for entry in text.split(";")]
        for thai, english, postcode in entries:
            districts.append(District(thai, english, postcode, province_thai, province_english))
            running += int(weight) * 100 // len(entries)
            totals.append(running)
    return tuple(districts), tuple(totals)


DISTRICTS, DISTRICT_TOTALS = _districts()

#: (Thai, English) roads and lanes; the number of the lane is drawn.
ROADS: tuple[tuple[str, str], ...] = (
    ("ถนนสุขุมวิท", "Sukhumvit Rd."),
    ("ถนนพหลโยธิน", "Phahonyothin Rd."),
    ("ถนนมิตรภาพ", "Mittraphap Rd."),
    ("ถนนเพชรเกษม", "Phet Kasem Rd."),
    ("ถนนราษฎร์บูรณะ", "Rat Burana Rd."),
    ("ถนนประชาอุทิศ", "Pracha Uthit Rd."),
    ("ถนนรามคำแหง", "Ramkhamhaeng Rd."),
    ("ถนนแจ้งวัฒนะ", "Chaeng Watthana Rd."),
    ("ถนนนิมมานเหมินท์", "Nimmanhaemin Rd."),
    ("ถนนเทศบาล", "Thetsaban Rd."),
    ("ถนนศรีนครินทร์", "Srinagarindra Rd."),
    ("ถนนรัตนาธิเบศร์", "Rattanathibet Rd."),
)
