"""What a GIS may read straight from the database: views, never the tables.

Who reads them are the roles that `manage.py gis_access` makes: PostgreSQL's roles are of
the whole cluster, so that a migration of one database is no place for them.
"""

from django.db import migrations

# A barrier: without it the planner may let a reader's own condition see a hidden row
# before the view's does, and an error message would tell what was in it.
PUBLIC_CASES = """
CREATE VIEW public_cases WITH (security_barrier) AS
SELECT c.id,
       c.number,
       c.category_id AS category,
       k.name_es AS category_name,
       k.group_id AS "group",
       c.status,
       c.status IN ('received', 'in_review', 'assigned', 'in_progress', 'scheduled',
                    'waiting_for_citizen', 'transferred', 'reopened') AS open,
       c.filed_at,
       c.due_at,
       c.updated_at,
       c.resolved_at,
       c.entity_id AS entity,
       e.name AS entity_name,
       p.name AS province,
       c.province_id AS province_code,
       d.name AS district,
       c.district_id AS district_code,
       o.name AS corregimiento,
       c.corregimiento_id AS corregimiento_code,
       k.precision,
       c.demo,
       '/casos/' || c.number AS url,
       c.public_location AS geom
  FROM cases_case c
  JOIN cases_category k ON k.code = c.category_id
  JOIN provinces_province p ON p.code = c.province_id
  JOIN provinces_district d ON d.code = c.district_id
  LEFT JOIN provinces_corregimiento o ON o.code = c.corregimiento_id
  LEFT JOIN provinces_entity e ON e.code = c.entity_id
 WHERE c.public_location IS NOT NULL AND c.is_public
"""

# To the server's log, which neither a rollback nor the reader's settings take back; and
# in a transaction that only reads, as QGIS opens them, or on a replica, too. Stable: it
# is asked once for a statement, not for each row.
NOTE_USE = """
CREATE FUNCTION note_analyst_use() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog AS $$
BEGIN
    RAISE LOG 'gis_analyst % (%, %) reads the cases: %',
        session_user,
        coalesce(host(inet_client_addr()), 'socket'),
        current_setting('application_name'),
        left(current_query(), 2000);
    RETURN true;
END
$$
"""

# For the authority's own analysts: the exact point and what the public does not see any
# more, without anything of a person; and nothing of a private category, of which one
# row with its day and place may be enough to know whose it is.
ANALYST_CASES = """
CREATE VIEW analyst_cases WITH (security_barrier) AS
SELECT c.id,
       c.number,
       c.category_id AS category,
       k.name_es AS category_name,
       k.group_id AS "group",
       c.act,
       c.public_description AS description,
       c.status,
       c.status IN ('received', 'in_review', 'assigned', 'in_progress', 'scheduled',
                    'waiting_for_citizen', 'transferred', 'reopened') AS open,
       c.is_public AS public,
       c.under_review,
       c.filed_at,
       c.due_at,
       c.updated_at,
       c.resolved_at,
       c.entity_id AS entity,
       e.name AS entity_name,
       p.name AS province,
       c.province_id AS province_code,
       d.name AS district,
       c.district_id AS district_code,
       o.name AS corregimiento,
       o.code AS corregimiento_code,
       c.near_border_id AS near_border,
       k.precision,
       c.demo,
       CASE WHEN k.precision <> 'none' THEN c.location END::geometry(Point, 4326) AS geom
  FROM cases_case c
  JOIN cases_category k ON k.code = c.category_id
  JOIN provinces_province p ON p.code = c.province_id
  JOIN provinces_district d ON d.code = c.district_id
  LEFT JOIN provinces_corregimiento o
         ON o.code = c.corregimiento_id AND k.precision <> 'none'
  LEFT JOIN provinces_entity e ON e.code = c.entity_id
 WHERE NOT k.private AND note_analyst_use()
"""

# All categories, those too of which no row is shown: in figures of at least five.
ANALYST_FIGURES = """
CREATE VIEW analyst_figures WITH (security_barrier) AS
SELECT c.district_id || '-' || c.category_id || '-'
           || extract(year FROM c.filed_at AT TIME ZONE 'America/Panama') AS id,
       c.district_id AS district_code,
       c.category_id AS category,
       extract(year FROM c.filed_at AT TIME ZONE 'America/Panama')::int AS year,
       count(*) AS cases
  FROM cases_case c
 WHERE NOT c.demo AND note_analyst_use()
 GROUP BY c.district_id, c.category_id,
          extract(year FROM c.filed_at AT TIME ZONE 'America/Panama')
HAVING count(*) >= 5
"""

PLACES = """
CREATE VIEW {view} AS
SELECT b.id, place.code, place.name, {more}b.approximate, b.outline AS geom
  FROM provinces_boundary b
  JOIN provinces_generation g ON g.id = b.generation_id AND g.is_active
  JOIN {table} place ON place.code = b.code
 WHERE b.level = '{level}'
"""
PROVINCES = PLACES.format(
    view="public_provinces",
    table="provinces_province",
    level="province",
    more="place.kind, ",
)
DISTRICTS = PLACES.format(
    view="public_districts",
    table="provinces_district",
    level="district",
    more="place.province_id AS province_code, ",
)
CORREGIMIENTOS = PLACES.format(
    view="public_corregimientos",
    table="provinces_corregimiento",
    level="corregimiento",
    more="place.kind, place.district_id AS district_code, ",
)


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0007_data"),
        ("provinces", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(PUBLIC_CASES, "DROP VIEW public_cases"),
        migrations.RunSQL(NOTE_USE, "DROP FUNCTION note_analyst_use()"),
        migrations.RunSQL(
            "REVOKE EXECUTE ON FUNCTION note_analyst_use() FROM PUBLIC",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(ANALYST_CASES, "DROP VIEW analyst_cases"),
        migrations.RunSQL(ANALYST_FIGURES, "DROP VIEW analyst_figures"),
        migrations.RunSQL(PROVINCES, "DROP VIEW public_provinces"),
        migrations.RunSQL(DISTRICTS, "DROP VIEW public_districts"),
        migrations.RunSQL(CORREGIMIENTOS, "DROP VIEW public_corregimientos"),
    ]
