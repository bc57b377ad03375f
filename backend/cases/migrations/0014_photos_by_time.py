from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0013_heat_by_month"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="photo",
            name="photos_to_compare",
        ),
        migrations.AddIndex(
            model_name="photo",
            index=models.Index(fields=["added_at"], name="photos_by_time"),
        ),
        migrations.AddIndex(
            model_name="photo",
            index=models.Index(
                condition=models.Q(
                    ("refusal", ""), ("released_at", None), ("state", "ready")
                ),
                fields=["added_at"],
                name="photos_to_release",
            ),
        ),
    ]
