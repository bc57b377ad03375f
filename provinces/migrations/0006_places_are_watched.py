from django.db import migrations

# Who has been told a place's name or population has to be told of another: they are of
# the edition in force, as the rules are.
TABLES = ("provinces_province", "provinces_district", "provinces_corregimiento")
WATCH = "".join(
    f"""
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION provinces_rules_changed();
"""
    for table in TABLES
)
WATCH_NO_MORE = "".join(f"DROP TRIGGER rules_changed ON {table};" for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [
        ("provinces", "0005_withdrawn_rules"),
    ]

    operations = [
        migrations.RunSQL(WATCH, WATCH_NO_MORE),
    ]
