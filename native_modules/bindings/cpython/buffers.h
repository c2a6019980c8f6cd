// Python's buffers as the core takes memory.

#ifndef MIDGE_BUFFERS_H
#define MIDGE_BUFFERS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "midge.h"

// A contiguous buffer of at most 4 GB. Anything else is a TypeError, as it is under MicroPython.
static inline int get_buffer(PyObject *object, Py_buffer *view, int flags) {
    if (PyObject_GetBuffer(object, view, flags | PyBUF_C_CONTIGUOUS) < 0) {
        if (PyErr_ExceptionMatches(PyExc_BufferError)
            || PyErr_ExceptionMatches(PyExc_ValueError)) {
            PyErr_Format(PyExc_TypeError, "a contiguous%s buffer is needed, not this %.80s",
                flags & PyBUF_WRITABLE ? " writable" : "", Py_TYPE(object)->tp_name);
        }
        return -1;
    }
    if ((uint64_t)view->len > UINT32_MAX) {
        PyBuffer_Release(view);
        PyErr_SetString(PyExc_ValueError, "buffer of more than 4 GB");
        return -1;
    }
    return 0;
}

// So many buffers; those from `writable` on are written to. Returns how many there are: less with
// an exception.
static inline int get_buffers(PyObject *const *in, int count, int writable, Py_buffer *views) {
    for (int i = 0; i < count; i++) {
        if (get_buffer(in[i], &views[i], i < writable ? PyBUF_SIMPLE : PyBUF_WRITABLE) < 0) {
            return i;
        }
    }
    return count;
}

static inline void release_buffers(Py_buffer *views, int count) {
    while (count > 0) {
        PyBuffer_Release(&views[--count]);
    }
}

static inline midge_bytes_t as_bytes(const Py_buffer *view) {
    return (midge_bytes_t){view->buf, (uint32_t)view->len};
}

static inline midge_arena_t as_arena(const Py_buffer *view) {
    return (midge_arena_t){view->buf, (uint32_t)view->len};
}

#endif
