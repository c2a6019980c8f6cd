# User C module: make -C ports/unix USER_C_MODULES=<this project>/native_modules
# It lies here so that a port's objects stay in its build folder, beside its program `micropython`.

MIDGE_DIR := $(USERMOD_DIR)/..
SRC_USERMOD_C += $(USERMOD_DIR)/micropython/user_module.c
# Kernels for one architecture are empty files elsewhere: core/target.h.
SRC_USERMOD_C += $(wildcard $(MIDGE_DIR)/core/*.c $(MIDGE_DIR)/kernels/*/*/*.c)
SRC_USERMOD_LIB_ASM += $(wildcard $(MIDGE_DIR)/kernels/*/*/*.S)
CFLAGS_USERMOD += -I$(MIDGE_DIR)/core -I$(MIDGE_DIR)/kernels/generic
