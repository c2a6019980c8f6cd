// Runs the machine code of an ESP32 native module in qemu-system-xtensa, at the command of a program
// on the PC (host/midge_host/boards/xtensa.py), which writes memory, reads memory and calls addresses
// through standard input and output. The PC loads and relocates the module; here is the table of
// functions that MicroPython offers to a module, as far as midge's modules use them.

#include <stddef.h>
#include <stdint.h>

int sim_read(void *data, unsigned bytes);
int sim_write(const void *data, unsigned bytes);
void sim_exit(int code) __attribute__((noreturn));
unsigned sim_ticks(void);

// Exit codes; from 100 on: 100 + the number of an exception of the core.
#define EXIT_INPUT_ENDS 0
#define EXIT_NOT_OFFERED 1 // the module called what is not offered here
#define EXIT_NO_COMMAND 2

// Indices in py/nativeglue.h's mp_fun_table.
enum {
    NATIVE_FROM_OBJ = 3,
    LOAD_GLOBAL = 7,
    STORE_GLOBAL = 13,
    MEMSET = 50,
    MEMMOVE = 51,
    GET_BUFFER = 65,
    TYPE_FUN_BUILTIN_0 = 77,
    TYPE_FUN_BUILTIN_VAR = 81,
    FUN_TABLE_ENTRIES = 87,
};

// A bytes-like object, as the PC writes it into memory.
typedef struct {
    uint32_t type;
    void *data;
    uint32_t bytes;
    uint32_t typecode;
} buffer_t;

// py/obj.h's mp_buffer_info_t.
typedef struct {
    void *data;
    uint32_t bytes;
    int typecode;
} buffer_info_t;

#define GLOBALS 512 // MicroPython has numbers of its own for names that it uses itself, as find
static uint32_t globals[GLOBALS]; // what the module stores, by the number of its name
static uint32_t fun_table[FUN_TABLE_ENTRIES];
extern char heap[];

static uint32_t native_from_obj(uint32_t object, uint32_t type) {
    if (!(object & 1)) {
        sim_exit(EXIT_NOT_OFFERED); // not a small integer
    }
    return (uint32_t)((int32_t)object >> 1);
}

// The only one that modules ask for is getattr, of whose type any function is that takes two or more
// arguments; they compare it with the type of one of their own.
static const uint32_t *load_global(uint32_t name) {
    static const uint32_t function[] = {TYPE_FUN_BUILTIN_VAR - TYPE_FUN_BUILTIN_0};
    return function;
}

static void store_global(uint32_t name, uint32_t object) {
    if (name >= GLOBALS) {
        sim_exit(EXIT_NOT_OFFERED);
    }
    globals[name] = object;
}

void *memset(void *to, int value, size_t bytes) {
    for (char *p = to; bytes; bytes--) {
        *p++ = (char)value;
    }
    return to;
}

static void *memmove_(void *to, const void *from, size_t bytes) {
    char *p = to;
    const char *q = from;
    if (p < q) {
        for (; bytes; bytes--) {
            *p++ = *q++;
        }
    } else {
        while (bytes--) {
            p[bytes] = q[bytes];
        }
    }
    return to;
}

static int get_buffer(const buffer_t *object, buffer_info_t *info, uint32_t flags) {
    info->data = object->data;
    info->bytes = object->bytes;
    info->typecode = (int)object->typecode;
    return 1;
}

static void not_offered(void) {
    sim_exit(EXIT_NOT_OFFERED);
}

static void receive(void *data, uint32_t bytes) {
    for (char *p = data; bytes;) {
        int done = sim_read(p, bytes);
        if (done <= 0) {
            sim_exit(EXIT_INPUT_ENDS);
        }
        p += done;
        bytes -= (uint32_t)done;
    }
}

static void send(const void *data, uint32_t bytes) {
    for (const char *p = data; bytes;) {
        int done = sim_write(p, bytes);
        if (done <= 0) {
            sim_exit(EXIT_INPUT_ENDS);
        }
        p += done;
        bytes -= (uint32_t)done;
    }
}

typedef uint32_t (*function_t)(uint32_t, uint32_t, uint32_t, uint32_t);

int main(void) {
    for (int i = 0; i < FUN_TABLE_ENTRIES; i++) {
        fun_table[i] = (uint32_t)not_offered;
    }
    fun_table[NATIVE_FROM_OBJ] = (uint32_t)native_from_obj;
    fun_table[LOAD_GLOBAL] = (uint32_t)load_global;
    fun_table[STORE_GLOBAL] = (uint32_t)store_global;
    fun_table[MEMSET] = (uint32_t)memset;
    fun_table[MEMMOVE] = (uint32_t)memmove_;
    fun_table[GET_BUFFER] = (uint32_t)get_buffer;
    // A type is only told from others: the number of arguments, 4 for any.
    for (int i = TYPE_FUN_BUILTIN_0; i <= TYPE_FUN_BUILTIN_VAR; i++) {
        fun_table[i] = i - TYPE_FUN_BUILTIN_0;
    }
    uint32_t places[] = {(uint32_t)fun_table, (uint32_t)globals, (uint32_t)heap};
    send(places, sizeof(places));
    for (;;) {
        uint32_t command[6];
        receive(command, sizeof(command));
        if (command[0] == 'W') { // address, bytes; the bytes follow
            receive((void *)command[1], command[2]);
        } else if (command[0] == 'R') { // address, bytes; answers with the bytes
            send((const void *)command[1], command[2]);
        } else if (command[0] == 'C') { // address, four arguments; answers with result and ticks
            uint32_t start = sim_ticks();
            uint32_t result =
                ((function_t)command[1])(command[2], command[3], command[4], command[5]);
            uint32_t answer[] = {result, sim_ticks() - start};
            send(answer, sizeof(answer));
        } else {
            sim_exit(EXIT_NO_COMMAND);
        }
    }
}
