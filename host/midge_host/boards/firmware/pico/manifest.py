# The modules that ports/rp2/boards/manifest.py freezes, less the four drivers that come from the submodule micropython-lib, which
# Debian's source package leaves out.
freeze("$(PORT_DIR)/modules")  # noqa: F821
include("$(MPY_DIR)/extmod/asyncio")  # noqa: F821
