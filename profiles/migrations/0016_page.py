import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0015_editing"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(model_name="pin", name="expires_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="pin", name="ended_at", field=models.DateTimeField(null=True)),
        migrations.RemoveConstraint(model_name="pin", name="pin_once"),
        migrations.AddConstraint(
            model_name="pin",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)), fields=("record", "trait"), name="pin_once"
            ),
        ),
        migrations.AddIndex(
            model_name="pin",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True), ("expires_at__isnull", False)),
                fields=["expires_at"],
                name="pin_expiry",
            ),
        ),
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(
                condition=models.Q(("valid_to__isnull", False)), fields=["profile"], name="membership_of_past"
            ),
        ),
        migrations.CreateModel(
            name="PanelPlace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("panel", models.SlugField(max_length=40)),
                ("position", models.PositiveSmallIntegerField(null=True)),
                ("is_folded", models.BooleanField(default=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("user", "panel"), name="panel_place_once")],
            },
        ),
    ]
