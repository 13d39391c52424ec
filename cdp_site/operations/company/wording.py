"""What people and agents write in the sample company: call notes, chat, survey answers, mails; Thai and English."""

from __future__ import annotations

from dataclasses import dataclass

Texts = dict[str, tuple[str, ...]]  # language -> texts


@dataclass(frozen=True, slots=True)
class CallReason:
    """Why somebody calls, what agents note down, and how it ends."""

    reason: str
    notes: Texts
    outcomes: tuple[str, ...]


CALL_REASONS: tuple[CallReason, ...] = (
    CallReason(
        "delivery",
        {
            "th": (
                "ลูกค้าสอบถามวันจัดส่ง แจ้งว่าของถึงคลังแล้ว จะส่งภายใน 2 วัน",
                "พัสดุยังไม่ถึง ประสานงานขนส่งแล้ว นัดส่งใหม่ช่วงเย็น",
                "ลูกค้าขอเลื่อนวันส่งโซฟา เพราะลิฟต์คอนโดปิดปรับปรุง",
            ),
            "en": (
                "Asked when the parcel arrives; it left the warehouse this morning",
                "Driver could not find the soi, new delivery slot agreed for the evening",
            ),
        },
        ("solved", "solved", "follow_up"),
    ),
    CallReason(
        "product_question",
        {
            "th": (
                "ถามความสูงที่นั่งของเก้าอี้ แนะนำให้ดูตารางขนาด ลูกค้าจะกลับไปตัดสินใจ",
                "ถามว่ารองเท้ารุ่นย่านเผื่อไซซ์หรือไม่ แนะนำให้เผื่อครึ่งเบอร์",
                "สอบถามสีอื่นของโต๊ะกลาง แจ้งว่าสีโอ๊คเข้าสิ้นเดือน",
            ),
            "en": (
                "Not sure about the size, wanted the seat height; sent the size guide",
                "Asked whether the sofa bed fits a 1.6 m wall; it does not, suggested the smaller one",
            ),
        },
        ("answered", "answered", "sale", "lost"),
    ),
    CallReason(
        "return",
        {
            "th": ("รองเท้าคับ ขอเปลี่ยนเบอร์ ออกใบรับคืนให้แล้ว", "สินค้าไม่ตรงสีที่สั่ง ขอคืนเงิน ส่งเรื่องให้บัญชี"),
            "en": ("Shoes too tight, exchange for one size up arranged", "Wrong colour delivered, refund requested"),
        },
        ("solved", "refund", "follow_up"),
    ),
    CallReason(
        "damaged",
        {
            "th": ("ขาโต๊ะแตกตอนแกะกล่อง ลูกค้าส่งรูปทาง LINE แล้ว จะส่งชิ้นใหม่", "หมอนอิงมีรอยเปื้อน เปลี่ยนตัวใหม่ให้"),
            "en": ("Table leg broken on arrival, photos received, replacement ordered",),
        },
        ("replacement", "refund"),
    ),
    CallReason(
        "address_change",
        {
            "th": ("ย้ายบ้าน ขอเปลี่ยนที่อยู่จัดส่ง แก้ไขในระบบแล้ว", "แจ้งเปลี่ยนที่อยู่ใบกำกับภาษี"),
            "en": ("Moved house, delivery address updated",),
        },
        ("solved",),
    ),
    CallReason(
        "invoice",
        {"th": ("ขอใบกำกับภาษีเต็มรูป ส่งทางอีเมลแล้ว",), "en": ("Needs a full tax invoice, sent by e-mail",)},
        ("solved",),
    ),
    CallReason(
        "complaint",
        {
            "th": ("ไม่พอใจที่ได้รับข้อความโฆษณาบ่อย ขอไม่รับสายและข้อความอีก", "รอสายนาน ขออภัยและมอบคูปอง 100 บาท"),
            "en": ("Unhappy with the waiting time on Saturday, apologised and gave a voucher",),
        },
        ("solved", "escalated"),
    ),
)

AGENTS = ("อรอนงค์", "ธีระ", "มัลลิกา", "James", "ปริญญา", "สุพัตรา")

