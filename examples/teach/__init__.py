"""The teach example, as data and modules of the wheel."""
