import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import ingestion.tracking.origins


class Migration(migrations.Migration):
    """Which web pages may send to a source, and how fast; the running account of the latter needs no crash safety."""

    dependencies = [("ingestion", "0002_internal_source")]

    operations = [
        migrations.AddField(
            model_name="source",
            name="allowed_origins",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=255, validators=[ingestion.tracking.origins.check_origin]),
                blank=True,
                default=list,
                help_text="Origins, separated by commas: https://shop.example.com. Pages of other origins are refused; "
                "empty: no page of another origin may read an answer, and public keys work from apps and servers "
                "alone.",
                size=None,
                verbose_name="web pages that may send",
            ),
        ),
        migrations.AddField(
            model_name="source",
            name="rate_per_second",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="What is above it is asked to come again later (429). Empty: the platform's default.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="messages a second",
            ),
        ),
        migrations.CreateModel(
            name="SendingRate",
            fields=[
                (
                    "source",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="sending_rate",
                        serialize=False,
                        to="ingestion.source",
                    ),
                ),
                ("used_until", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(
            "ALTER TABLE ingestion_sendingrate SET UNLOGGED", "ALTER TABLE ingestion_sendingrate SET LOGGED"
        ),
    ]
