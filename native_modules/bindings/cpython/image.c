// CPython binding of midge_image, with the function that the MicroPython module has.

#include "buffers.h"

#include "image/picture.h"

enum { ARGUMENTS = 6, READ_ONLY = 4 };

static PyObject *load(PyObject *self, PyObject *args) {
    PyObject *in[ARGUMENTS];
    Py_buffer views[ARGUMENTS];
    if (!PyArg_ParseTuple(args, "OOOOOO:load", &in[0], &in[1], &in[2], &in[3], &in[4], &in[5])) {
        return NULL;
    }
    const int count = get_buffers(in, ARGUMENTS, READ_ONLY, views);
    PyObject *result = NULL;
    if (count == ARGUMENTS) {
        uint32_t status;
        Py_BEGIN_ALLOW_THREADS
        status = midge_picture(as_bytes(&views[0]), as_bytes(&views[1]), as_bytes(&views[2]),
            as_bytes(&views[3]), as_arena(&views[4]), as_arena(&views[5]));
        Py_END_ALLOW_THREADS
        result = PyLong_FromUnsignedLong(status);
    }
    release_buffers(views, count);
    return result;
}

static PyMethodDef methods[] = {
    {"load", load, METH_VARARGS, "load(view, frame, tensor, tables, scratch, arena) -> status"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    "midge_image",
    "Frames of cameras for midge; see native_modules/kernels/generic/image/picture.h.",
    0,
    methods,
    NULL,
    NULL,
    NULL,
    NULL,
};

PyMODINIT_FUNC PyInit_midge_image(void) {
    PyObject *m = PyModule_Create(&module);
    if (m && PyModule_AddIntConstant(m, "FORMAT", MIDGE_FORMAT_VERSION) < 0) {
        Py_DECREF(m);
        return NULL;
    }
    return m;
}
