from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("segments", "0008_lists")]

    operations = [migrations.AddField("computedtrait", "again_at", models.DateTimeField(null=True))]
