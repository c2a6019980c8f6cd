# User C module for ports built with CMake (rp2, esp32):
#   cmake -DUSER_C_MODULES=<this project>/native_modules/bindings/micropython/micropython.cmake ...

add_library(usermod_midge INTERFACE)
set(MIDGE_DIR ${CMAKE_CURRENT_LIST_DIR}/../..)
# Kernels for one architecture are empty files elsewhere: core/target.h.
file(GLOB MIDGE_SOURCES ${MIDGE_DIR}/core/*.c ${MIDGE_DIR}/kernels/*/*/*.[cS])
target_sources(usermod_midge INTERFACE ${CMAKE_CURRENT_LIST_DIR}/user_module.c ${MIDGE_SOURCES})
target_include_directories(usermod_midge INTERFACE ${MIDGE_DIR}/core ${MIDGE_DIR}/kernels/generic)
target_link_libraries(usermod INTERFACE usermod_midge)
