from django.db import migrations, models

# Not STRICT any more: of functions that are, PostgreSQL makes calls wherever something in
# them does not care for nulls, and a call took seven times as long as the sum. Nobody asks
# them for a point that is not there.
FASTER = """
CREATE OR REPLACE FUNCTION cases_heat_x(point geometry) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN least(greatest(floor((ST_X(point) + 180) / 360 * 262144), 0), 262143)::integer;

CREATE OR REPLACE FUNCTION cases_heat_y(point geometry) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN least(greatest(
    floor((0.5 - asinh(tan(radians(ST_Y(point)))) / (2 * pi())) * 262144), 0
), 262143)::integer;

CREATE FUNCTION cases_heat_day(moment timestamptz) RETURNS smallint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN extract(day FROM moment AT TIME ZONE 'America/Panama')::smallint;
"""
AS_BEFORE = """
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
    cases_heat_day(filed_at) AS day,
    (status IN ({OPEN}))::integer AS open,
    (status IN ({RESOLVED}))::integer AS resolved,
    (status NOT IN ({OPEN}, {RESOLVED}))::integer AS other
"""
ON_THE_MAP = "is_public AND public_location IS NOT NULL"
COLUMNS = "x, y, place, category, entity, month, day, open, resolved, other"

# What 0006 says, with the day as well.
NOTE = f"""
CREATE OR REPLACE FUNCTION cases_heat_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO cases_heatdelta ({COLUMNS})
        SELECT {FACTS} FROM after WHERE {ON_THE_MAP};
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO cases_heatdelta ({COLUMNS})
        SELECT x, y, place, category, entity, month, day, -open, -resolved, -other
        FROM (SELECT {FACTS} FROM before WHERE {ON_THE_MAP}) AS gone;
    ELSE
        INSERT INTO cases_heatdelta ({COLUMNS})
        SELECT x, y, place, category, entity, month, day,
            sum(sign) * open, sum(sign) * resolved, sum(sign) * other
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

-- What was counted without days is counted anew: it waits to be folded in like any other.
DELETE FROM cases_heatcell;
DELETE FROM cases_heatdelta;
UPDATE cases_heatstate SET epoch = epoch + 1, folded = 0;
INSERT INTO cases_heatdelta ({COLUMNS})
SELECT {FACTS} FROM cases_case WHERE {ON_THE_MAP};
"""


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0010_less_to_write"),
    ]

    operations = [
        migrations.RunSQL(FASTER, AS_BEFORE),
        migrations.AddField(
            model_name="heatdelta",
            name="day",
            field=models.SmallIntegerField(default=1),
            preserve_default=False,
        ),
        # There is no way back to deltas without a day but through 0006.
        migrations.RunSQL(NOTE),
    ]
