from django.db import migrations, models

# The number comes from a sequence and not from the last one plus one: a sequence is not
# rolled back, so that what was changed and taken back is never taken for what came later.
# Who reads the number reads the rules of the same instant: it is changed by the
# transaction that changes them.
VERSION = """
CREATE SEQUENCE provinces_rules_number;
INSERT INTO provinces_rulesversion (id, version)
VALUES (1, nextval('provinces_rules_number'));

CREATE FUNCTION provinces_rules_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE provinces_rulesversion SET version = nextval('provinces_rules_number');
    RETURN NULL;
END
$$;
"""
NO_VERSION = """
DROP FUNCTION provinces_rules_changed();
DROP SEQUENCE provinces_rules_number;
"""
WATCH = "".join(
    f"""
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION provinces_rules_changed();
"""
    for table in ("provinces_jurisdiction", "provinces_entity", "provinces_duty")
)
WATCH_NO_MORE = """
DROP TRIGGER rules_changed ON provinces_jurisdiction;
DROP TRIGGER rules_changed ON provinces_entity;
DROP TRIGGER rules_changed ON provinces_duty;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("provinces", "0002_population"),
    ]

    operations = [
        migrations.CreateModel(
            name="RulesVersion",
            fields=[
                (
                    "id",
                    models.SmallIntegerField(primary_key=True, serialize=False),
                ),
                ("version", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL(VERSION, NO_VERSION),
        migrations.RunSQL(WATCH, WATCH_NO_MORE),
    ]
