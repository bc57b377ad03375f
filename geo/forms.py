"""How a public case is written in a file: as GeoJSON, or as a row of a table.

PostgreSQL writes it: a row is one `concat` of its pieces.
"""

from __future__ import annotations

from itertools import chain

import sqlalchemy as sa
from sqlalchemy import func

from geo.public_fields import (
    NAMES,
    OF_WITHDRAWALS,
    URL,
    Field,
    Value,
    fields,
    in_panama,
    in_utc,
)

# What a spreadsheet could take for a formula (OWASP, "CSV Injection"), also after what
# nobody sees: control characters, spaces of every kind and width, marks of direction.
UNSEEN = (
    r"[\u0001-\u0020\u007f-\u00a0\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f"
    r"\u205f-\u206f\u3000\ufeff]"
)
FORMULA = rf"^{UNSEEN}*[=+\-@\t\r\n＝＋－＠]"  # noqa: RUF001
TO_QUOTE = r'[",\r\n]'
CSV_HEADER = (NAMES[0], "longitude", "latitude", *NAMES[1:], *OF_WITHDRAWALS)


class Form:
    """How a row is written. Numbers, statuses and dates are ours: they need no quotes."""

    head = b""
    between = b""
    tail = b""

    def __init__(self, english: bool) -> None:
        self.english = english

    def fields(self, of: str) -> list[Field]:
        found = fields(english=self.english, written=self.moment)
        return [field for field in found if field.of == of]

    def moment(self, value: Value) -> Value:
        return in_panama(value)

    def told(self, of_one: list[Field]) -> Value:
        """What is said of one category, entity or place."""
        raise NotImplementedError

    def nothing(self, of: str) -> str:
        """What is said where there is none."""
        raise NotImplementedError

    def row(self, told: dict[str, Value], point: Value) -> Value:
        raise NotImplementedError

    def withdrawal(self, number: Value, at: Value, reason: Value) -> Value:
        raise NotImplementedError


class GeoJSON(Form):
    head = b'{"type":"FeatureCollection","features":['
    between = b","
    tail = b"\n]}\n"
    before, after = ",\n", ""

    def told(self, of_one: list[Field]) -> Value:
        return func.concat(
            *chain.from_iterable(
                (
                    f',"{field.name}":',
                    func.coalesce(sa.cast(func.to_json(field.value), sa.Text), "null"),
                )
                for field in of_one
            )
        )

    def nothing(self, of: str) -> str:
        return "".join(f',"{field.name}":null' for field in self.fields(of))

    def row(self, told: dict[str, Value], point: Value) -> Value:
        return func.concat(
            self.before + '{"type":"Feature","id":"',
            told["number"],
            '","geometry":',
            point,
            ',"properties":{"number":"',
            told["number"],
            '","url":"' + URL,
            told["number"],
            '","status":"',
            told["status"],
            '","open":',
            true_or_false(told["open"]),
            ',"demo":',
            true_or_false(told["demo"]),
            ',"filed_at":"',
            told["filed_at"],
            '","due_at":"',
            told["due_at"],
            '","updated_at":"',
            told["updated_at"],
            '","resolved_at":',
            func.coalesce('"' + told["resolved_at"] + '"', "null"),
            told["category"],
            told["entity"],
            told["place"],
            "}}" + self.after,
        )

    def withdrawal(self, number: Value, at: Value, reason: Value) -> Value:
        return func.concat(
            self.before + '{"type":"Feature","id":"',
            number,
            '","geometry":null,"properties":{"number":"',
            number,
            '","withdrawn_at":"',
            at,
            '","withdrawal":"',
            reason,
            '"}}' + self.after,
        )


class GeoJSONLines(GeoJSON):
    head = between = tail = b""
    before, after = "", "\n"


class CSV(Form):
    """`safe` for people's spreadsheets; else for GDAL, as GeoPackages have moments."""

    def __init__(self, english: bool, *, safe: bool = True) -> None:
        super().__init__(english)
        self.safe = safe
        self.head = (",".join(CSV_HEADER) + "\r\n").encode()

    def moment(self, value: Value) -> Value:
        return in_panama(value) if self.safe else in_utc(value)

    def told(self, of_one: list[Field]) -> Value:
        cells = ((",", self.cell(field.value)) for field in of_one)
        return func.concat(*chain.from_iterable(cells))

    def nothing(self, of: str) -> str:
        return "," * len(self.fields(of))

    def cell(self, text: Value) -> Value:
        if self.safe:
            text = sa.case((text.op("~")(FORMULA), "'" + text), else_=text)
        quoted = '"' + func.replace(text, '"', '""') + '"'
        return sa.case((text.op("~")(TO_QUOTE), quoted), else_=text)

    def row(self, told: dict[str, Value], point: Value) -> Value:
        return func.concat(
            told["number"],
            ",",
            # The two numbers in `{"type":"Point","coordinates":[-79.95,8.55]}`.
            func.rtrim(func.substr(point, 32), "]}"),
            ",",
            told["status"],
            ",",
            true_or_false(told["open"]),
            ",",
            told["filed_at"],
            ",",
            told["due_at"],
            ",",
            told["updated_at"],
            ",",
            told["resolved_at"],
            ",",
            true_or_false(told["demo"]),
            "," + URL,
            told["number"],
            told["category"],
            told["entity"],
            told["place"],
            ",,\r\n",
        )

    def withdrawal(self, number: Value, at: Value, reason: Value) -> Value:
        empty = len(CSV_HEADER) - 1 - len(OF_WITHDRAWALS)
        return func.concat(number, "," * empty + ",", at, ",", reason, "\r\n")


class CSVOfWithdrawals(CSV):
    def __init__(self, english: bool) -> None:
        super().__init__(english)
        self.head = (",".join(("number", *OF_WITHDRAWALS)) + "\r\n").encode()

    def withdrawal(self, number: Value, at: Value, reason: Value) -> Value:
        return func.concat(number, ",", at, ",", reason, "\r\n")


def true_or_false(value: Value) -> Value:
    return sa.case((value, "true"), else_="false")
