// In the place of libFuzzer: runs a fuzz target on the files named, in order. After a crash, the last name printed
// is the input's.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) {
            perror(argv[i]);
            return 2;
        }
        fseek(file, 0, SEEK_END);
        const size_t size = (size_t)ftell(file);
        rewind(file);
        uint8_t *data = malloc(size);
        const size_t got = fread(data, 1, size, file);
        fclose(file);
        puts(argv[i]);
        fflush(stdout);
        LLVMFuzzerTestOneInput(data, got);
        free(data);
    }
    return 0;
}
