# weights="map" on the PC. Apart from _loader.py: on a board, which never asks, it would take memory.


def map_file(path):
    """A view of a file that the operating system maps into memory; None where it cannot."""
    try:
        import mmap
    except ImportError:
        return None
    with open(path, "rb") as file:
        try:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError:  # an empty file
            return memoryview(b"")
