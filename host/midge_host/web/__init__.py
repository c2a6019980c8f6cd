"""The library in JavaScript and the page of `midge web`, as data of the wheel."""
