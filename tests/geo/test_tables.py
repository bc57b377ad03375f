"""Django's models, as SQLAlchemy sees them."""

import pytest
import sqlalchemy as sa
from django.contrib.gis.db import models
from django.test.utils import isolate_apps
from geoalchemy2 import Geometry

from backend.cases.models import Case
from geo import sql, tables


def test_a_table_has_the_columns_of_its_model():
    assert tables.case.name == "cases_case"
    assert list(tables.case.c.keys()) == [
        field.column for field in Case._meta.local_fields
    ]
    assert isinstance(tables.case.c.filed_at.type, sa.DateTime)
    assert tables.case.c.filed_at.type.timezone
    assert isinstance(tables.case.c.report_id.type, sa.Uuid)


def test_a_shape_keeps_its_kind_and_its_srid():
    shape = tables.case.c.public_location.type
    assert isinstance(shape, Geometry)
    assert (shape.geometry_type, shape.srid) == ("POINT", 4326)


def test_a_foreign_key_has_the_type_of_what_it_points_to():
    assert isinstance(tables.case.c.jurisdiction_id.type, sa.BigInteger)
    assert isinstance(tables.case.c.entity_id.type, sa.String)


@pytest.mark.parametrize("name", tables.metadata.tables)
def test_every_column_is_in_the_database(db, name):
    assert sql.rows(sa.select(tables.metadata.tables[name]).limit(0)) == []


@isolate_apps("backend.cases")
def test_a_type_of_column_that_was_not_taught_is_refused():
    class Odd(models.Model):
        how_long = models.DurationField()

        class Meta:
            app_label = "cases"

    with pytest.raises(KeyError, match="DurationField"):
        tables.table_of(Odd)
    assert Odd._meta.db_table not in tables.metadata.tables
