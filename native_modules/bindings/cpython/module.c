// CPython binding of the native core: a module for each bank, with the functions that the
// MicroPython module of that name has. setup.py says which: MIDGE_BANK, MIDGE_MODULE.
//
// >>> import midge_core
// >>> midge_core.run(program, 0, op_count, arena, weights)
// 0

#include "buffers.h"
#include "target.h"

#define STRING(name) STRING_OF(name)
#define STRING_OF(name) #name
#define INIT(name) INIT_OF(name)
#define INIT_OF(name) PyInit_##name

#if MIDGE_BANK == MIDGE_BANK_CORE
#define ENCODE midge_encode
#define DECODE midge_decode
#elif MIDGE_BANK == MIDGE_BANK_WIDE
#define ENCODE midge_encode_wide
#define DECODE midge_decode_wide
#elif MIDGE_BANK == MIDGE_BANK_TREES
#define ENCODE midge_encode_float
#define DECODE midge_decode_float
#endif

static PyObject *check(PyObject *self, PyObject *args) {
    PyObject *program_in;
    unsigned int arena_bytes, weights_bytes;
    Py_buffer program;
    if (!PyArg_ParseTuple(args, "OII:check", &program_in, &arena_bytes, &weights_bytes)
        || get_buffer(program_in, &program, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    uint32_t status = midge_check(as_bytes(&program), arena_bytes, weights_bytes);
    PyBuffer_Release(&program);
    return PyLong_FromUnsignedLong(status);
}

static PyObject *run(PyObject *self, PyObject *args) {
    PyObject *in[3];
    unsigned int first, last, base = 0, begin = 0, end = UINT32_MAX, part = 0, parts = 1;
    Py_buffer program, arena, weights;
    if (!PyArg_ParseTuple(args, "OIIOO|IIIII:run", &in[0], &first, &last, &in[1], &in[2],
            &base, &begin, &end, &part, &parts)) {
        return NULL;
    }
    if (get_buffer(in[0], &program, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (get_buffer(in[1], &arena, PyBUF_WRITABLE) == 0) {
        if (get_buffer(in[2], &weights, PyBUF_SIMPLE) == 0) {
            midge_weights_t window = {weights.buf, (uint32_t)weights.len, base};
            midge_share_t share = {begin, end, part, parts};
            uint32_t status;
            Py_BEGIN_ALLOW_THREADS
            status = midge_run(as_bytes(&program), first, last, as_arena(&arena), window,
                &share);
            Py_END_ALLOW_THREADS
            result = PyLong_FromUnsignedLong(status);
            PyBuffer_Release(&weights);
        }
        PyBuffer_Release(&arena);
    }
    PyBuffer_Release(&program);
    return result;
}

// Banks of front ends take samples.
#if MIDGE_BANK == MIDGE_BANK_AUDIO || MIDGE_BANK == MIDGE_BANK_MEL
#define TAKE
#endif

#if defined(ENCODE) || defined(TAKE)

// The array type code of a buffer's elements; 0 for anything but a plain native one.
static uint32_t type_code(const Py_buffer *view) {
    const char *format = view->format ? view->format : "B";
    if (*format == '@' || *format == '=' || *format == '<') {
        format++;
    }
    return format[0] && !format[1] ? (uint32_t)format[0] : 0;
}

#endif

#ifdef ENCODE

// Results of encode and decode for a list.
static PyObject *no_buffer(void) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
        return NULL;
    }
    PyErr_Clear();
    return PyLong_FromUnsignedLong(MIDGE_BAD_PARAMETER);
}

static PyObject *encode(PyObject *self, PyObject *args) {
    PyObject *in[3];
    Py_buffer tensor, reading, arena;
    if (!PyArg_ParseTuple(args, "OOO:encode", &in[0], &in[1], &in[2])
        || get_buffer(in[0], &tensor, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (get_buffer(in[1], &reading, PyBUF_FORMAT) == 0) {
        if (get_buffer(in[2], &arena, PyBUF_WRITABLE) == 0) {
            result = PyLong_FromUnsignedLong(ENCODE(as_bytes(&tensor), as_bytes(&reading),
                type_code(&reading), as_arena(&arena)));
            PyBuffer_Release(&arena);
        }
        PyBuffer_Release(&reading);
    } else {
        result = no_buffer();
    }
    PyBuffer_Release(&tensor);
    return result;
}

static PyObject *decode(PyObject *self, PyObject *args) {
    PyObject *in[3];
    Py_buffer tensor, arena, out;
    if (!PyArg_ParseTuple(args, "OOO:decode", &in[0], &in[1], &in[2])
        || get_buffer(in[0], &tensor, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (get_buffer(in[1], &arena, PyBUF_WRITABLE) == 0) {
        if (get_buffer(in[2], &out, PyBUF_WRITABLE | PyBUF_FORMAT) == 0) {
            result = PyLong_FromUnsignedLong(DECODE(as_bytes(&tensor), as_arena(&arena), out.buf,
                (uint32_t)out.len, type_code(&out)));
            PyBuffer_Release(&out);
        } else {
            result = no_buffer();
        }
        PyBuffer_Release(&arena);
    }
    PyBuffer_Release(&tensor);
    return result;
}

#endif

#ifdef TAKE

static PyObject *take(PyObject *self, PyObject *args) {
    PyObject *in[2];
    unsigned int to, end, at;
    Py_buffer arena, reading;
    if (!PyArg_ParseTuple(args, "OIIOI:take", &in[0], &to, &end, &in[1], &at)
        || get_buffer(in[0], &arena, PyBUF_WRITABLE) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (get_buffer(in[1], &reading, PyBUF_FORMAT) == 0) {
        uint32_t taken = midge_take(as_arena(&arena), to, end, as_bytes(&reading),
            type_code(&reading), at);
        result = PyLong_FromLong(taken == UINT32_MAX ? -1 : (long)taken);
        PyBuffer_Release(&reading);
    } else if (PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        result = PyLong_FromLong(-1);
    }
    PyBuffer_Release(&arena);
    return result;
}

#endif

static PyMethodDef methods[] = {
    {"check", check, METH_VARARGS, "check(program, arena_bytes, weights_bytes) -> status"},
    {"run", run, METH_VARARGS,
        "run(program, first, last, arena, weights[, base, begin, end[, part, parts]]) -> status"},
#ifdef ENCODE
    {"encode", encode, METH_VARARGS, "encode(tensor, reading, arena) -> status"},
    {"decode", decode, METH_VARARGS, "decode(tensor, arena, out) -> status"},
#endif
#ifdef TAKE
    {"take", take, METH_VARARGS, "take(arena, to, end, reading, at) -> bytes, or -1"},
#endif
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    STRING(MIDGE_MODULE),
    "midge's native core; see native_modules/core/midge.h.",
    0,
    methods,
    NULL,
    NULL,
    NULL,
    NULL,
};

PyMODINIT_FUNC INIT(MIDGE_MODULE)(void) {
    PyObject *m = PyModule_Create(&module);
    if (m && PyModule_AddIntConstant(m, "FORMAT", MIDGE_FORMAT_VERSION) < 0) {
        Py_DECREF(m);
        return NULL;
    }
    return m;
}
