"""Django's models as SQLAlchemy sees them: the models alone declare columns."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from django.contrib.gis.db.models import GeometryField
from django.contrib.postgres.fields import ArrayField
from django.db import models
from geoalchemy2 import Geometry
from sqlalchemy.types import TypeEngine

from backend.cases.models import (
    Case,
    Category,
    Group,
    HeatCell,
    HeatDays,
    HeatDelta,
    HeatGroup,
    HeatState,
    HeatTile,
    HeatTileDays,
    Withdrawal,
)
from provinces.models import (
    Boundary,
    Corregimiento,
    District,
    Entity,
    Generation,
    Province,
    RulesVersion,
)

COLUMN_TYPES: dict[str, TypeEngine[Any]] = {
    "BigAutoField": sa.BigInteger(),
    "BigIntegerField": sa.BigInteger(),
    "BinaryField": sa.LargeBinary(),
    "BooleanField": sa.Boolean(),
    "CharField": sa.String(),
    "DateField": sa.Date(),
    "DateTimeField": sa.DateTime(timezone=True),
    "FloatField": sa.Float(),
    "IntegerField": sa.Integer(),
    "JSONField": sa.JSON(),
    "PositiveBigIntegerField": sa.BigInteger(),
    "PositiveIntegerField": sa.Integer(),
    "PositiveSmallIntegerField": sa.SmallInteger(),
    "SmallIntegerField": sa.SmallInteger(),
    "TextField": sa.Text(),
    "UUIDField": sa.Uuid(),
}

metadata = sa.MetaData()


def table_of(model: type[models.Model]) -> sa.Table:
    """A model's table. Raises KeyError for a type of column it was not taught."""
    columns = [
        sa.Column(field.column, column_type(field))
        for field in model._meta.local_fields
        if field.column  # a composite key has none of its own
    ]
    return sa.Table(model._meta.db_table, metadata, *columns)


def column_type(field: models.Field[Any, Any]) -> TypeEngine[Any]:
    if isinstance(field, models.ForeignKey):
        return column_type(field.target_field)
    if isinstance(field, GeometryField):
        return Geometry(field.geom_type, srid=field.srid)
    if isinstance(field, ArrayField):
        return sa.ARRAY(column_type(field.base_field))
    return COLUMN_TYPES[field.get_internal_type()]


case = table_of(Case)
category = table_of(Category)
group = table_of(Group)
entity = table_of(Entity)
province = table_of(Province)
rules_version = table_of(RulesVersion)
district = table_of(District)
corregimiento = table_of(Corregimiento)
generation = table_of(Generation)
boundary = table_of(Boundary)
heat_cell = table_of(HeatCell)
heat_days = table_of(HeatDays)
heat_delta = table_of(HeatDelta)
heat_group = table_of(HeatGroup)
heat_state = table_of(HeatState)
heat_tile = table_of(HeatTile)
heat_tile_days = table_of(HeatTileDays)
withdrawal = table_of(Withdrawal)
