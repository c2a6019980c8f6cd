// What compilers call for loops and struct copies: a native module has no libc. Each module names
// before what it needs, since the linker keeps all that there is: NEEDS_MEMCPY, NEEDS_MEMMOVE,
// NEEDS_MEMSET.

#ifndef MIDGE_LIBC_H
#define MIDGE_LIBC_H

#ifdef NEEDS_MEMCPY
void *memcpy(void *to, const void *from, size_t n) {
    return mp_fun_table.memmove_(to, from, n);
}
#endif

#ifdef NEEDS_MEMMOVE
// no_icf: as the body is memcpy's, GCC would make a memcpy of it, and expand that to a copy that
// goes forwards only.
__attribute__((no_icf)) void *memmove(void *to, const void *from, size_t n) {
    return mp_fun_table.memmove_(to, from, n);
}
#endif

#ifdef NEEDS_MEMSET
void *memset(void *to, int value, size_t n) {
    return mp_fun_table.memset_(to, value, n);
}
#endif

#endif
