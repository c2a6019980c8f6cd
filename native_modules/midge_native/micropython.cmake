# User C module for ports built with CMake (rp2, esp32):
#   cmake -DUSER_C_MODULES=<this project>/native_modules/midge_native/micropython.cmake ...

add_library(usermod_midge INTERFACE)
file(GLOB MIDGE_CORE ${CMAKE_CURRENT_LIST_DIR}/../core/*.c ${CMAKE_CURRENT_LIST_DIR}/../core/extra/*.c)
# Kernels tuned for one core: each of these files is empty elsewhere.
file(GLOB MIDGE_TUNED ${CMAKE_CURRENT_LIST_DIR}/../arch/*/*.[cS])
target_sources(usermod_midge INTERFACE ${CMAKE_CURRENT_LIST_DIR}/midge_native.c ${MIDGE_CORE} ${MIDGE_TUNED})
target_include_directories(usermod_midge INTERFACE ${CMAKE_CURRENT_LIST_DIR}/../core)
target_link_libraries(usermod INTERFACE usermod_midge)
