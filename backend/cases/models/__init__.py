"""The cases: what citizens bring, what was promised, what became of it."""

from backend.cases.models.case import (
    SEQUENCE,
    Case,
    CaseQuerySet,
    Reporter,
    StatusChange,
    new_pin,
)
from backend.cases.models.catalogue import Category, DayOff, Group
from backend.cases.models.data import DataFile, Withdrawal
from backend.cases.models.heat import (
    HeatCell,
    HeatDays,
    HeatDelta,
    HeatGroup,
    HeatState,
    HeatTile,
    HeatTileDays,
)
from backend.cases.models.others import Flag, Follow, Notice, PartnerAct, Support
from backend.cases.models.photo import Photo, PhotoPart
from backend.cases.models.privacy import AccessLog, ConsentText

__all__ = [
    "SEQUENCE",
    "AccessLog",
    "Case",
    "CaseQuerySet",
    "Category",
    "ConsentText",
    "DataFile",
    "DayOff",
    "Flag",
    "Follow",
    "Group",
    "HeatCell",
    "HeatDays",
    "HeatDelta",
    "HeatGroup",
    "HeatState",
    "HeatTile",
    "HeatTileDays",
    "Notice",
    "PartnerAct",
    "Photo",
    "PhotoPart",
    "Reporter",
    "StatusChange",
    "Support",
    "Withdrawal",
    "new_pin",
]
