"""Photos that were cleaned while their phone waited are ready; contacts are encrypted."""

from django.db import migrations
from django.db.models import F

from backend.accounts.encryption import encrypted

BATCH = 1000


def release_photos(apps, schema_editor):
    Photo = apps.get_model("cases", "Photo")
    Photo.objects.exclude(image="").update(state="ready", released_at=F("added_at"))


def encrypt_contacts(apps, schema_editor):
    """By SQL, which takes the text as it is: the model's field would decrypt it first."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, name, phone, email FROM cases_reporter")
        while rows := cursor.fetchmany(BATCH):
            with schema_editor.connection.cursor() as writer:
                writer.executemany(
                    "UPDATE cases_reporter SET name = %s, phone = %s, email = %s"
                    " WHERE id = %s",
                    [
                        (*(encrypted(text) if text else "" for text in texts), key)
                        for key, *texts in rows
                    ],
                )


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_phones")]

    operations = [
        migrations.RunPython(release_photos, migrations.RunPython.noop),
        migrations.RunPython(encrypt_contacts),
    ]
