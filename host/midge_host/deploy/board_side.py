"""Code that runs on the board while deploying: small scripts that print Python literals."""

from __future__ import annotations

# Prints a description of the board, its library folders and free memory included.
DESCRIBE = """
import gc, sys, os
gc.collect()
i = sys.implementation
try:
    s = os.statvfs('/')
    free = s[0] * s[3]
except Exception:
    free = None
print(repr((i[0], getattr(i, '_mpy', 0), free, list(sys.path), getattr(i, '_machine', sys.platform),
    gc.mem_free())))
"""

# Prints a tuple (bytes, digest) for each of PATHS, None for one that is not there. The digest is SHA-256 where the
# firmware has it, else CRC-32.
HASHES = """
import os
try:
    import hashlib
    hashlib.sha256
    sha = True
except Exception:
    sha = False
    import binascii
def digest(path):
    try:
        f = open(path, 'rb')
    except OSError:
        return None
    b = bytearray(512)
    v = memoryview(b)
    h = hashlib.sha256() if sha else 0
    size = 0
    while True:
        n = f.readinto(b)
        if not n:
            break
        size += n
        if sha:
            h.update(v[:n])
        else:
            h = binascii.crc32(v[:n], h)
    f.close()
    return (size, ''.join('%02x' % c for c in h.digest()) if sha else '%08x' % (h & 0xffffffff))
print(repr([digest(p) for p in PATHS]))
"""

MAKE_FOLDERS = """
import os
for p in PATHS:
    try:
        os.mkdir(p)
    except OSError:
        pass
"""

# Puts verified files in the place of the former ones. A file system that renames over a file (LittleFS) has the old
# or the new one at every moment; FAT needs the old one out of the way first.
COMMIT = """
import os
for new, path in PAIRS:
    try:
        os.rename(new, path)
    except OSError:
        try:
            os.remove(path)
        except OSError:
            pass
        os.rename(new, path)
for path in REMOVE:
    try:
        os.remove(path)
    except OSError:
        pass
if hasattr(os, 'sync'):
    os.sync()
"""

REMOVE = """
import os
for path in PATHS:
    try:
        os.remove(path)
    except OSError:
        pass
"""

SELFTEST = """
import gc
gc.collect()
a = gc.mem_alloc()
import midge
m = midge.load(PATH)
if TEST:
    m.selftest()
gc.collect()
print(repr((m.backend, m.weights_mode, m.arena_bytes, gc.mem_alloc() - a, gc.mem_free())))
"""


def script(text: str, **values: object) -> str:
    """`text` with the names in it set first."""
    return "".join(f"{name} = {value!r}\n" for name, value in values.items()) + text
