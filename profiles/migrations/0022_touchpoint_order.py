from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("profiles", "0021_touchpoint_lists")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE profiles_touchpoint CLUSTER ON touchpoint_window",
            "ALTER TABLE profiles_touchpoint SET WITHOUT CLUSTER",
        )
    ]
