#define _GNU_SOURCE 1
#include <fcntl.h>
#include <unistd.h>

// Every program of this project: what is opened first must not become descriptor 0, 1 or 2. One that is started with one of
// them closed (`2>&-`) would write its own words into the image that it works on. The reverse mode: reading and writing go on
// failing with EBADF, as with a closed descriptor.
__attribute__((constructor)) static void keep_standard_descriptors(void) {
    for (int number = 0; number <= 2; number++) {
        if (fcntl(number, F_GETFD) >= 0) continue;
        int flags = number == 0 ? O_WRONLY : O_RDONLY;
        int given = open("/dev/null", flags);
        if (given < 0) given = open("/", O_PATH);
        // The least that is free is this one: those below are open by now.
        if (given != number) _exit(126);
    }
}
