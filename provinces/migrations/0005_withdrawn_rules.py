import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.constraints
from django.db import migrations, models


# A rule of today that is gone routed cases, which keep it, and holds on no day any more:
# it ends the day before it begins, and its range of days is empty.


class Migration(migrations.Migration):
    dependencies = [
        ("provinces", "0004_names_for_people"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="jurisdiction",
            name="a_jurisdiction_ends_after_it_begins",
        ),
        migrations.RemoveConstraint(
            model_name="jurisdiction",
            name="one_entity_per_duty_and_place_at_a_time",
        ),
        migrations.AddConstraint(
            model_name="jurisdiction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_from", None),
                    ("valid_to", None),
                    (
                        "valid_to__gte",
                        models.Func(
                            "valid_from",
                            output_field=models.DateField(),
                            template="%(expressions)s::date - 1",
                        ),
                    ),
                    _connector="OR",
                ),
                name="a_jurisdiction_ends_after_it_begins",
            ),
        ),
        migrations.AddConstraint(
            model_name="jurisdiction",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                expressions=[
                    ("duty", "="),
                    ("level", "="),
                    ("place", "="),
                    (
                        models.Func(
                            "valid_from",
                            "valid_to",
                            output_field=django.contrib.postgres.fields.ranges.DateRangeField(),
                            template="daterange(%(expressions)s::date + 1)",
                        ),
                        "&&",
                    ),
                ],
                name="one_entity_per_duty_and_place_at_a_time",
                violation_error_message="Ya responde alguien por esa competencia en ese lugar y en esos días.",
            ),
        ),
    ]
