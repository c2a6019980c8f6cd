"""The machine example, as data and modules of the wheel."""
