#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/// Loads OpenSSL, once. NULL, or why it cannot be had, valid as long as the process lives. To be called, with success,
/// before any function of OpenSSL. From any thread.
const char *gantry_openssl_load(void);