CHAT: Texts = {
    "th": (
        "สวัสดีค่ะ มีสีแดงไหมคะ",
        "สนใจเก้าอี้ตัวนี้ครับ ลดได้อีกไหม",
        "ส่งต่างจังหวัดไหมคะ",
        "รองเท้าเบอร์ 38 มีของไหมคะ",
        "ของถึงแล้วนะคะ สวยมากค่ะ ❤️",
        "ขอเลขพัสดุหน่อยครับ",
        "ร้านเปิดกี่โมงคะ",
        "ผ่อน 0% ได้กี่เดือนครับ",
        "ขอบคุณค่ะ",
        "มีโปรวันเงินเดือนออกไหม",
    ),
    "en": (
        "Hi, do you have this in red?",
        "Is the desk in stock in Chiang Mai?",
        "Can you deliver on Sunday?",
        "Size 43 please, do you have it?",
        "Got it today, looks great!",
        "What time do you close?",
        "Thanks!",
    ),
}
REPLIES: Texts = {
    "th": ("สวัสดีค่ะ ยินดีให้บริการค่ะ", "มีค่ะ ดูแบบได้ที่ลิงก์นี้เลยค่ะ", "รอสักครู่นะคะ แอดมินเช็กให้ค่ะ", "จัดส่งทั่วประเทศค่ะ"),
    "en": (
        "Hello, happy to help!",
        "Yes, here is the link.",
        "One moment, checking for you.",
        "Open daily 10:00–21:00.",
    ),
}

#: Answers to "how likely are you to recommend us", by detractors (0–6), passives (7–8), promoters (9–10).
SURVEY_COMMENTS: tuple[Texts, ...] = (
    {
        "th": ("ส่งช้ากว่าที่แจ้งมาก", "สีไม่เหมือนในรูป", "โทรติดต่อยาก รอสายนาน", ""),
        "en": ("Delivery took too long", "Colour differs from the photo", "Hard to reach anyone by phone", ""),
    },
    {"th": ("โดยรวมดี แต่ราคาแรงไปนิด", "ของดี คู่มือประกอบอ่านยาก", ""), "en": ("Good, but a bit pricey", "Fine overall", "")},
    {
        "th": ("คุณภาพดีมาก นั่งสบายหลัง", "พนักงานสาขาน่ารัก แนะนำดี", "ส่งไว แพ็กดี จะซื้ออีก", ""),
        "en": ("Very comfortable, great quality", "Friendly staff in the store", "Fast delivery, will buy again", ""),
    },
)
SURVEY_REASONS = ("quality", "price", "design", "service", "delivery")

SEARCHES: Texts = {
    "th": ("รองเท้าสีแดง", "เก้าอี้ทำงาน", "โซฟา", "โต๊ะกินข้าว", "รองเท้าผ้าใบ", "โคมไฟ", "กระเป๋า", "เตียง 6 ฟุต"),
    "en": ("red shoes", "office chair", "sofa bed", "standing desk", "sneakers", "lamp", "backpack", "wardrobe"),
}

COUPONS = ("WELCOME100", "PAYDAY10", "LINE50", "HOME500", "FREESHIP")

#: (key, subject in Thai, subject in English) of the mailings; one of them every week.
CAMPAIGNS: tuple[tuple[str, str, str], ...] = (
    ("new-arrivals", "ของใหม่สัปดาห์นี้ที่คุณอาจชอบ", "New this week, picked for you"),
    ("payday", "เงินเดือนออกแล้ว ลดเพิ่มอีก 10%", "Payday: another 10% off"),
    ("chair-week", "สัปดาห์เก้าอี้ ลดสูงสุด 20%", "Chair week: up to 20% off"),
    ("shoe-days", "รองเท้าคู่ใหม่ ลดทั้งร้าน", "New shoes, all reduced"),
    ("home-ideas", "5 ไอเดียแต่งห้องเล็กให้ดูกว้าง", "Five ideas for small rooms"),
)
SONGKRAN = ("songkran", "สงกรานต์นี้ ลดรับปีใหม่ไทย", "Songkran sale")
DOUBLE_DAY = ("double-day", "วันเลขคู่ ลดแรงวันเดียว", "Double-day sale, today only")

NOTICE_VERSION = "2025-10"

SCREENS: Texts = {
    "th": ("หน้าแรก", "โปรโมชัน", "คะแนนสะสม", "รายการโปรด", "คำสั่งซื้อของฉัน"),
    "en": ("Home", "Promotions", "Points", "Favourites", "My orders"),
}
PAGES: tuple[tuple[str, str], ...] = (
    ("Home", "/"),
    ("Sale", "/sale"),
    ("Stores", "/stores"),
    ("Size guide", "/size-guide"),
)

PAYMENTS = ("PromptPay", "บัตรเครดิต", "TrueMoney Wallet", "โอนเงิน", "เก็บเงินปลายทาง")
CARRIERS = ("ไปรษณีย์ไทย", "Flash Express", "J&T Express", "Kerry Express")
