"""The digit example, as data of the wheel for `midge demo`."""
