"""The normal example, as data and modules of the wheel."""
