"""The gesture example, as data and modules of the wheel."""
