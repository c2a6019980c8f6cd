# What MicroPython's ports/qemu lacks to be a board with a file system.
SRC_USERMOD_C += $(USERMOD_DIR)/port.c
LDFLAGS_USERMOD += -T $(USERMOD_DIR)/discard.ld -Wl,--wrap=mp_init
