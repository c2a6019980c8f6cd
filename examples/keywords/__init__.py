"""The keyword example, as data and modules of the wheel."""
