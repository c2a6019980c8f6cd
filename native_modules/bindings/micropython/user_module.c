// All banks as modules of firmware that is built with them: a user C module, of ../micropython.mk
// or micropython.cmake.

#include "py/runtime.h"

#include "functions.h"
#include "detect_functions.h"
#include "image_functions.h"
#include "learn_functions.h"
#include "packed_functions.h"

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

#define TAKE {MP_ROM_QSTR(MP_QSTR_take), MP_ROM_PTR(&take_obj)},

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
MODULE(midge_audio, TAKE);
MP_REGISTER_MODULE(MP_QSTR_midge_audio, midge_audio_module);
MODULE(midge_mel, TAKE);
MP_REGISTER_MODULE(MP_QSTR_midge_mel, midge_mel_module);
MODULE(midge_series, );
MP_REGISTER_MODULE(MP_QSTR_midge_series, midge_series_module);

static const mp_rom_map_elem_t midge_image_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_midge_image)},
    {MP_ROM_QSTR(MP_QSTR_FORMAT), MP_ROM_INT(MIDGE_FORMAT_VERSION)},
    {MP_ROM_QSTR(MP_QSTR_load), MP_ROM_PTR(&load_obj)},
};
static MP_DEFINE_CONST_DICT(midge_image_globals, midge_image_table);
const mp_obj_module_t midge_image_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&midge_image_globals,
};
MP_REGISTER_MODULE(MP_QSTR_midge_image, midge_image_module);

static const mp_rom_map_elem_t midge_learn_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_midge_learn)},
    {MP_ROM_QSTR(MP_QSTR_FORMAT), MP_ROM_INT(MIDGE_FORMAT_VERSION)},
    {MP_ROM_QSTR(MP_QSTR_embed), MP_ROM_PTR(&embed_obj)},
    {MP_ROM_QSTR(MP_QSTR_prototype), MP_ROM_PTR(&prototype_obj)},
    {MP_ROM_QSTR(MP_QSTR_distances), MP_ROM_PTR(&distances_obj)},
    {MP_ROM_QSTR(MP_QSTR_probabilities), MP_ROM_PTR(&probabilities_obj)},
    {MP_ROM_QSTR(MP_QSTR_epoch), MP_ROM_PTR(&epoch_obj)},
};
static MP_DEFINE_CONST_DICT(midge_learn_globals, midge_learn_table);
const mp_obj_module_t midge_learn_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&midge_learn_globals,
};
MP_REGISTER_MODULE(MP_QSTR_midge_learn, midge_learn_module);

static const mp_rom_map_elem_t midge_packed_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_midge_packed)},
    {MP_ROM_QSTR(MP_QSTR_FORMAT), MP_ROM_INT(MIDGE_FORMAT_VERSION)},
    {MP_ROM_QSTR(MP_QSTR_prepare), MP_ROM_PTR(&prepare_obj)},
    {MP_ROM_QSTR(MP_QSTR_unpack), MP_ROM_PTR(&unpack_obj)},
};
static MP_DEFINE_CONST_DICT(midge_packed_globals, midge_packed_table);
const mp_obj_module_t midge_packed_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&midge_packed_globals,
};
MP_REGISTER_MODULE(MP_QSTR_midge_packed, midge_packed_module);

static const mp_rom_map_elem_t midge_detect_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_midge_detect)},
    {MP_ROM_QSTR(MP_QSTR_FORMAT), MP_ROM_INT(MIDGE_FORMAT_VERSION)},
    {MP_ROM_QSTR(MP_QSTR_find), MP_ROM_PTR(&find_obj)},
};
static MP_DEFINE_CONST_DICT(midge_detect_globals, midge_detect_table);
const mp_obj_module_t midge_detect_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&midge_detect_globals,
};
MP_REGISTER_MODULE(MP_QSTR_midge_detect, midge_detect_module);
