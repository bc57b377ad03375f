from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

# Quarters of a month's days, six hours each, counted from 0: a day's beginning has a
# quarter as well, and what is left to count by hand at a span's ends is a fourth of it.
QUARTER = """
CREATE FUNCTION cases_heat_quarter(moment timestamptz) RETURNS smallint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    (extract(day FROM moment AT TIME ZONE 'America/Panama') - 1) * 4
    + div(extract(hour FROM moment AT TIME ZONE 'America/Panama'), 6)
)::smallint;
"""
NO_QUARTER = """
DROP FUNCTION cases_heat_quarter(timestamptz);
"""
NO_DAY = """
DROP FUNCTION cases_heat_day(timestamptz);
"""

# As in `workflow.py` on the day this was written: a test says when they part.
OPEN = """'assigned', 'in_progress', 'in_review', 'received', 'reopened', 'scheduled',
    'transferred', 'waiting_for_citizen'"""
RESOLVED = "'closed', 'resolved'"
FACTS = f"""
    cases_heat_x(public_location) AS x, cases_heat_y(public_location) AS y,
    coalesce(corregimiento_id, district_id) AS place, category_id AS category,
    coalesce(entity_id, '') AS entity, cases_heat_month(filed_at) AS month,
    cases_heat_quarter(filed_at) AS quarter,
    (status IN ({OPEN}))::integer AS open,
    (status IN ({RESOLVED}))::integer AS resolved, 1 AS cases
"""
ON_THE_MAP = "is_public AND public_location IS NOT NULL"
COLUMNS = "x, y, place, category, entity, month, quarter, open, resolved, cases"

# What 0011 says, with a quarter of a day for the day, and all cases for the others.
NOTE = f"""
CREATE OR REPLACE FUNCTION cases_heat_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO cases_heatdelta ({COLUMNS})
        SELECT {FACTS} FROM after WHERE {ON_THE_MAP};
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO cases_heatdelta ({COLUMNS})
        SELECT x, y, place, category, entity, month, quarter, -open, -resolved, -cases
        FROM (SELECT {FACTS} FROM before WHERE {ON_THE_MAP}) AS gone;
    ELSE
        INSERT INTO cases_heatdelta ({COLUMNS})
        SELECT x, y, place, category, entity, month, quarter,
            sum(sign) * open, sum(sign) * resolved, sum(sign) * cases
        FROM (
            SELECT -1 AS sign, id, status, filed_at, public_location, {FACTS}
            FROM before WHERE {ON_THE_MAP}
            UNION ALL
            SELECT 1, id, status, filed_at, public_location, {FACTS}
            FROM after WHERE {ON_THE_MAP}
        ) AS told
        GROUP BY id, status, filed_at, public_location, {COLUMNS}
        HAVING sum(sign) <> 0;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION cases_heat_regrouped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cases_heatdelta ({COLUMNS}) VALUES (0, 0, '', '', '', 0, 0, 0, 0, 0);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION cases_heat_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM cases_heatcell;
    DELETE FROM cases_heattile;
    DELETE FROM cases_heatdelta;
    UPDATE cases_heatstate SET epoch = epoch + 1, folded = 0;
    RETURN NULL;
END
$$;

-- What was counted by days, and not by tile, is counted anew: it waits to be folded in like
-- any other.
DELETE FROM cases_heatcell;
DELETE FROM cases_heatdelta;
UPDATE cases_heatstate SET epoch = epoch + 1, folded = 0;
INSERT INTO cases_heatdelta ({COLUMNS})
SELECT {FACTS} FROM cases_case WHERE {ON_THE_MAP};
"""


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0011_heat_by_day"),
    ]

    operations = [
        migrations.RunSQL(QUARTER, NO_QUARTER),
        migrations.RenameField("heatdelta", "day", "quarter"),
        # Of any state, which is what is asked most; the rest is what is neither.
        migrations.RenameField("heatdelta", "other", "cases"),
        migrations.RenameField("heatcell", "other", "cases"),
        migrations.CreateModel(
            name="HeatTile",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "level",
                        "facet",
                        "tile",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("level", models.PositiveSmallIntegerField()),
                ("facet", models.CharField(max_length=20)),
                ("tile", models.BigIntegerField()),
                ("cells", ArrayField(models.SmallIntegerField(), size=None)),
                ("open", ArrayField(models.IntegerField(), size=None)),
                ("resolved", ArrayField(models.IntegerField(), size=None)),
                ("cases", ArrayField(models.IntegerField(), size=None)),
            ],
        ),
        # There is no way back to days but through 0011.
        migrations.RunSQL(NOTE),
        migrations.RunSQL(NO_DAY),
    ]
