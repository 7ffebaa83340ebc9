"""What usually holds of a class's values, and need not.

A validator says what every right record obeys, and one that right records break is a fault of the
class. Much that a page's own numbers tell is weaker: the total of a row is its quantity times its
price, but for discounts, prices per hundred and what was rounded. Such is no reason to reject a
record, or a label, and yet the best reason to look at another number of the row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from inspect import isfunction
from typing import Any, TypeVar

from pydantic import BaseModel

Check = TypeVar("Check", bound=Callable[[Any], "bool | None"])
_MARK = "__usually__"


def usually(check: Check) -> Check:
    """Mark a method as saying whether what usually holds of a record does; None: it cannot tell.

    A value that the document does not show is None, whatever the class requires or has for default;
    only a list that may not be null is empty then. A method that raises is told, with the warning
    `check_failed`, and changes nothing.

        class Line(BaseModel):
            hours: Quantity | None = None
            rate: Money | None = None
            amount: Money | None = None

            @usually
            def amount_is_hours_times_rate(self) -> bool | None:
                if self.hours is None or self.rate is None or self.amount is None:
                    return None
                return abs(self.hours * self.rate - self.amount) <= Decimal("0.02")

    :raises TypeError: for what is no plain method, such as a property.
    """
    if not isfunction(check):
        raise TypeError(f"@usually marks a method, not a {type(check).__name__}")
    setattr(check, _MARK, True)
    return check


def broken(record: BaseModel) -> Iterator[str]:
    """Yield what a record breaks of what its class says usually holds, in words.

    :raises Exception: what a method raises; it is the user's code.
    """
    for name in _checks(type(record)):
        holds = getattr(record, name)()
        if holds is not None and not holds:
            yield name.replace("_", " ")


def has_checks(model: type[BaseModel] | None) -> bool:
    """Return whether a class says of anything that it usually holds."""
    return model is not None and bool(_checks(model))


@lru_cache(maxsize=256)
def _checks(model: type[BaseModel]) -> tuple[str, ...]:
    marked: dict[str, bool] = {}
    for base in reversed(model.__mro__):
        marked |= {name: getattr(member, _MARK, False) for name, member in vars(base).items()}
    return tuple(name for name, is_marked in marked.items() if is_marked)
