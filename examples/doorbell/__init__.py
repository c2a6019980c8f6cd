"""The doorbell example, as modules of the wheel."""
