"""Names of the sample company's people, in both scripts.

Thai names are compounds of a few dozen Sanskrit and Pali elements, so they are
put together from elements that carry their Thai spelling and the Latin
spellings that bearers of such names choose (ธนกร: Thanakorn, Tanakon, Thanagorn).
That gives many thousands of natural names, and variants of one name that agree
across scripts, without a transliteration model and independent of the version
of any word list. All people are invented.
"""

from __future__ import annotations

Element = tuple[str, tuple[str, ...]]


def _elements(text: str) -> tuple[Element, ...]:
    """Parse ``ธนกร:Thanakorn/Tanakorn`` lines into (Thai, Latin spellings) pairs, the commonest spelling first."""
    return tuple((thai, tuple(latin.split("/"))) for thai, latin in (word.split(":") for word in text.split()))


MALE_FIRST = _elements("""
ธน:Thana/Tana ธีร:Theera/Teera/Thira วีร:Weera/Veera/Wira ศุภ:Supa/Suppa/Supha ภัทร:Phattara/Pattara/Patara
ณัฐ:Natta/Nattha/Nuttha อนุ:Anu กิตติ:Kitti/Kitthi สุร:Sura สิทธิ:Sitthi/Sitti ไชย:Chaiya พงศ:Pongsa/Phongsa
ปิย:Piya วร:Wora/Vora จักร:Chakka/Jakka ภาณุ:Phanu/Panu อภิ:Api/Aphi นพ:Noppa/Noppha รัชต:Ratchata พีร:Peera/Phira
เอก:Ekka/Eakka อัคร:Akkara/Akara จิร:Jira/Chira ชิน:Chinna กฤต:Kritta/Krita พิสิฐ:Pisit/Phisit ทศ:Thotsa/Tossa
เกียรติ:Kiatti/Kiat นร:Nara สรร:San วิทย:Withaya/Vittaya ปรี:Pree ชนะ:Chana ธรรม:Thamma/Tamma อิทธิ:Itthi/Itti
""")
MALE_LAST = _elements("""
กร:korn/kon/gorn พล:pon/phon/pol พงศ์:pong/phong พงษ์:pong/phong วัฒน์:wat ศักดิ์:sak ชัย:chai เดช:dej/det/dech
ยุทธ:yut/yuth วุฒิ:wut ภพ:pop/phop พันธ์:pan/phan วิทย์:wit/vit ชาติ:chat/chart ภัทร:pat/phat เทพ:thep/tep
ธร:thon/torn รัตน์:rat ฤทธิ์:rit/rith โชติ:chot นนท์:non/nont
""")
FEMALE_FIRST = _elements("""
พิมพ์:Pim/Phim วรรณ:Wanna/Vanna สุ:Su ศิริ:Siri กัญ:Kan/Gun อร:Orn/On จิต:Jitta/Chitta รุ่ง:Rung/Roong ชล:Chon/Chol
เพ็ญ:Pen/Phen กาญจน:Kanchana/Karnjana สุภา:Supa/Supha อัญ:An/Aun รัตน:Rattana/Ratana ณัฐ:Natta/Nattha/Nuttha
ภัทร:Pattara/Phattara/Patara พัชร:Patchara/Phatchara ปิย:Piya วิภา:Wipa/Vipa ดวง:Duang สิริ:Siri ธัญ:Thanya/Tanya
ชุติ:Chuti กมล:Kamon/Kamol นภ:Noppa/Nopha จิรา:Jira/Chira พร:Porn/Phon จันทร:Chantra/Jantra มน:Mon ธน:Thana/Tana
""")
FEMALE_LAST = _elements("""
พร:porn/phon วรรณ:wan นันท์:nan/nun ธิดา:thida/tida ลักษณ์:lak/luck กานต์:kan/karn ดา:da ญา:ya นุช:nuch/nut รัตน์:rat
มาศ:mas/mart ภรณ์:porn/phon วดี:wadee/wadi ณี:nee/ni ชนก:chanok นภา:napa/napha ทิพย์:thip/tip จันทร์:chan/jan
รดา:rada กมล:kamon/kamol ภา:pa/pha สิริ:siri วรา:wara มณี:manee/mani
""")
MALE_WHOLE = _elements("""
สมชาย:Somchai สมศักดิ์:Somsak ประเสริฐ:Prasert วิชัย:Wichai/Vichai สุชาติ:Suchart/Suchat อนุชา:Anucha ปรีชา:Preecha
มานพ:Manop/Manoph วสันต์:Wasan/Vasan อาทิตย์:Artit/Athit ปฏิพัทธ์:Patipat กฤษณะ:Kritsana/Krisana ธวัช:Thawat/Tawat
ธันวา:Thanwa/Tanwa เกรียงไกร:Kriangkrai บุญมี:Boonmee/Bunmi สมหมาย:Sommai ชูชาติ:Chuchat/Choochart อดิศร:Adisorn/Adison
ไพโรจน์:Pairoj/Phairot ไพบูลย์:Paiboon/Phaibun นิรันดร์:Niran/Nirun จรัญ:Jaran/Charan คมสัน:Komsan/Khomsan
ปกรณ์:Pakorn/Pakon กันต์:Kan/Gun ภูผา:Phupha/Poopha ศรายุทธ:Sarayut/Sarayuth คุณากร:Kunakorn/Khunakon มานะ:Mana
เฉลิมชัย:Chalermchai อำนาจ:Amnat/Amnart สาโรจน์:Saroj/Sarot วิโรจน์:Wiroj/Virot สนธยา:Sonthaya ทรงพล:Songpol/Songphon
""")
FEMALE_WHOLE = _elements("""
สมศรี:Somsri/Somsee มาลี:Malee/Mali สุดา:Suda วิไล:Wilai/Vilai อรทัย:Orathai/Oratai ปราณี:Pranee/Prani
กัลยา:Kanlaya/Kalaya จินตนา:Jintana/Chintana เบญจมาศ:Benjamas/Benchamat สุนีย์:Sunee/Suni นงลักษณ์:Nonglak/Nongluck
พรทิพย์:Porntip/Phonthip ชนิดา:Chanida อารีย์:Aree/Ari ขวัญใจ:Kwanjai/Khwanchai น้ำฝน:Namfon/Numfon แพรวา:Praewa
ปาลิตา:Palita ญาณิศา:Yanisa รินรดา:Rinrada นายิกา:Nayika ลลิตา:Lalita สายฝน:Saifon วาสนา:Wassana/Vasana
บุษบา:Busaba/Butsaba ยุพิน:Yupin/Yuphin ทัศนีย์:Thatsanee/Tassanee ดวงใจ:Duangjai/Duangchai เกศินี:Kesinee/Kesini
อัจฉรา:Atchara/Achara มยุรี:Mayuree/Mayuri ปวีณา:Paweena/Pawina สุกัญญา:Sukanya/Sukanlaya รุ่งนภา:Rungnapa/Rungnapha
""")
SURNAME_FIRST = _elements("""
ศรี:Sri สุข:Suk/Sook ทอง:Thong/Tong แก้ว:Kaew/Kaeo บุญ:Boon/Bun วงศ์:Wong รัตน:Rattana/Ratana จันทร์:Chan/Jan
แสง:Saeng/Sang พรหม:Prom/Phrom สม:Som เจริญ:Charoen/Jaroen ชัย:Chai มหา:Maha ประเสริฐ:Prasert พงษ์:Pong/Phong
สุวรรณ:Suwan/Suwanna วิเศษ:Wiset/Viset กิตติ:Kitti ธน:Thana/Tana ไพศาล:Paisan/Phaisan ศิริ:Siri เลิศ:Lert/Loet
อุดม:Udom พิทักษ์:Pitak/Phithak ดวง:Duang คำ:Kham/Kum นาค:Nak/Nark เพชร:Petch/Phet หาญ:Han/Harn มั่น:Man/Mun
ใจ:Jai/Chai สิงห์:Sing/Singh วร:Wora/Vora ภักดี:Pakdee/Phakdi เกษม:Kasem ปัญญา:Panya ชื่น:Chuen พูล:Poon/Phun
ลิ้ม:Lim เอี่ยม:Iam/Eiam กลิ่น:Klin ขวัญ:Kwan/Khwan โพธิ์:Pho/Poh อ่อน:On/Orn
""")
SURNAME_MIDDLE = _elements("""
สุข:suk/sook วงศ์:wong ชัย:chai ดี:dee/di ทอง:thong/tong แก้ว:kaew/kaeo ศรี:sri/see พงษ์:pong/phong รัตน์:rat
มณี:manee/mani ไพศาล:paisan วัฒนา:wattana/watthana เจริญ:charoen/jaroen ใจ:jai/chai ประเสริฐ:prasert พันธุ์:pan/phan
สวัสดิ์:sawat/sawad อรุณ:arun/aroon มงคล:mongkol/mongkhon ทรัพย์:sap/sub งาม:ngam ภักดี:pakdee/phakdi โชติ:chot
สิทธิ์:sit/sith ศักดิ์:sak จันทร์:chan/jan เดช:dej/det ชาติ:chat/chart บูรณ์:boon/bun หอม:hom กลาง:klang นวล:nuan
""")
SURNAME_LAST = _elements("""
กุล:kul/kun วงศ์:wong สกุล:sakul/sakun ชัย:chai พันธ์:pan/phan ทรัพย์:sap/sub วัฒน์:wat โรจน์:rot/roj เลิศ:lert/loet
""")

