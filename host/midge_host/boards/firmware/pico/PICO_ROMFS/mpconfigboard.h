// The ordinary Pico with a ROMFS partition: 512 KB of the flash that its file system has.
#include "boards/RPI_PICO/mpconfigboard.h"
#undef MICROPY_HW_FLASH_STORAGE_BYTES
#define MICROPY_HW_FLASH_STORAGE_BYTES (896 * 1024)
#define MICROPY_HW_ROMFS_BYTES (512 * 1024)
