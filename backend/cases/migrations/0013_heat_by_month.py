from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

# See `HeatMonth`. The number of a case, and the end of the code of its place, which its
# district's code goes before.
NUMBER = """
CREATE FUNCTION cases_heat_number(
    quarter integer, x integer, y integer, state integer, place text
) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (quarter::bigint << 52) | (x::bigint << 34) | (y::bigint << 16) | (state << 14)
    | (ascii(substr(place, 5, 1)) << 7) | ascii(substr(place, 6, 1));

CREATE FUNCTION cases_heat_corregimiento(number bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN number & 16383 = 0 THEN ''
    ELSE chr((number >> 7 & 127)::integer) || chr((number & 127)::integer) END;
"""
NO_NUMBER = """
DROP FUNCTION cases_heat_number(integer, integer, integer, integer, text);
DROP FUNCTION cases_heat_corregimiento(bigint);
"""

# As in `workflow.py` on the day this was written.
OPEN = """'assigned', 'in_progress', 'in_review', 'received', 'reopened', 'scheduled',
    'transferred', 'waiting_for_citizen'"""
RESOLVED = "'closed', 'resolved'"
# What has been folded in so far is what there is but for the deltas that wait: one
# statement sees both at one instant, and nobody folds meanwhile.
FILLED = f"""
-- Read as it is, and at once.
ALTER TABLE cases_heatmonth ALTER COLUMN cases SET STORAGE EXTERNAL;

LOCK TABLE cases_heatcell IN EXCLUSIVE MODE;
INSERT INTO cases_heatmonth (
    month, facet, entity, district, west, north, east, south, cases
)
SELECT month, facet, of_entity, left(place, 4),
    min(number >> 34 & 262143), min(number >> 16 & 262143),
    max(number >> 34 & 262143), max(number >> 16 & 262143),
    array_agg(number ORDER BY number)
FROM (
    SELECT month, category, entity, place,
        cases_heat_number(quarter, x, y, state, place) AS number, sum(cases) AS cases
    FROM (
        SELECT cases_heat_month(filed_at) AS month, category_id AS category,
            coalesce(entity_id, '') AS entity,
            coalesce(corregimiento_id, district_id) AS place,
            cases_heat_quarter(filed_at) AS quarter,
            cases_heat_x(public_location) AS x, cases_heat_y(public_location) AS y,
            CASE WHEN status IN ({OPEN}) THEN 1 WHEN status IN ({RESOLVED}) THEN 2
                ELSE 0 END AS state,
            1 AS cases
        FROM cases_case WHERE is_public AND public_location IS NOT NULL
        UNION ALL
        SELECT month, category, entity, place, quarter, x, y, state, -told.cases
        FROM cases_heatdelta, LATERAL (
            VALUES (0, cases - open - resolved), (1, open), (2, resolved)
        ) AS told (state, cases)
        WHERE told.cases <> 0
    ) AS told
    GROUP BY 1, 2, 3, 4, 5
    HAVING sum(cases) <> 0
) AS numbers, generate_series(1, cases), LATERAL (
    VALUES ('e/' || entity, ''), ('c/' || category, entity)
) AS facets (facet, of_entity)
WHERE facet <> 'e/'
GROUP BY 1, 2, 3, 4;

CREATE OR REPLACE FUNCTION cases_heat_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM cases_heatcell;
    DELETE FROM cases_heattile;
    DELETE FROM cases_heatmonth;
    DELETE FROM cases_heatdelta;
    UPDATE cases_heatstate SET epoch = epoch + 1, folded = 0;
    RETURN NULL;
END
$$;
"""
# Or a case that is emptied would look for what is no more.
AS_BEFORE = """
CREATE OR REPLACE FUNCTION cases_heat_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM cases_heatcell;
    DELETE FROM cases_heattile;
    DELETE FROM cases_heatdelta;
    UPDATE cases_heatstate SET epoch = epoch + 1, folded = 0;
    RETURN NULL;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0012_heat_by_quarter"),
    ]

    operations = [
        migrations.RunSQL(NUMBER, NO_NUMBER),
        migrations.CreateModel(
            name="HeatMonth",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "month",
                        "facet",
                        "entity",
                        "district",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("month", models.SmallIntegerField()),
                ("facet", models.CharField(max_length=20)),
                ("entity", models.CharField(blank=True, max_length=16)),
                ("district", models.CharField(max_length=4)),
                ("west", models.PositiveIntegerField()),
                ("north", models.PositiveIntegerField()),
                ("east", models.PositiveIntegerField()),
                ("south", models.PositiveIntegerField()),
                ("cases", ArrayField(models.BigIntegerField(), size=None)),
            ],
        ),
        migrations.RunSQL(FILLED, AS_BEFORE),
        # What was counted before is not counted by group: it is told by categories until
        # the heat is rebuilt.
        migrations.CreateModel(
            name="HeatGroup",
            fields=[
                (
                    "category",
                    models.CharField(max_length=8, primary_key=True, serialize=False),
                ),
                ("counted_in", models.CharField(max_length=8)),
            ],
        ),
        # A worker of the version before, which does not name it, cannot fold from now on.
        # The last thing, for the map reads that table and would have to wait.
        migrations.AddField(
            model_name="heatstate",
            name="layout",
            field=models.PositiveSmallIntegerField(default=1),
            preserve_default=False,
        ),
    ]
