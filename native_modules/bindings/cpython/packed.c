// CPython binding of midge_packed, with the functions that the MicroPython module has.

#include "buffers.h"

#include "packed/packed.h"

enum { MOST_BUFFERS = 5 };

static PyObject *prepare(PyObject *self, PyObject *args) {
    enum { BUFFERS = 2 };
    PyObject *in[BUFFERS], *result = NULL;
    Py_buffer views[BUFFERS];
    if (!PyArg_ParseTuple(args, "OO:prepare", &in[0], &in[1])) {
        return NULL;
    }
    const int count = get_buffers(in, BUFFERS, 1, views);
    if (count == BUFFERS) {
        result = PyLong_FromUnsignedLong(midge_prepare(as_bytes(&views[0]), as_arena(&views[1])));
    }
    release_buffers(views, count);
    return result;
}

// At most the `most` bytes that there are.
static uint32_t bytes_of(Py_ssize_t bytes, uint32_t most) {
    return bytes >= 0 && bytes < most ? (uint32_t)bytes : most;
}

static PyObject *unpack(PyObject *self, PyObject *args) {
    PyObject *in[MOST_BUFFERS], *result = NULL;
    Py_buffer views[MOST_BUFFERS];
    Py_ssize_t data_bytes, at, end;
    if (!PyArg_ParseTuple(args, "OOOOnOnn:unpack", &in[0], &in[1], &in[3], &in[2], &data_bytes,
            &in[4], &at, &end)) {
        return NULL;
    }
    const int count = get_buffers(in, MOST_BUFFERS, 3, views);
    if (count == MOST_BUFFERS) {
        midge_bytes_t data = as_bytes(&views[2]);
        midge_arena_t out = as_arena(&views[4]);
        data.bytes = bytes_of(data_bytes, data.bytes);
        out.bytes = bytes_of(end, out.bytes);
        int32_t made;
        Py_BEGIN_ALLOW_THREADS
        made = midge_unpack(as_bytes(&views[0]), as_bytes(&views[1]), as_arena(&views[3]), data,
            out, bytes_of(at, UINT32_MAX));
        Py_END_ALLOW_THREADS
        result = PyLong_FromLong(made);
    }
    release_buffers(views, count);
    return result;
}

static PyMethodDef methods[] = {
    {"prepare", prepare, METH_VARARGS, "prepare(code, tables) -> status"},
    {"unpack", unpack, METH_VARARGS,
        "unpack(code, tables, state, data, data_bytes, out, at, end) -> up to where"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    "midge_packed",
    "Decodes weights for midge; see native_modules/kernels/generic/packed/packed.h.",
    0,
    methods,
    NULL,
    NULL,
    NULL,
    NULL,
};

PyMODINIT_FUNC PyInit_midge_packed(void) {
    PyObject *m = PyModule_Create(&module);
    if (m && PyModule_AddIntConstant(m, "FORMAT", MIDGE_FORMAT_VERSION) < 0) {
        Py_DECREF(m);
        return NULL;
    }
    return m;
}
