# Freezes the library into firmware: FROZEN_MANIFEST=.../device_lib/manifest.py, or include(".../device_lib") in the
# manifest of a board. https://docs.micropython.org/en/latest/reference/manifest.html

metadata(description="Runs int8 neural networks", license="MIT")

package("midge", opt=3)
