from django.db import migrations

# Takes from several limits or from none, exactly, in one statement: see `limits.py`.
#
# Every row is locked before any is looked at, always in the same order, so that two
# calls neither wait for each other nor both take the last place; the look comes after
# the lock, in a statement of its own, and so sees what was there when it was granted.
# `seconds` is how long the fullest limit says to wait, at most 0 when none is full;
# `hot` is whether one has no room. Nothing is taken then.
TAKE = """
CREATE FUNCTION accounts_take(
    keys text[], steps interval[], rooms interval[], periods interval[],
    OUT seconds double precision, OUT hot boolean
) LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz;
BEGIN
    INSERT INTO accounts_allowance AS used (key, free_at)
    SELECT asked.key, clock_timestamp() FROM unnest(keys) AS asked (key)
    ORDER BY asked.key
    ON CONFLICT (key) DO UPDATE SET free_at = used.free_at;

    moment := clock_timestamp();
    SELECT
        max(extract(epoch FROM
            greatest(used.free_at, moment) + asked.step - asked.period - moment)),
        bool_or(greatest(used.free_at, moment) + asked.step > moment + asked.room)
    INTO seconds, hot
    FROM unnest(keys, steps, rooms, periods) AS asked (key, step, room, period)
    JOIN accounts_allowance AS used USING (key);

    IF NOT hot THEN
        UPDATE accounts_allowance AS used
        SET free_at = greatest(used.free_at, moment) + asked.step
        FROM unnest(keys, steps) AS asked (key, step)
        WHERE used.key = asked.key;
    END IF;

    -- A time that has passed says no more than no row at all: what strangers made up
    -- does not pile up, for every use takes away two such rows.
    DELETE FROM accounts_allowance WHERE key IN (
        SELECT key FROM accounts_allowance WHERE free_at < statement_timestamp()
        ORDER BY free_at LIMIT 2 * cardinality(keys) FOR UPDATE SKIP LOCKED
    );
END
$$
"""
UNDO = "DROP FUNCTION accounts_take(text[], interval[], interval[], interval[])"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_phones"),
    ]

    operations = [
        migrations.RunSQL(TAKE, UNDO),
    ]
