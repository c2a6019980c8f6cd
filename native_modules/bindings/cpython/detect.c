// CPython binding of midge_detect, with the function that the MicroPython module has.

#include "buffers.h"

#include "detect/detect.h"

enum { ARGUMENTS = 4, READ_ONLY = 2 };

static PyObject *find(PyObject *self, PyObject *args) {
    PyObject *in[ARGUMENTS];
    Py_buffer views[ARGUMENTS];
    if (!PyArg_ParseTuple(args, "OOOO:find", &in[0], &in[1], &in[2], &in[3])) {
        return NULL;
    }
    const int count = get_buffers(in, ARGUMENTS, READ_ONLY, views);
    PyObject *result = NULL;
    if (count == ARGUMENTS) {
        uint32_t status;
        Py_BEGIN_ALLOW_THREADS
        status = midge_find(as_bytes(&views[0]), as_bytes(&views[1]), as_arena(&views[2]),
            as_arena(&views[3]));
        Py_END_ALLOW_THREADS
        result = PyLong_FromUnsignedLong(status);
    }
    release_buffers(views, count);
    return result;
}

static PyMethodDef methods[] = {
    {"find", find, METH_VARARGS, "find(section, arena, found, order) -> status"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    "midge_detect",
    "Things in pictures for midge; see native_modules/kernels/generic/detect/detect.h.",
    0,
    methods,
    NULL,
    NULL,
    NULL,
    NULL,
};

PyMODINIT_FUNC PyInit_midge_detect(void) {
    PyObject *m = PyModule_Create(&module);
    if (m && PyModule_AddIntConstant(m, "FORMAT", MIDGE_FORMAT_VERSION) < 0) {
        Py_DECREF(m);
        return NULL;
    }
    return m;
}
