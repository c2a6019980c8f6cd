// midge_cores: runs a model on both cores of an RP2040 or RP2350, whose MicroPython has no lock
// around its interpreter. midge/_cores.py prepares what comes in here.
//
// Nothing in here or in what it calls allocates, and core 1 neither makes objects nor changes any.

#include "py/dynruntime.h"

#include "format.h"
#include "function_table.h"

#define NEEDS_MEMCPY
#include "libc.h"

enum { ARGUMENTS = 8 }; // of a bank's run()

// Memory of both cores. asked and done differ while core 1 has work.
typedef struct {
    volatile uint32_t ready; // midge/_cores.py waits for it
    volatile uint32_t busy; // core 0 uses core 1
    volatile uint32_t asked, done;
    mp_obj_t run;
    mp_obj_t args[ARGUMENTS];
    mp_obj_t status;
} shared_t;

// Whoever has written before this is seen by the other core to have done so.
static void publish(void) {
#ifdef __arm__
    __asm__ volatile("dmb" ::: "memory");
#else
    __asm__ volatile("fence" ::: "memory");
#endif
}

// An event is remembered, so that none is missed between a look at memory and the wait. Interrupts
// end the wait, too: MicroPython stops core 1 by one while it writes flash.
static void wait(void) {
#ifdef __arm__
    __asm__ volatile("wfe" ::: "memory");
#endif
}

static void wake(void) {
#ifdef __arm__
    __asm__ volatile("dsb\n\tsev" ::: "memory");
#endif
}

static void *buffer(mp_obj_t object, uint32_t access) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(object, &info, access);
    return info.buf;
}

// work(shared): core 1, until it is reset.
static mp_obj_t work(mp_obj_t object) {
    shared_t *shared = buffer(object, MP_BUFFER_WRITE);
    shared->ready = 1;
    for (;;) {
        while (shared->asked == shared->done) {
            wait();
        }
        publish();
        shared->status = mp_call_function_n_kw(shared->run, ARGUMENTS, 0, shared->args);
        publish();
        shared->done = shared->asked;
        wake();
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(work_obj, work);

// run(shared, single, program, first, last, arena, weights, base, begin, end) -> status, as
// single, the run() of a bank, has it. Behind the program's records stand as many for core 1; one
// that has the same output is not shared.
static mp_obj_t run(size_t n_args, const mp_obj_t *args) {
    shared_t *shared = buffer(args[0], MP_BUFFER_WRITE);
    const mp_obj_t single = args[1];
    (void)n_args;
    mp_obj_t mine[ARGUMENTS], others[ARGUMENTS];
    for (size_t i = 0; i < ARGUMENTS; i++) {
        mine[i] = others[i] = args[2 + i];
    }
    mp_buffer_info_t program;
    mp_get_buffer_raise(mine[0], &program, MP_BUFFER_READ);
    // What is no buffer is refused here, not while core 1 works.
    buffer(mine[3], MP_BUFFER_WRITE);
    buffer(mine[4], MP_BUFFER_READ);
    const uint8_t *records = program.buf;
    const uint32_t count = program.len / MIDGE_RECORD_BYTES / 2;
    const uint32_t first = mp_obj_get_int(mine[1]), last = mp_obj_get_int(mine[2]);
    if (first > last || last > count) {
        return mp_call_function_n_kw(single, ARGUMENTS, 0, mine); // says why not
    }
    // A callback that interrupts this one does both shares itself.
    const int is_nested = shared->busy;
    mp_obj_t status = MP_OBJ_NEW_SMALL_INT(0);
    for (uint32_t i = first; i < last && status == MP_OBJ_NEW_SMALL_INT(0); i++) {
        const midge_head_t *a = (const void *)(records + i * MIDGE_RECORD_BYTES);
        const midge_head_t *b = (const void *)(records + (count + i) * MIDGE_RECORD_BYTES);
        const int is_shared = a->output != b->output;
        mine[1] = MP_OBJ_NEW_SMALL_INT(i);
        mine[2] = MP_OBJ_NEW_SMALL_INT(i + 1);
        others[1] = MP_OBJ_NEW_SMALL_INT(count + i);
        others[2] = MP_OBJ_NEW_SMALL_INT(count + i + 1);
        if (is_shared && !is_nested) {
            shared->busy = 1;
            shared->run = single;
            for (size_t k = 0; k < ARGUMENTS; k++) {
                shared->args[k] = others[k];
            }
            publish();
            shared->asked = !shared->asked;
            wake();
        }
        status = mp_call_function_n_kw(single, ARGUMENTS, 0, mine);
        if (is_shared && is_nested && status == MP_OBJ_NEW_SMALL_INT(0)) {
            status = mp_call_function_n_kw(single, ARGUMENTS, 0, others);
        } else if (is_shared && !is_nested) {
            while (shared->asked != shared->done) {
                wait();
            }
            publish();
            if (status == MP_OBJ_NEW_SMALL_INT(0)) {
                status = shared->status;
            }
            shared->busy = 0;
        }
    }
    return status;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(run_obj, 2 + ARGUMENTS, 2 + ARGUMENTS, run);

// Whoever imports the module has made its globals the current ones.
mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    check_function_table(&run_obj);
    mp_store_global(MP_QSTR_FORMAT, MP_OBJ_NEW_SMALL_INT(MIDGE_FORMAT_VERSION));
    mp_store_global(MP_QSTR_BYTES, MP_OBJ_NEW_SMALL_INT(sizeof(shared_t)));
    mp_store_global(MP_QSTR_work, MP_OBJ_FROM_PTR(&work_obj));
    mp_store_global(MP_QSTR_run, MP_OBJ_FROM_PTR(&run_obj));
    return mp_const_none;
}
