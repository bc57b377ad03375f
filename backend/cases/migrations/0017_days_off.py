from django.db import migrations, models

# When something is due is one of the rules too: see `provinces.editions`.
WATCH = """
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON cases_dayoff FOR EACH STATEMENT EXECUTE FUNCTION provinces_rules_changed();
"""
WATCH_NO_MORE = "DROP TRIGGER rules_changed ON cases_dayoff"


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0016_heat_by_eight_days"),
    ]

    operations = [
        migrations.CreateModel(
            name="DayOff",
            fields=[
                (
                    "day",
                    models.DateField(
                        primary_key=True, serialize=False, verbose_name="día"
                    ),
                ),
                (
                    "name_es",
                    models.CharField(max_length=120, verbose_name="nombre en español"),
                ),
                (
                    "name_en",
                    models.CharField(max_length=120, verbose_name="nombre en inglés"),
                ),
                (
                    "worked",
                    models.BooleanField(
                        default=False,
                        help_text="Un feriado de la ley que se trabaja, por ejemplo trasladado.",
                        verbose_name="se trabaja",
                    ),
                ),
            ],
            options={
                "verbose_name": "día no laborable",
                "verbose_name_plural": "días no laborables",
                "ordering": ["-day"],
            },
        ),
        migrations.RunSQL(WATCH, WATCH_NO_MORE),
    ]
