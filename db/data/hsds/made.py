"""What the export says where the directory has no word of its own."""

from __future__ import annotations

UNKNOWN_STATUS = "A source lists this service; whether it is offered now is not known."
"""The alert of what nobody told us the status of: HSDS has no word for that, and wants one."""

PHONE = """
    number, extension::numeric as extension,
    case kind when 'TTY' then 'textphone' when 'TEXT' then 'text' when 'FAX' then 'fax'
        else 'voice' end as type,
    coalesce(purpose, case kind when 'TOLL_FREE' then 'Toll-free'
        when 'HOTLINE' then 'Hotline' end) as description
"""


def made_id(*parts: str) -> str:
    """The id of what has none here, made of what it belongs to: the same each time."""
    digits = f"md5({' || '.join(parts)})"
    # Version 3 of RFC 9562, whose digits are those of MD5 but for two.
    return f"overlay(overlay({digits} placing '3' from 13) placing '8' from 17)::uuid"


def moment(column: str) -> str:
    """A moment as HSDS writes it."""
    return f"""to_char({column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


def day(column: str) -> str:
    """As much of a date as is known: the day, the month or the year."""
    return (
        f"to_char({column}, case {column}_precision"
        " when 'YEAR' then 'YYYY' when 'MONTH' then 'YYYY-MM' else 'YYYY-MM-DD' end)"
    )


def assured(alias: str) -> str:
    """The day on which somebody checked a record and reached those who know."""
    return (
        f"case when {alias}.verification_outcome in ('CONFIRMED', 'CHANGED')"
        f" then to_char({alias}.verified_at at time zone 'UTC', 'YYYY-MM-DD') end"
    )


def label(enum: str, column: str) -> str:
    """What people call a value of an enum."""
    return f"(select v.label from enum_values v where v.key = '{enum}.' || {column})"


def sentence(text: str) -> str:
    """A text that ends with a full stop, as what comes after it needs; nothing for no text."""
    return f"(rtrim({text}, '. ') || '.')"


def hours_in_words(table: str, owner: str) -> str:
    """Schedules of what no rules are known for, `owner` being the column of those: only a text."""
    return f"""
        select {made_id("'schedule:'", "t.id::text")}, t.id, null, null, null, null, null, null,
               null, null, null, null, null, null, null, t.hours_text, null, null, null
        from {table} t
        where t.hours_text is not null
          and not exists (select from schedules h where h.{owner} = t.id)
    """
