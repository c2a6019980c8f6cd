// All banks as modules of firmware that is built with them: a user C module, of ../micropython.mk
// or micropython.cmake.

#include "py/runtime.h"

#include "functions.h"

// Each of these modules has the operators of all banks.
#define MODULE(name, ...) \
    static const mp_rom_map_elem_t name##_table[] = { \
        {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_##name)}, \
        {MP_ROM_QSTR(MP_QSTR_FORMAT), MP_ROM_INT(MIDGE_FORMAT_VERSION)}, \
        {MP_ROM_QSTR(MP_QSTR_check), MP_ROM_PTR(&check_obj)}, \
        {MP_ROM_QSTR(MP_QSTR_run), MP_ROM_PTR(&run_obj)}, \
        __VA_ARGS__ \
    }; \
    static MP_DEFINE_CONST_DICT(name##_globals, name##_table); \
    const mp_obj_module_t name##_module = { \
        .base = {&mp_type_module}, \
        .globals = (mp_obj_dict_t *)&name##_globals, \
    }

#define CONVERSIONS(encode, decode) \
    {MP_ROM_QSTR(MP_QSTR_encode), MP_ROM_PTR(&encode)}, \
    {MP_ROM_QSTR(MP_QSTR_decode), MP_ROM_PTR(&decode)},

MODULE(midge_core, CONVERSIONS(encode_obj, decode_obj));
MP_REGISTER_MODULE(MP_QSTR_midge_core, midge_core_module);
MODULE(midge_tensor, );
MP_REGISTER_MODULE(MP_QSTR_midge_tensor, midge_tensor_module);
MODULE(midge_wide, CONVERSIONS(encode_wide_obj, decode_wide_obj));
MP_REGISTER_MODULE(MP_QSTR_midge_wide, midge_wide_module);
MODULE(midge_recurrent, );
MP_REGISTER_MODULE(MP_QSTR_midge_recurrent, midge_recurrent_module);
MODULE(midge_math, );
MP_REGISTER_MODULE(MP_QSTR_midge_math, midge_math_module);
MODULE(midge_trees, CONVERSIONS(encode_float_obj, decode_float_obj));
MP_REGISTER_MODULE(MP_QSTR_midge_trees, midge_trees_module);
MODULE(midge_audio, );
MP_REGISTER_MODULE(MP_QSTR_midge_audio, midge_audio_module);
