import django.contrib.postgres.fields
from django.db import migrations, models

# ── Where a point is on the grid, and when a moment was ──────────────────────────────

# Level 14 has 2^18 cells a side over the world in Web Mercator (EPSG:3857), counted from
# the west and from the north: sixteen of them are a tile of zoom 14. A key numbers a
# level's tiles row by row, and the cells within each alike: a tile is one range of keys,
# and any box one range for each row of tiles in it.
PLACE_AND_TIME = """
CREATE FUNCTION cases_heat_x(point geometry) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN least(greatest(floor((ST_X(point) + 180) / 360 * 262144), 0), 262143)::integer;

CREATE FUNCTION cases_heat_y(point geometry) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN least(greatest(
    floor((0.5 - asinh(tan(radians(ST_Y(point)))) / (2 * pi())) * 262144), 0
), 262143)::integer;

CREATE FUNCTION cases_heat_key(level integer, x bigint, y bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (((y >> 4) << level) + (x >> 4) << 8) + ((y & 15) << 4) + (x & 15);

CREATE FUNCTION cases_heat_month(moment timestamptz) RETURNS smallint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    (extract(year FROM moment AT TIME ZONE 'America/Panama') - 1970) * 12
    + extract(month FROM moment AT TIME ZONE 'America/Panama') - 1
)::smallint;
"""
NO_PLACE_AND_TIME = """
DROP FUNCTION cases_heat_month(timestamptz);
DROP FUNCTION cases_heat_key(integer, bigint, bigint);
DROP FUNCTION cases_heat_y(geometry);
DROP FUNCTION cases_heat_x(geometry);
"""

# ── What a change of the cases adds ──────────────────────────────────────────────────

# As in `workflow.py` on the day this was written: a test says when they part.
OPEN = """'assigned', 'in_progress', 'in_review', 'received', 'reopened', 'scheduled',
    'transferred', 'waiting_for_citizen'"""
RESOLVED = "'closed', 'resolved'"
FACTS = f"""
    cases_heat_x(public_location) AS x, cases_heat_y(public_location) AS y,
    coalesce(corregimiento_id, district_id) AS place, category_id AS category,
    coalesce(entity_id, '') AS entity, cases_heat_month(filed_at) AS month,
    (status IN ({OPEN}))::integer AS open,
    (status IN ({RESOLVED}))::integer AS resolved,
    (status NOT IN ({OPEN}, {RESOLVED}))::integer AS other
"""
ON_THE_MAP = "is_public AND public_location IS NOT NULL"
COLUMNS = "x, y, place, category, entity, month, open, resolved, other"

# Statement by statement, however many rows; the trigger's kinds differ in the tables they
# have of what was and what is. Those before count less than none, those after count; what
# nothing has happened to, of all that the map shows, comes to zero and adds no row. No
# join: it would be planned once a connection, for as few rows as the first time.
NOTE = f"""
CREATE FUNCTION cases_heat_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO cases_heatdelta ({COLUMNS})
        SELECT {FACTS} FROM after WHERE {ON_THE_MAP};
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO cases_heatdelta ({COLUMNS})
        SELECT x, y, place, category, entity, month, -open, -resolved, -other
        FROM (SELECT {FACTS} FROM before WHERE {ON_THE_MAP}) AS gone;
    ELSE
        INSERT INTO cases_heatdelta ({COLUMNS})
        SELECT x, y, place, category, entity, month,
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

-- Whoever files millions at once may say so, and rebuild the heat afterwards.
CREATE TRIGGER cases_heat_filed AFTER INSERT ON cases_case
REFERENCING NEW TABLE AS after FOR EACH STATEMENT
WHEN (current_setting('movil311.heat', true) IS DISTINCT FROM 'off')
EXECUTE FUNCTION cases_heat_note();

CREATE TRIGGER cases_heat_changed AFTER UPDATE ON cases_case
REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT
WHEN (current_setting('movil311.heat', true) IS DISTINCT FROM 'off')
EXECUTE FUNCTION cases_heat_note();

CREATE TRIGGER cases_heat_deleted AFTER DELETE ON cases_case
REFERENCING OLD TABLE AS before FOR EACH STATEMENT
WHEN (current_setting('movil311.heat', true) IS DISTINCT FROM 'off')
EXECUTE FUNCTION cases_heat_note();

CREATE FUNCTION cases_heat_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM cases_heatcell;
    DELETE FROM cases_heatdelta;
    UPDATE cases_heatstate SET epoch = epoch + 1, folded = 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER cases_heat_emptied AFTER TRUNCATE ON cases_case
FOR EACH STATEMENT EXECUTE FUNCTION cases_heat_emptied();

-- A group is the sum of its categories: when one moves, the map is another.
CREATE FUNCTION cases_heat_regrouped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cases_heatdelta ({COLUMNS}) VALUES (0, 0, '', '', '', 0, 0, 0, 0);
    RETURN NULL;
END
$$;
CREATE TRIGGER cases_heat_regrouped AFTER UPDATE OF group_id ON cases_category
FOR EACH STATEMENT EXECUTE FUNCTION cases_heat_regrouped();

-- It fills and empties all day long.
ALTER TABLE cases_heatdelta SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000
);

-- Those that were filed before there was a trigger wait to be folded in like any other.
INSERT INTO cases_heatdelta ({COLUMNS})
SELECT {FACTS} FROM cases_case WHERE {ON_THE_MAP};
"""
NO_NOTE = """
DROP TRIGGER cases_heat_regrouped ON cases_category;
DROP FUNCTION cases_heat_regrouped();
DROP TRIGGER cases_heat_emptied ON cases_case;
DROP FUNCTION cases_heat_emptied();
DROP TRIGGER cases_heat_deleted ON cases_case;
DROP TRIGGER cases_heat_changed ON cases_case;
DROP TRIGGER cases_heat_filed ON cases_case;
DROP FUNCTION cases_heat_note();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0005_access_log"),
    ]

    operations = [
        migrations.RunSQL(PLACE_AND_TIME, NO_PLACE_AND_TIME),
        migrations.CreateModel(
            name="HeatCell",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "level",
                        "facet",
                        "key",
                        "place",
                        "entity",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("level", models.PositiveSmallIntegerField()),
                ("facet", models.CharField(max_length=20)),
                ("key", models.BigIntegerField()),
                ("place", models.CharField(blank=True, max_length=6)),
                ("entity", models.CharField(blank=True, max_length=16)),
                (
                    "months",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(), size=None
                    ),
                ),
                (
                    "open",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), size=None
                    ),
                ),
                (
                    "resolved",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), size=None
                    ),
                ),
                (
                    "other",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), size=None
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="HeatDelta",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("x", models.PositiveIntegerField()),
                ("y", models.PositiveIntegerField()),
                ("place", models.CharField(max_length=6)),
                ("category", models.CharField(max_length=8)),
                ("entity", models.CharField(max_length=16)),
                ("month", models.SmallIntegerField()),
                ("open", models.SmallIntegerField()),
                ("resolved", models.SmallIntegerField()),
                ("other", models.SmallIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="HeatState",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("epoch", models.PositiveIntegerField(default=0)),
                ("folded", models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.RunSQL(NOTE, NO_NOTE),
    ]