#: Given names of people who write in Latin only, with the short forms that they sign with.
ENGLISH_MALE = _elements("""
James:Jim/Jimmy Robert:Rob/Bob William:Will/Bill Michael:Mike David:Dave Richard:Rick/Rich Thomas:Tom Daniel:Dan
Matthew:Matt Andrew:Andy Christopher:Chris Joseph:Joe Benjamin:Ben Samuel:Sam Alexander:Alex Nicholas:Nick Edward:Ed/Ted
Oliver:Ollie George:Georgie Henry:Harry Peter:Pete Stephen:Steve Philip:Phil Anthony:Tony Patrick:Pat Simon:Si Liam:Liam
Lucas:Luke Noah:Noah Hans:Hans Pierre:Pierre Marco:Marco Kenji:Ken Hiroshi:Hiro Wei:Wei Jun:Jun Arjun:AJ Ravi:Ravi
Sven:Sven Diego:Diego Owen:Owen Callum:Cal Gareth:Gaz Fraser:Fraser
""")
ENGLISH_FEMALE = _elements("""
Elizabeth:Liz/Beth Margaret:Maggie/Meg Katherine:Kate/Kathy Jennifer:Jen/Jenny Jessica:Jess Victoria:Vicky/Tori
Susan:Sue Patricia:Pat/Trish Rebecca:Becky Samantha:Sam Alexandra:Alex Christina:Tina Emily:Em Charlotte:Charlie/Lottie
Olivia:Liv Amelia:Millie Sophie:Soph Isabella:Bella Hannah:Hannah Laura:Laura Rachel:Rach Nicole:Nikki Amanda:Mandy
Deborah:Deb Julia:Jules Anna:Annie Claire:Claire Ingrid:Ingrid Yuki:Yuki Sakura:Sakura Mei:Mei Priya:Priya Marie:Marie
Chiara:Chiara Greta:Greta Fiona:Fi Niamh:Niamh Bronwen:Bron
""")
_ENGLISH_SURNAMES = """
Smith Johnson Williams Brown Jones Taylor Wilson Davies Evans Thomas Roberts Walker Wright Robinson Thompson White
Hughes Edwards Green Hall Wood Harris Martin Jackson Clarke Clark Turner Hill Cooper Morris Ward Moore King Watson
Baker Harrison Morgan Patel Young Allen Mitchell James Anderson Phillips Lee Bell Parker Davis Bennett Miller Cook
Shaw Cox Richardson Collins Carter Murray Reid Campbell Stewart Fraser MacDonald O'Brien O'Connor Murphy Kelly Ryan
Walsh Müller Schmidt Weber Fischer Dubois Laurent Moreau Rossi Bianchi Tanaka Suzuki Sato Yamamoto Chen Wang Zhang
Kim Park Singh Sharma Nguyen Santos Garcia Andersen Lindqvist Van-Dijk Novak Kowalski Hargreaves Blackwood Pemberton
Ashworth Whitfield Lockwood Fairbanks Sinclair Drummond Holloway Kingsley Thornton Winslow Abernathy Bickerton
"""
ENGLISH_SURNAMES = tuple(_ENGLISH_SURNAMES.split())

