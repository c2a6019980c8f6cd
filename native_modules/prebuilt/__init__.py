"""The native modules that `make natmods` built, as data of the wheel."""
