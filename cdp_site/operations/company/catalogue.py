"""What the sample company sells: furniture, shoes and clothes, named in Thai and English."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Wording:
    """One word of the catalogue in both languages."""

    english: str
    thai: str

    def of(self, language: str) -> str:
        """Return the word in ``th`` or, for any other language, in English."""
        return self.thai if language == "th" else self.english


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """One sellable variant (model and colour). ``price`` is the list price in whole baht, VAT included."""

    sku: str
    product_id: str
    name: Wording
    category: Wording
    color: Wording
    price: int
    weight: int


COLORS = {
    key: Wording(english, thai)
    for key, english, thai in (
        ("RED", "Red", "แดง"),
        ("BLK", "Black", "ดำ"),
        ("WHT", "White", "ขาว"),
        ("GRY", "Grey", "เทา"),
        ("BRN", "Brown", "น้ำตาล"),
        ("BGE", "Beige", "เบจ"),
        ("BLU", "Blue", "น้ำเงิน"),
        ("GRN", "Green", "เขียว"),
        ("PNK", "Pink", "ชมพู"),
        ("YLW", "Yellow", "เหลือง"),
        ("OAK", "Oak", "ไม้โอ๊ค"),
        ("WAL", "Walnut", "ไม้วอลนัต"),
    )
}

CATEGORIES = {
    key: Wording(english, thai)
    for key, english, thai in (
        ("chairs", "Chairs", "เก้าอี้"),
        ("sofas", "Sofas", "โซฟา"),
        ("tables", "Tables", "โต๊ะ"),
        ("beds", "Beds", "เตียง"),
        ("storage", "Storage", "ตู้และชั้นวาง"),
        ("lighting", "Lighting", "โคมไฟ"),
        ("decor", "Home decor", "ของแต่งบ้าน"),
        ("shoes", "Shoes", "รองเท้า"),
        ("clothes", "Clothes", "เสื้อผ้า"),
        ("bags", "Bags", "กระเป๋า"),
    )
}

#: model | English | Thai | category | list price in baht | colours | popularity
_MODELS = """
CH-ARE|Aree high-back office chair|เก้าอี้ทำงานหลังสูง รุ่นอารีย์|chairs|6990|BLK GRY RED|9
CH-SAM|Samui rattan armchair|เก้าอี้หวายมีที่วางแขน รุ่นสมุย|chairs|4590|BGE BRN|5
CH-NAN|Nan dining chair|เก้าอี้ทานข้าว รุ่นน่าน|chairs|1890|OAK WAL WHT|7
CH-PAI|Pai folding stool|สตูลพับได้ รุ่นปาย|chairs|690|RED YLW GRN|6
SF-CHM|Chiang Mai three-seat sofa|โซฟา 3 ที่นั่ง รุ่นเชียงใหม่|sofas|18900|GRY BGE BLU|4
SF-RAY|Rayong corner sofa|โซฟาเข้ามุม รุ่นระยอง|sofas|27900|GRY BRN|2
SF-BED|Hua Hin sofa bed|โซฟาเบด รุ่นหัวหิน|sofas|12900|GRY GRN|4
TB-PHU|Phuket dining table, six seats|โต๊ะอาหาร 6 ที่นั่ง รุ่นภูเก็ต|tables|9900|OAK WAL|4
TB-LOE|Loei coffee table|โต๊ะกลาง รุ่นเลย|tables|2990|OAK WHT BLK|6
TB-DEK|Krabi standing desk|โต๊ะปรับระดับ รุ่นกระบี่|tables|11500|WHT BLK|5
BD-TRT|Trat bed frame, 6 ft|เตียงนอน 6 ฟุต รุ่นตราด|beds|13900|OAK WAL GRY|3
BD-MAT|Pocket-spring mattress, 6 ft|ที่นอนพ็อกเก็ตสปริง 6 ฟุต|beds|15900|WHT|3
ST-UDN|Udon bookcase|ชั้นหนังสือ รุ่นอุดร|storage|3490|OAK WHT|5
ST-SHO|Shoe cabinet with bench|ตู้รองเท้าพร้อมม้านั่ง|storage|4290|WHT OAK|5
ST-WRD|Sliding-door wardrobe|ตู้เสื้อผ้าบานเลื่อน|storage|16900|WHT WAL|2
LG-LAN|Lanta floor lamp|โคมไฟตั้งพื้น รุ่นลันตา|lighting|1990|BLK WHT|5
LG-TAB|Tak reading lamp|โคมไฟอ่านหนังสือ รุ่นตาก|lighting|990|BLK RED GRN|5
DC-CUS|Linen cushion|หมอนอิงผ้าลินิน|decor|390|RED BLU BGE GRN|9
DC-RUG|Cotton rug 160x230|พรมฝ้าย 160x230|decor|2590|GRY BLU|5
DC-VAS|Celadon vase|แจกันศิลาดล|decor|790|GRN WHT|4
SH-RUN|Roi running shoes|รองเท้าวิ่ง รุ่นร้อย|shoes|2490|RED BLK BLU|12
SH-SNK|Yaan canvas sneakers|รองเท้าผ้าใบ รุ่นย่าน|shoes|1290|WHT RED BLK|14
SH-HEE|Ploy block-heel pumps|รองเท้าส้นสูง รุ่นพลอย|shoes|1690|RED BLK BGE|9
SH-LOA|Kaew leather loafers|รองเท้าโลฟเฟอร์หนัง รุ่นแก้ว|shoes|2890|BRN BLK|7
SH-SAN|Talay sandals|รองเท้าแตะ รุ่นทะเล|shoes|590|BRN BLU PNK|12
SH-KID|Kids' velcro trainers|รองเท้าเด็กแบบแปะ|shoes|790|RED BLU PNK|7
SH-BOO|Doi ankle boots|รองเท้าบูตหุ้มข้อ รุ่นดอย|shoes|3290|BRN BLK|4
CL-TEE|Supima T-shirt|เสื้อยืดผ้าซูพีม่า|clothes|390|WHT BLK RED GRN|14
CL-LIN|Linen shirt|เสื้อเชิ้ตลินิน|clothes|990|WHT BLU BGE|9
CL-DRS|Midi dress|เดรสยาวคลุมเข่า|clothes|1290|RED GRN BLK|8
CL-JEA|Slim jeans|กางเกงยีนส์ทรงสลิม|clothes|1190|BLU BLK|8
CL-PHA|Thai silk scarf|ผ้าพันคอไหมไทย|clothes|890|RED PNK YLW|5
BG-TOT|Canvas tote|กระเป๋าผ้าแคนวาส|bags|490|WHT BLK RED|9
BG-LEA|Leather shoulder bag|กระเป๋าหนังสะพายข้าง|bags|3490|BRN BLK RED|5
BG-BAC|City backpack|เป้สะพายหลัง|bags|1590|BLK GRY BLU|6
"""


def _products() -> tuple[Product, ...]:
    products: list[Product] = []
    for line in _MODELS.strip().splitlines():
        model, english, thai, category, price, colors, weight = line.split("|")
        name = Wording(english, thai)
        products.extend(
            Product(f"{model}-{color}", model, name, CATEGORIES[category], COLORS[color], int(price), int(weight))
            for color in colors.split()
        )
    return tuple(products)


PRODUCTS = _products()
BY_SKU = {product.sku: product for product in PRODUCTS}


@dataclass(frozen=True, slots=True)
class Assortment:
    """The products a kind of customer looks at, with running totals of their weights for a weighted draw."""

    products: tuple[Product, ...]
    totals: tuple[int, ...]


def _assortment(favourites: frozenset[str]) -> Assortment:
    """Return all products, those of the favourite categories eight times as likely."""
    weights = (p.weight * (8 if p.category.english in favourites else 1) for p in PRODUCTS)
    return Assortment(PRODUCTS, tuple(accumulate(weights)))


#: Kinds of customers: key -> (share in percent, what they look at).
PERSONAS: dict[str, tuple[int, Assortment]] = {
    "new_home": (18, _assortment(frozenset({"Sofas", "Tables", "Beds", "Storage"}))),
    "home_office": (14, _assortment(frozenset({"Chairs", "Tables", "Lighting"}))),
    "sneaker": (22, _assortment(frozenset({"Shoes"}))),
    "fashion": (24, _assortment(frozenset({"Clothes", "Bags", "Shoes"}))),
    "decorator": (14, _assortment(frozenset({"Home decor", "Lighting", "Chairs"}))),
    "family": (8, _assortment(frozenset({"Shoes", "Clothes", "Storage"}))),
}

RED_SHOES = tuple(p for p in PRODUCTS if p.category is CATEGORIES["shoes"] and p.color is COLORS["RED"])

#: (code, Thai, English, province in English) of the company's stores.
STORES: tuple[tuple[str, str, str, str], ...] = (
    ("S01", "สาขาปทุมวัน", "Pathum Wan", "Bangkok"),
    ("S02", "สาขาบางนา", "Bang Na", "Bangkok"),
    ("S03", "สาขารัตนาธิเบศร์", "Rattanathibet", "Nonthaburi"),
    ("S04", "สาขาเชียงใหม่", "Chiang Mai", "Chiang Mai"),
    ("S05", "สาขาขอนแก่น", "Khon Kaen", "Khon Kaen"),
    ("S06", "สาขาหาดใหญ่", "Hat Yai", "Songkhla"),
    ("S07", "สาขาภูเก็ต", "Phuket", "Phuket"),
    ("S08", "สาขาพัทยา", "Pattaya", "Chon Buri"),
)
