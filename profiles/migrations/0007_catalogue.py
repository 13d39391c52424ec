import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

# What shops mean by the commonest colours. Changed and added to on the catalogue's page.
COLOURS = (
    ("Red", "แดง", ("สีแดง",)),
    ("Blue", "น้ำเงิน", ("สีน้ำเงิน", "ฟ้าเข้ม")),
    ("Light blue", "ฟ้า", ("สีฟ้า", "sky blue")),
    ("Green", "เขียว", ("สีเขียว",)),
    ("Yellow", "เหลือง", ("สีเหลือง",)),
    ("Orange", "ส้ม", ("สีส้ม",)),
    ("Pink", "ชมพู", ("สีชมพู",)),
    ("Purple", "ม่วง", ("สีม่วง", "violet")),
    ("Brown", "น้ำตาล", ("สีน้ำตาล",)),
    ("Black", "ดำ", ("สีดำ",)),
    ("White", "ขาว", ("สีขาว",)),
    ("Grey", "เทา", ("สีเทา", "gray")),
    ("Beige", "เบจ", ("สีเบจ", "ครีม", "สีครีม", "cream")),
)
EVENTS = (
    ("Order Paid", "ชำระเงินแล้ว"),
    ("Order Fulfilled", "จัดส่งแล้ว"),
    ("Order Delivered", "ส่งถึงแล้ว"),
)


def name_colours_and_events(apps, schema_editor):
    term, synonym = apps.get_model("profiles", "Term"), apps.get_model("profiles", "Synonym")
    for label, label_th, others in COLOURS:
        row = term.objects.create(attribute="color", label=label, label_th=label_th)
        synonym.objects.bulk_create(
            synonym(term=row, attribute="color", text=text, folded=text.lower()) for text in (label, label_th, *others)
        )
    for name, name_th in EVENTS:
        apps.get_model("profiles", "EventType").objects.get_or_create(
            name=name, defaults={"name_th": name_th, "kind_of_data": "behavioural"}
        )


class Migration(migrations.Migration):
    dependencies = [("profiles", "0006_reverts")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="carrier",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name="order",
            name="delivered_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="order",
            name="is_born",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="order",
            name="paid_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="order",
            name="payment_method",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name="order",
            name="shipped_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="order",
            name="tracking_number",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="order",
            name="tracking_url",
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name="order",
            name="url",
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.CreateModel(
            name="ExchangeRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "currency",
                    models.CharField(help_text="Three letters, as USD.", max_length=3, verbose_name="currency"),
                ),
                ("valid_from", models.DateField(verbose_name="from")),
                (
                    "rate",
                    models.DecimalField(
                        decimal_places=6,
                        help_text="What one unit is worth in the company's currency.",
                        max_digits=14,
                        verbose_name="rate",
                    ),
                ),
            ],
            options={
                "verbose_name": "exchange rate",
                "verbose_name_plural": "exchange rates",
                "ordering": ["currency", "-valid_from"],
                "constraints": [
                    models.UniqueConstraint(fields=("currency", "valid_from"), name="exchange_rate_of_day"),
                    models.CheckConstraint(condition=models.Q(("rate__gt", 0)), name="exchange_rate_positive"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Product",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("namespace", models.SlugField()),
                ("sku", models.CharField(max_length=120)),
                ("name", models.CharField(blank=True, max_length=200)),
                ("name_th", models.CharField(blank=True, max_length=200)),
                ("category", models.CharField(blank=True, max_length=120)),
                ("price", models.DecimalField(decimal_places=2, max_digits=14, null=True)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("attributes", models.JSONField(default=dict)),
                ("url", models.CharField(blank=True, max_length=500)),
                ("is_discovered", models.BooleanField(default=False)),
                ("version_at", models.DateTimeField()),
                ("operation_id", models.UUIDField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["category", "id"], name="product_of_category"),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["name", "name_th", "sku"],
                        name="product_words",
                        opclasses=["gin_trgm_ops", "gin_trgm_ops", "gin_trgm_ops"],
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("namespace", "sku"), name="product_sku")],
            },
        ),
        migrations.CreateModel(
            name="Term",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("attribute", models.SlugField(verbose_name="attribute")),
                ("label", models.CharField(max_length=120, verbose_name="name")),
                ("label_th", models.CharField(blank=True, max_length=120, verbose_name="name in Thai")),
            ],
            options={
                "ordering": ["attribute", "label"],
                "constraints": [models.UniqueConstraint(fields=("attribute", "label"), name="term_once")],
            },
        ),
        migrations.CreateModel(
            name="Synonym",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("attribute", models.SlugField()),
                ("text", models.CharField(max_length=120)),
                ("folded", models.CharField(max_length=120)),
                (
                    "term",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="synonyms", to="profiles.term"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [models.UniqueConstraint(fields=("attribute", "folded"), name="synonym_means_one")],
            },
        ),
        migrations.RunPython(name_colours_and_events, migrations.RunPython.noop),
    ]
