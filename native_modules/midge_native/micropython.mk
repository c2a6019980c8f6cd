# User C module: make -C ports/unix USER_C_MODULES=<this project>/native_modules

MIDGE_DIR := $(USERMOD_DIR)
SRC_USERMOD_C += $(MIDGE_DIR)/midge_native.c $(wildcard $(MIDGE_DIR)/../core/*.c)
CFLAGS_USERMOD += -I$(MIDGE_DIR)/../core
