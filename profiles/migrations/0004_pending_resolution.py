from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("profiles", "0003_standard_traits_and_events")]

    operations = [
        migrations.CreateModel(
            name="PendingResolution",
            fields=[
                (
                    "record",
                    models.OneToOneField(
                        on_delete=models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="profiles.sourcerecord",
                    ),
                ),
                ("since", models.DateTimeField(auto_now_add=True)),
            ],
        ),
    ]
