"""The person example, as modules of the wheel."""
