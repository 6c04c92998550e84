"""A phone number in E.164 becomes what people read and what telephones dial."""

from __future__ import annotations

import phonenumbers


def formatted(number: str, extension: str | None) -> str:
    """
    >>> formatted("+14154541460", "5811")
    '(415) 454-1460 ext. 5811'
    """
    return phonenumbers.format_number(
        _parsed(number, extension), phonenumbers.PhoneNumberFormat.NATIONAL
    )


def uri(number: str, extension: str | None) -> str:
    """
    >>> uri("+14154541460", "5811")
    'tel:+1-415-454-1460;ext=5811'
    """
    return phonenumbers.format_number(
        _parsed(number, extension), phonenumbers.PhoneNumberFormat.RFC3966
    )


def _parsed(number: str, extension: str | None) -> phonenumbers.PhoneNumber:
    parsed = phonenumbers.parse(number)
    parsed.extension = extension
    return parsed
