from django.db import migrations

# Emptied before anything was ever folded, too: the next answer is not the one before.
EMPTIED = """
CREATE OR REPLACE FUNCTION cases_heat_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM cases_heatcell;
    DELETE FROM cases_heattile;
    DELETE FROM cases_heatdays;
    DELETE FROM cases_heattiledays;
    DELETE FROM cases_heatdelta;
    INSERT INTO cases_heatstate (id, epoch, folded, layout) VALUES (1, 1, 0, 2)
    ON CONFLICT (id) DO UPDATE SET epoch = cases_heatstate.epoch + 1, folded = 0;
    RETURN NULL;
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0017_days_off"),
    ]

    operations = [
        # The one before does no harm to what was before.
        migrations.RunSQL(EMPTIED, migrations.RunSQL.noop),
    ]
