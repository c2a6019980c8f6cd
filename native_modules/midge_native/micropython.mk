# User C module: make -C ports/unix USER_C_MODULES=<this project>/native_modules

MIDGE_DIR := $(USERMOD_DIR)
SRC_USERMOD_C += $(MIDGE_DIR)/midge_native.c $(wildcard $(MIDGE_DIR)/../core/*.c $(MIDGE_DIR)/../core/extra/*.c)
# Kernels tuned for one core: each of these files is empty elsewhere.
SRC_USERMOD_C += $(wildcard $(MIDGE_DIR)/../arch/*/*.c)
SRC_USERMOD_LIB_ASM += $(wildcard $(MIDGE_DIR)/../arch/*/*.S)
CFLAGS_USERMOD += -I$(MIDGE_DIR)/../core
