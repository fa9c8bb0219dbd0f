#ifndef GANTRY_CPAM_H
#define GANTRY_CPAM_H

#include <stddef.h>

/* Asks PAM whether these are the name and the password of an account that may be used now. Blocks as long as the
   service's modules do. `folder` holds the service's file; NULL for the system's. Returns 0 for yes; otherwise PAM's code,
   with its words in `reason` (always ended, cut to `size`). */
int gantry_pam_check(
    const char *service, const char *folder, const char *user, const char *password, char *reason, size_t size);

#endif
