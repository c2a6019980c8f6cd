// Makes a board with a file system of MicroPython's ports/qemu.
//
// At boot and after every soft reset, a ROMFS image that the host has put into RAM is mounted at /rom, and its
// boot.py runs. The addresses are those of BOARDS in host/midge_host/boards/qemu.py.

#include "extmod/vfs.h"
#include "extmod/vfs_rom.h"
#include "py/mphal.h"
#include "py/objstr.h"
#include "py/runtime.h"
#include "shared/runtime/pyexec.h"

#if defined(QEMU_SOC_NRF51)
#define ROM_ADDRESS 0x20200000
#elif defined(QEMU_SOC_MPS2)
#define ROM_ADDRESS 0x21200000
#elif defined(QEMU_SOC_VIRT)
#define ROM_ADDRESS 0x81200000
#endif
#define ROM_BYTES 0x800000

void __real_mp_init(void);
void __wrap_mp_init(void);

static MP_DEFINE_STR_OBJ(mount_point, "/rom");

static void mount_rom(void) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_obj_t memory = mp_obj_new_bytearray_by_ref(ROM_BYTES, (void *)ROM_ADDRESS);
        mp_obj_t vfs = mp_call_function_1(MP_OBJ_FROM_PTR(&mp_type_vfs_rom), memory);
        mp_obj_t arguments[] = { vfs, MP_OBJ_FROM_PTR(&mount_point) };
        mp_vfs_mount(2, arguments, (mp_map_t *)&mp_const_empty_map);
        nlr_pop();
    }
}

// Linked in place of mp_init, which main() calls at boot and after every soft reset.
void __wrap_mp_init(void) {
    #if defined(__ARM_FP)
    *(volatile uint32_t *)0xE000ED88 |= 0xf << 20; // CPACR: full access to the FPU
    __asm volatile ("dsb\n isb");
    #endif
    __real_mp_init();
    mount_rom(); // without an image the board has no files
    pyexec_file_if_exists("/rom/boot.py");
}

// LittleFS stamps files with the time. These boards have no clock.
uint64_t mp_hal_time_ns(void) {
    return 0;
}
