"""The wake-word example, as data of the wheel for `midge demo wake-word`."""
