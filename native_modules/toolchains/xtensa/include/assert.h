// MicroPython builds native modules with NDEBUG.
#pragma once
#define assert(condition) ((void)0)
