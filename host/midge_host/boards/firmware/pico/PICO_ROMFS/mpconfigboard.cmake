include(${MICROPY_PORT_DIR}/boards/RPI_PICO/mpconfigboard.cmake)
