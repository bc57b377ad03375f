"""The heat of the map, counted beforehand."""

from __future__ import annotations

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField

# Of the tables below: see `HeatState`.
LAYOUT = 2


class HeatCell(models.Model):
    """How many public cases there are in a cell of the map, month by month.

    The counts are cumulative over the sorted `months` (months since January of 1970 in
    Panama), so that any span of months is one subtraction. Levels 4 to 14 are grids:
    2^(level + 4) cells a side over the world in Web Mercator, `key` being the tile's
    number and then the cell's within the tile; levels 0 to 3 are, whatever the cell, the
    country, its provinces, its districts and its corregimientos. `place` is the
    corregimiento's code, or the district's where there is none. `facet` is empty for all
    cases, `e/` and an entity's code, `g/` and a group's (see `HeatGroup`), or `c/` and a
    category's: these by `entity` too, which is empty for all others.

    Only `heat.py` and `heat_anew.py` write here; what has not yet been folded in is in
    `HeatDelta`.
    """

    pk = models.CompositePrimaryKey("level", "facet", "key", "place", "entity")
    level = models.PositiveSmallIntegerField()
    facet = models.CharField(max_length=20)
    key = models.BigIntegerField()
    place = models.CharField(max_length=6, blank=True)
    entity = models.CharField(max_length=16, blank=True)
    months = ArrayField(models.SmallIntegerField())
    open = ArrayField(models.IntegerField())
    resolved = ArrayField(models.IntegerField())
    cases = ArrayField(models.IntegerField())

    def __str__(self) -> str:
        return f"{self.level} {self.facet} {self.key} {self.place} {self.entity}"


class HeatTile(models.Model):
    """What `HeatCell` comes to over all times, the cells of a tile in one row.

    It is what the map is asked most, and so is read twenty rows at a time instead of
    thousands. For the grids, and for all facets; also for `p/` and a place's code. `cells`
    are sorted, each counted from the tile's north-western one, row by row.

    Written along with `HeatCell`, in the same transaction.
    """

    pk = models.CompositePrimaryKey("level", "facet", "tile")
    level = models.PositiveSmallIntegerField()
    facet = models.CharField(max_length=20)
    tile = models.BigIntegerField()
    cells = ArrayField(models.SmallIntegerField())
    open = ArrayField(models.IntegerField())
    resolved = ArrayField(models.IntegerField())
    cases = ArrayField(models.IntegerField())

    def __str__(self) -> str:
        return f"{self.level} {self.facet} {self.tile}"


class HeatDays(models.Model):
    """The public cases of eight days that there are in a district: of all, or of some.

    For what is not counted beforehand: a part of a month. `days` are a month, as `HeatCell`
    has it, times four, and which of its days: from 0 for the first eight to 3 for those from
    the 25th on. `facet` and `entity` are as in `HeatCell`. The cases are there one by one,
    each a number in eight bytes (`cases_heat_number`), which says, from its left: in 7 bits
    the quarter of the month's days, six hours each, from 0 to 123; in 18 each the column and
    the row of its cell at level 14; in 2 whether it is open (1), resolved (2) or neither
    (0); and in 14 the end of its corregimiento's code, two characters of ASCII, or 0 where
    there is none. All of their cells lie between `west` and `east`, `north` and `south`.

    Written along with `HeatCell`, in the same transaction.
    """

    pk = models.CompositePrimaryKey("days", "facet", "entity", "district")
    days = models.SmallIntegerField()
    facet = models.CharField(max_length=20)
    entity = models.CharField(max_length=16, blank=True)
    district = models.CharField(max_length=4)
    west = models.PositiveIntegerField()
    north = models.PositiveIntegerField()
    east = models.PositiveIntegerField()
    south = models.PositiveIntegerField()
    cases = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.days} {self.facet} {self.entity} {self.district}"


class HeatTileDays(models.Model):
    """All public cases of eight days that there are in a tile, as `HeatDays` has a district's.

    For a view of all cases: it reads those of its tiles alone, and little of each. `level`
    and `tile` are as in `HeatTile`, `days` as in `HeatDays`. Each case is a number in two
    bytes, which says, from its left: in 5 bits the quarter of these days, from 0 to 31;
    in 2 whether it is open (1), resolved (2) or neither (0); and in 8 its cell, counted from
    the tile's north-western one, row by row. They are sorted.

    Written along with `HeatCell`, in the same transaction.
    """

    pk = models.CompositePrimaryKey("level", "days", "tile")
    level = models.PositiveSmallIntegerField()
    days = models.SmallIntegerField()
    tile = models.BigIntegerField()
    cases = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.level} {self.days} {self.tile}"


class HeatGroup(models.Model):
    """In which group the heat has counted a category's cases so far, and goes on to do so.

    A group whose categories are not just these is told by its categories, until the heat is
    rebuilt.
    """

    category = models.CharField(max_length=8, primary_key=True)
    counted_in = models.CharField(max_length=8)

    def __str__(self) -> str:
        return f"{self.category} in {self.counted_in}"


class HeatDelta(models.Model):
    """What a change of a case adds to the heat: written by triggers, in its transaction.

    Rows are only added, so that no writer waits for another. One with nothing but zeros
    says that something else has changed of what the map shows.
    """

    # The cell of level 14, counted from the west and from the north.
    x = models.PositiveIntegerField()
    y = models.PositiveIntegerField()
    place = models.CharField(max_length=6)
    category = models.CharField(max_length=8)
    entity = models.CharField(max_length=16)
    month = models.SmallIntegerField()
    # Of the days of the month, six hours each, counted from 0.
    quarter = models.SmallIntegerField()
    open = models.SmallIntegerField()
    resolved = models.SmallIntegerField()
    cases = models.SmallIntegerField()  # of any state

    def __str__(self) -> str:
        return f"{self.x}/{self.y} {self.month}"


class HeatState(models.Model):
    """How often the heat was rebuilt, and how many deltas were folded in since: one row.

    Together with the deltas that wait it tells one state of the map from any other.
    """

    epoch = models.PositiveIntegerField(default=0)
    folded = models.PositiveBigIntegerField(default=0)
    # Of these tables. Whoever folds has to name it: a worker of a version that knew others
    # cannot, and leaves the deltas to those of the new one.
    layout = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(layout=LAYOUT), name="cases_heatstate_layout"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.epoch}-{self.folded}"
