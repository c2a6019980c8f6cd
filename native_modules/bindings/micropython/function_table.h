// Whether the firmware's table of functions is the one that a native module was linked for.

#ifndef MIDGE_FUNCTION_TABLE_H
#define MIDGE_FUNCTION_TABLE_H

// From entry 67 on CircuitPython's table differs from MicroPython's, and a later version of either
// may differ again. C uses only what is before; the types of functions are behind, where the
// linker finds them. A function of a wrong type would crash when called. So, before there is any,
// that of the module's run() is compared with that of a function of the firmware.
static inline void check_function_table(const mp_obj_fun_builtin_var_t *run) {
    const mp_obj_base_t *known = MP_OBJ_TO_PTR(mp_load_global(MP_QSTR_getattr));
    // volatile: from the object, which is at hand, not as a constant, which would be one more.
    if (known->type != *(const mp_obj_type_t *const volatile *)&run->base.type) {
        mp_raise_ValueError("other firmware");
    }
}

#endif
