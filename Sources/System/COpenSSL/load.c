// OpenSSL, loaded when it is first needed. Linked in the usual way its two libraries cost every start of a program a
// millisecond or two, and hardly any start wants TLS. So what we call of it is defined here, and passes calls on to the
// library. The definitions are hidden: the library's own calls between its halves never meet them.
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

// What is called here is not hidden, and so included before.
#pragma GCC visibility push(hidden)
#include "shim.h"

#define FUNCTIONS(X)                                                                                                  \
    X(unsigned long, ERR_get_error, (void), ())                                                                       \
    X(void, ERR_clear_error, (void), ())                                                                              \
    X(const char *, ERR_reason_error_string, (unsigned long code), (code))                                            \
    X(const SSL_METHOD *, TLS_server_method, (void), ())                                                              \
    X(const SSL_METHOD *, TLS_client_method, (void), ())                                                              \
    X(SSL_CTX *, SSL_CTX_new, (const SSL_METHOD *method), (method))                                                   \
    X(void, SSL_CTX_free, (SSL_CTX * context), (context))                                                             \
    X(long, SSL_CTX_ctrl, (SSL_CTX * context, int what, long number, void *other), (context, what, number, other))    \
    X(int, SSL_CTX_set_num_tickets, (SSL_CTX * context, size_t count), (context, count))                              \
    X(void, SSL_CTX_set_default_passwd_cb, (SSL_CTX * context, pem_password_cb * callback), (context, callback))      \
    X(int, SSL_CTX_load_verify_locations, (SSL_CTX * context, const char *file, const char *folder),                  \
      (context, file, folder))                                                                                        \
    X(X509_STORE *, SSL_CTX_get_cert_store, (const SSL_CTX *context), (context))                                      \
    X(void, SSL_CTX_set_verify, (SSL_CTX * context, int mode, SSL_verify_cb callback), (context, mode, callback))     \
    X(int, SSL_CTX_use_certificate_chain_file, (SSL_CTX * context, const char *file), (context, file))                \
    X(int, SSL_CTX_use_PrivateKey_file, (SSL_CTX * context, const char *file, int type), (context, file, type))       \
    X(int, SSL_CTX_check_private_key, (const SSL_CTX *context), (context))                                            \
    X(int, X509_STORE_load_locations, (X509_STORE * store, const char *file, const char *folder),                     \
      (store, file, folder))                                                                                          \
    X(int, X509_STORE_set_flags, (X509_STORE * store, unsigned long flags), (store, flags))                           \
    X(int, X509_VERIFY_PARAM_set1_ip_asc, (X509_VERIFY_PARAM * parameters, const char *address),                      \
      (parameters, address))                                                                                          \
    X(const char *, X509_verify_cert_error_string, (long verdict), (verdict))                                         \
    X(BIO *, BIO_new, (const BIO_METHOD *method), (method))                                                           \
    X(const BIO_METHOD *, BIO_s_mem, (void), ())                                                                      \
    X(int, BIO_read, (BIO * queue, void *bytes, int count), (queue, bytes, count))                                    \
    X(int, BIO_write, (BIO * queue, const void *bytes, int count), (queue, bytes, count))                             \
    X(SSL *, SSL_new, (SSL_CTX * context), (context))                                                                 \
    X(void, SSL_free, (SSL * session), (session))                                                                     \
    X(void, SSL_set_bio, (SSL * session, BIO * incoming, BIO * outgoing), (session, incoming, outgoing))              \
    X(void, SSL_set_accept_state, (SSL * session), (session))                                                         \
    X(void, SSL_set_connect_state, (SSL * session), (session))                                                        \
    X(X509_VERIFY_PARAM *, SSL_get0_param, (SSL * session), (session))                                                \
    X(long, SSL_ctrl, (SSL * session, int what, long number, void *other), (session, what, number, other))            \
    X(int, SSL_set1_host, (SSL * session, const char *name), (session, name))                                         \
    X(int, SSL_do_handshake, (SSL * session), (session))                                                              \
    X(int, SSL_get_error, (const SSL *session, int result), (session, result))                                        \
    X(long, SSL_get_verify_result, (const SSL *session), (session))                                                   \
    X(int, SSL_read, (SSL * session, void *bytes, int count), (session, bytes, count))                                \
    X(int, SSL_write, (SSL * session, const void *bytes, int count), (session, bytes, count))                         \
    X(int, SSL_shutdown, (SSL * session), (session))

// Each with the header's own type: a definition that differs from its declaration there does not compile.
#define DEFINE(result, name, parameters, arguments)                                                                   \
    static __typeof__(&name) library_##name;                                                                          \
    result name parameters { return library_##name arguments; }
FUNCTIONS(DEFINE)

#define ENTRY(result, name, parameters, arguments) {#name, (void **)&library_##name},
static const struct {
    const char *name;
    void **place;
} entries[] = {FUNCTIONS(ENTRY)};

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
// The version whose headers this was built with; another one's functions may take other arguments.
#define LIBRARY "libssl.so." TEXT(OPENSSL_SHLIB_VERSION)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char failure[256];

static void load(void) {
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *reason = dlerror();
        snprintf(failure, sizeof failure, "%s", reason != NULL ? reason : LIBRARY " cannot be loaded");
        return;
    }
    for (size_t index = 0; index < sizeof entries / sizeof *entries; index++) {
        // Those of libcrypto, too: it belongs to what libssl needs.
        void *function = dlsym(library, entries[index].name);
        if (function == NULL) {
            snprintf(failure, sizeof failure, LIBRARY " has no function %s", entries[index].name);
            return;
        }
        *entries[index].place = function;
    }
}

const char *gantry_openssl_load(void) {
    pthread_once(&once, load);
    return failure[0] != 0 ? failure : NULL;
}
