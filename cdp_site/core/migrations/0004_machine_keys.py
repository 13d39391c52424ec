import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0003_logins")]

    operations = [
        migrations.CreateModel(
            name="MachineKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None),
                ),
                ("prefix", models.CharField(max_length=12)),
                ("secret_hash", models.BinaryField(max_length=32, unique=True)),
                ("rate_per_second", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("made_until", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="core.department"),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="replaced_by",
                        to="core.machinekey",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MachineRate",
            fields=[
                (
                    "key",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="rate",
                        serialize=False,
                        to="core.machinekey",
                    ),
                ),
                ("used_until", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL("ALTER TABLE core_machinerate SET UNLOGGED", "ALTER TABLE core_machinerate SET LOGGED"),
    ]
