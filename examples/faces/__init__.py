"""The faces example, as data and modules of the wheel."""