#: (Thai, Latin) nicknames, as people show themselves in LINE.
NICKNAMES = tuple(
    (thai, latin[0])
    for thai, latin in _elements("""
บอย:Boy เมย์:May ปลา:Pla นุ่น:Noon ต้น:Ton แบงค์:Bank เจน:Jane ฟ้า:Fah มิ้นท์:Mint กิ๊ฟ:Gift โอ๊ต:Oat เอ:A บี:Bee
หนึ่ง:Nueng แนน:Nan ปุ๊ก:Puk ตูน:Toon มด:Mod ก้อย:Koi เบิร์ด:Bird นิว:New ออย:Oil แพร:Prae ปอนด์:Pond อาร์ม:Arm
มายด์:Mild เฟิร์น:Fern กบ:Kob หมู:Moo ไก่:Kai นก:Nok ส้ม:Som ใหม่:Mai เก่ง:Keng โจ้:Jo ป๊อป:Pop บัว:Bua จอย:Joy
""")
)
LINE_ORNAMENTS = ("", "", "", "", "", "🌸", " ❤️", "✨", "🐱", "_bkk", "88", " 🏡", "👟", ".com")

MAIL_DOMAINS = (  # example.com is reserved (RFC 2606): no message can ever reach a stranger
    ("gmail.example.com", 62),
    ("hotmail.example.com", 17),
    ("outlook.example.com", 8),
    ("icloud.example.com", 7),
    ("yahoo.example.com", 6),
)
#: What is typed where somebody has nothing to give.
JUNK_PHONES = ("0999999999", "0000000000", "-", "0123456789", "ไม่มี", "081-111-1111")
JUNK_EMAILS = ("noemail@noemail.example.com", "none", "-", "test@test.example", "null", "none@none.com")
