"""How passes say what they did."""


def count(number: int, one: str, more: str = "") -> str:
    """`1 table`, `2 tables`; "" for none. more: the plural where it is not `one` with an s."""
    return f"{number} {one if number == 1 else more or one + 's'}" if number else ""
