from django.db import migrations, models

# As in `workflow.py` on the day this was written.
OPEN = """'assigned', 'in_progress', 'in_review', 'received', 'reopened', 'scheduled',
    'transferred', 'waiting_for_citizen'"""
RESOLVED = "'closed', 'resolved'"
# What has been folded in so far is what there is but for the deltas that wait: one
# statement sees both at one instant, and nobody folds meanwhile. A group's are those of the
# categories that were counted in it. Of ten million cases some ten minutes' work.
TAKEN = f"""
-- Read as it is, and at once.
ALTER TABLE cases_heatdays ALTER COLUMN cases SET STORAGE EXTERNAL;
ALTER TABLE cases_heattiledays ALTER COLUMN cases SET STORAGE EXTERNAL;

LOCK TABLE cases_heatcell IN EXCLUSIVE MODE;
SET LOCAL statement_timeout = 0;
SET LOCAL work_mem = '256MB';
CREATE TEMPORARY TABLE heat_filled ON COMMIT DROP AS
SELECT ((month << 2) + (quarter >> 5))::smallint AS days, category, entity, place, quarter,
    x, y, state, sum(cases)::integer AS cases
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
GROUP BY month, quarter, category, entity, place, x, y, state
HAVING sum(cases) <> 0;
"""
DAYS = """
INSERT INTO cases_heatdays (
    days, facet, entity, district, west, north, east, south, cases
)
SELECT days, facet, of_entity, district,
    min(number >> 34 & 262143), min(number >> 16 & 262143),
    max(number >> 34 & 262143), max(number >> 16 & 262143),
    string_agg(int8send(number), '')
FROM (
    SELECT days, facet, of_entity, left(place, 4) AS district, number
    FROM heat_filled LEFT JOIN cases_heatgroup USING (category),
        generate_series(1, cases),
        cases_heat_number(quarter, x, y, state, place) AS number,
        LATERAL (
            VALUES ('', ''), ('e/' || entity, ''), ('c/' || category, entity),
                ('g/' || counted_in, '')
        ) AS facets (facet, of_entity)
    WHERE facet <> 'e/'
    ORDER BY 1, 2, 3, 4, 5
) AS numbers
GROUP BY 1, 2, 3, 4;
"""
IN_TILES = """
INSERT INTO cases_heattiledays (level, days, tile, cases)
SELECT {level}, days, tile, string_agg(int2send(number), '')
FROM (
    SELECT days, key >> 8 AS tile,
        (((quarter & 31) << 10) + (state << 8) + (key & 255))::smallint AS number
    FROM heat_filled, generate_series(1, cases),
        cases_heat_key({level}, x >> 14 - {level}, y >> 14 - {level}) AS key
    ORDER BY 1, 2, 3
) AS numbers
GROUP BY days, tile;
"""
EMPTIED = """
DROP TABLE heat_filled;

UPDATE cases_heatstate SET layout = 2;

CREATE OR REPLACE FUNCTION cases_heat_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM cases_heatcell;
    DELETE FROM cases_heattile;
    DELETE FROM cases_heatdays;
    DELETE FROM cases_heattiledays;
    DELETE FROM cases_heatdelta;
    UPDATE cases_heatstate SET epoch = epoch + 1, folded = 0;
    RETURN NULL;
END
$$;
"""
FILLED = (
    TAKEN + DAYS + "".join(IN_TILES.format(level=n) for n in range(4, 15)) + EMPTIED
)
# Of quarters and of months one by one there is nothing until the heat is rebuilt.
AS_BEFORE = """
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
UPDATE cases_heatstate SET layout = 1;
"""
END_OF_CODE = """
CREATE FUNCTION cases_heat_corregimiento(number bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN number & 16383 = 0 THEN ''
    ELSE chr((number >> 7 & 127)::integer) || chr((number & 127)::integer) END;
"""
NO_END_OF_CODE = "DROP FUNCTION cases_heat_corregimiento(bigint)"


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0015_names_for_people"),
    ]

    operations = [
        migrations.CreateModel(
            name="HeatDays",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "days",
                        "facet",
                        "entity",
                        "district",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("days", models.SmallIntegerField()),
                ("facet", models.CharField(max_length=20)),
                ("entity", models.CharField(blank=True, max_length=16)),
                ("district", models.CharField(max_length=4)),
                ("west", models.PositiveIntegerField()),
                ("north", models.PositiveIntegerField()),
                ("east", models.PositiveIntegerField()),
                ("south", models.PositiveIntegerField()),
                ("cases", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="HeatTileDays",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "level",
                        "days",
                        "tile",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("level", models.PositiveSmallIntegerField()),
                ("days", models.SmallIntegerField()),
                ("tile", models.BigIntegerField()),
                ("cases", models.BinaryField()),
            ],
        ),
        migrations.RunSQL(FILLED, AS_BEFORE),
        migrations.RunSQL(NO_END_OF_CODE, END_OF_CODE),
        migrations.DeleteModel(name="HeatMonth"),
        # A worker of the version before cannot fold from now on. The last thing, for the map
        # reads that table and would have to wait.
        migrations.AddConstraint(
            model_name="heatstate",
            constraint=models.CheckConstraint(
                condition=models.Q(("layout", 2)), name="cases_heatstate_layout"
            ),
        ),
    ]
