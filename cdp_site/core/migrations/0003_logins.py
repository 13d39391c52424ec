import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Whoever changes it, and by whatever road: the sessions of before are over. Nobody else writes the number back, since
# a stale row in a process' memory holds an old one; a higher one ends the sessions by itself.
END_SESSIONS = """
CREATE FUNCTION core_end_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.password, NEW.role, NEW.department_id, NEW.is_active)
       IS DISTINCT FROM (OLD.password, OLD.role, OLD.department_id, OLD.is_active) THEN
        NEW.session_epoch := OLD.session_epoch + 1;
    ELSE
        NEW.session_epoch := greatest(NEW.session_epoch, OLD.session_epoch);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER end_sessions BEFORE UPDATE ON core_user FOR EACH ROW EXECUTE FUNCTION core_end_sessions();
"""
KEEP_SESSIONS = "DROP TRIGGER end_sessions ON core_user; DROP FUNCTION core_end_sessions();"


class Migration(migrations.Migration):
    dependencies = [("core", "0002_append_only_and_extensions")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="session_epoch",
            field=models.IntegerField(default=0, editable=False),
        ),
        migrations.CreateModel(
            name="FailedLogins",
            fields=[
                ("key", models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ("until", models.DateTimeField()),
                ("count", models.IntegerField()),
            ],
            options={
                "indexes": [models.Index(fields=["until"], name="failed_logins_by_end")],
            },
        ),
        migrations.CreateModel(
            name="KnownDevice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.BinaryField(max_length=32)),
                ("since", models.DateTimeField(auto_now_add=True)),
                ("seen_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="known_devices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("user", "key"), name="device_known_once")],
            },
        ),
        migrations.RunSQL(END_SESSIONS, KEEP_SESSIONS),
    ]
