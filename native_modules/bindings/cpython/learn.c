// CPython binding of midge_learn, with the functions that the MicroPython module has.

#include "buffers.h"

#include "learn/learn.h"

enum { MOST_ARGUMENTS = 9 };

typedef uint32_t (*function_t)(const Py_buffer *views);

// Calls a function with so many buffers; those from `writable` on are written to.
static PyObject *call(PyObject *args, int arguments, int writable, function_t function) {
    Py_buffer views[MOST_ARGUMENTS];
    if (PyTuple_GET_SIZE(args) != arguments) {
        return PyErr_Format(PyExc_TypeError, "%d buffers, please", arguments);
    }
    const int count = get_buffers(PySequence_Fast_ITEMS(args), arguments, writable, views);
    PyObject *result = NULL;
    if (count == arguments) {
        uint32_t status;
        Py_BEGIN_ALLOW_THREADS
        status = function(views);
        Py_END_ALLOW_THREADS
        result = PyLong_FromUnsignedLong(status);
    }
    release_buffers(views, count);
    return result;
}

#define READ(i) as_bytes(&views[i])
#define WRITE(i) as_arena(&views[i])
#define FUNCTION(name, function, arguments, writable, ...) \
    static uint32_t call_##name(const Py_buffer *views) { \
        return function(__VA_ARGS__); \
    } \
    static PyObject *name(PyObject *self, PyObject *args) { \
        return call(args, arguments, writable, call_##name); \
    }

FUNCTION(embed, midge_embed, 5, 4, READ(0), READ(1), READ(2), READ(3), WRITE(4))
FUNCTION(prototype, midge_prototype, 3, 2, READ(0), READ(1), WRITE(2))
FUNCTION(distances, midge_row_distances, 3, 2, READ(0), READ(1), WRITE(2))
FUNCTION(probabilities, midge_probabilities, 5, 4, READ(0), READ(1), READ(2), READ(3), WRITE(4))
FUNCTION(epoch, midge_epoch, 9, 4, READ(0), READ(1), READ(2), READ(3), WRITE(4), WRITE(5),
    WRITE(6), WRITE(7), WRITE(8))

static PyMethodDef methods[] = {
    {"embed", embed, METH_VARARGS, "embed(learn, matrix, centre, x, vector) -> status"},
    {"prototype", prototype, METH_VARARGS, "prototype(learn, sums, row) -> status"},
    {"distances", distances, METH_VARARGS, "distances(rows, vector, squares) -> status"},
    {"probabilities", probabilities, METH_VARARGS,
        "probabilities(learn, exponents, weights, vector, p) -> status"},
    {"epoch", epoch, METH_VARARGS,
        "epoch(learn, exponents, samples, classes, weights, order, seed, vector, p) -> status"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    "midge_learn",
    "Learning for midge; see native_modules/kernels/generic/learn/learn.h.",
    0,
    methods,
    NULL,
    NULL,
    NULL,
    NULL,
};

PyMODINIT_FUNC PyInit_midge_learn(void) {
    PyObject *m = PyModule_Create(&module);
    if (m && PyModule_AddIntConstant(m, "FORMAT", MIDGE_FORMAT_VERSION) < 0) {
        Py_DECREF(m);
        return NULL;
    }
    return m;
}
