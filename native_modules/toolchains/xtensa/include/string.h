// For the prototypes that MicroPython names. A native module calls mp_fun_table instead.
#pragma once
#include <stddef.h>
