from django.db import migrations

# What a citizen can report is one of the rules too: see `provinces.editions`.
WATCH = """
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON cases_category FOR EACH STATEMENT EXECUTE FUNCTION provinces_rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
ON cases_group FOR EACH STATEMENT EXECUTE FUNCTION provinces_rules_changed();
"""
WATCH_NO_MORE = """
DROP TRIGGER rules_changed ON cases_category;
DROP TRIGGER rules_changed ON cases_group;
"""

# Django gives every text column that is unique or refers to another table an index for
# LIKE as well. Nobody looks for cases by how a code begins, and each report wrote them.
FOR_LIKE = """
DO $$
DECLARE
    found text;
BEGIN
    FOR found IN
        SELECT indexname FROM pg_indexes WHERE tablename = 'cases_case'
        AND schemaname = current_schema() AND right(indexname, 5) = '_like'
    LOOP
        EXECUTE format('DROP INDEX %I', found);
    END LOOP;
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("provinces", "0003_rules_version"),
        ("cases", "0009_partner_acts"),
    ]

    operations = [
        migrations.RunSQL(WATCH, WATCH_NO_MORE),
        # Nothing is asked of them that would have to be undone.
        migrations.RunSQL(FOR_LIKE, migrations.RunSQL.noop),
    ]
