"""What was withdrawn from the public, noted as it happens; files of public data."""

import uuid
from django.db import migrations, models

# Before the commit, and whatever withdraws it: the application, the administration, a
# person at psql. The conditions stand on the triggers, which cost nothing where they
# do not hold.
NOTE_WITHDRAWALS = """
CREATE FUNCTION cases_note_withdrawal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cases_withdrawal (number, withdrawn_at, reason)
    VALUES (OLD.number, clock_timestamp(),
            CASE TG_OP WHEN 'DELETE' THEN 'deleted' ELSE 'hidden' END)
    ON CONFLICT (number) DO UPDATE
        SET withdrawn_at = EXCLUDED.withdrawn_at, reason = EXCLUDED.reason;
    RETURN NULL;
END $$;

CREATE FUNCTION cases_forget_withdrawal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM cases_withdrawal WHERE number = NEW.number;
    RETURN NULL;
END $$;

CREATE TRIGGER case_is_hidden
    AFTER UPDATE OF is_public, public_location ON cases_case FOR EACH ROW
    WHEN (OLD.is_public AND OLD.public_location IS NOT NULL
          AND NOT (NEW.is_public AND NEW.public_location IS NOT NULL))
    EXECUTE FUNCTION cases_note_withdrawal();

CREATE TRIGGER case_is_deleted
    AFTER DELETE ON cases_case FOR EACH ROW
    WHEN (OLD.is_public AND OLD.public_location IS NOT NULL)
    EXECUTE FUNCTION cases_note_withdrawal();

CREATE TRIGGER case_is_public_again
    AFTER UPDATE OF is_public, public_location ON cases_case FOR EACH ROW
    WHEN (NEW.is_public AND NEW.public_location IS NOT NULL
          AND NOT (OLD.is_public AND OLD.public_location IS NOT NULL))
    EXECUTE FUNCTION cases_forget_withdrawal();
"""
NOTE_NO_MORE = """
DROP TRIGGER case_is_hidden ON cases_case;
DROP TRIGGER case_is_deleted ON cases_case;
DROP TRIGGER case_is_public_again ON cases_case;
DROP FUNCTION cases_note_withdrawal();
DROP FUNCTION cases_forget_withdrawal();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0006_heat"),
    ]

    operations = [
        migrations.CreateModel(
            name="DataFile",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, primary_key=True, serialize=False
                    ),
                ),
                ("request", models.TextField()),
                ("format", models.CharField(max_length=10)),
                ("nightly", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "en espera"),
                            ("building", "en preparación"),
                            ("ready", "listo"),
                            ("failed", "no se pudo preparar"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("percent", models.PositiveSmallIntegerField(default=0)),
                ("name", models.CharField(blank=True, max_length=120)),
                ("size", models.PositiveBigIntegerField(default=0, help_text="bytes")),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("rows", models.PositiveIntegerField(default=0)),
                ("asked_at", models.DateTimeField()),
                ("ready_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "archivo de datos",
                "verbose_name_plural": "archivos de datos",
                "indexes": [
                    models.Index(fields=["expires_at"], name="data_files_by_end"),
                    models.Index(fields=["name"], name="data_files_by_name"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "ready"), _negated=True),
                            models.Q(
                                models.Q(("name", ""), _negated=True),
                                models.Q(("sha256", ""), _negated=True),
                                ("ready_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="a_ready_data_file_is_there",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Withdrawal",
            fields=[
                (
                    "number",
                    models.CharField(max_length=12, primary_key=True, serialize=False),
                ),
                ("withdrawn_at", models.DateTimeField()),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("hidden", "ya no es público"),
                            ("deleted", "se borró"),
                        ],
                        max_length=7,
                    ),
                ),
            ],
            options={
                "verbose_name": "caso retirado de los datos",
                "verbose_name_plural": "casos retirados de los datos",
                "indexes": [
                    models.Index(fields=["withdrawn_at"], name="withdrawals_by_time")
                ],
            },
        ),
        migrations.RunSQL(NOTE_WITHDRAWALS, NOTE_NO_MORE),
    ]
