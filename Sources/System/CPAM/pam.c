#include "CPAM.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct answers {
    const char *user;
    const char *password;
};

/* Our own pause after a failure holds nobody up; PAM's would hold this thread. */
static void no_delay(int status, unsigned delay, void *data) {
    (void)status;
    (void)delay;
    (void)data;
}

static void discard(struct pam_response *responses, int count) {
    for (int i = 0; i < count; i++) {
        if (responses[i].resp) {
            explicit_bzero(responses[i].resp, strlen(responses[i].resp));
            free(responses[i].resp);
        }
    }
    free(responses);
}

/* What is asked without echo is the password, what is asked with echo the name; the rest needs no answer. */
static int converse(int count, const struct pam_message **messages, struct pam_response **out, void *data) {
    const struct answers *answers = data;
    if (count <= 0 || count > PAM_MAX_NUM_MSG) return PAM_CONV_ERR;
    struct pam_response *responses = calloc((size_t)count, sizeof *responses);
    if (!responses) return PAM_BUF_ERR;
    for (int i = 0; i < count; i++) {
        const char *answer = NULL;
        switch (messages[i]->msg_style) {
        case PAM_PROMPT_ECHO_OFF: answer = answers->password; break;
        case PAM_PROMPT_ECHO_ON: answer = answers->user; break;
        case PAM_ERROR_MSG:
        case PAM_TEXT_INFO: continue;
        default: discard(responses, count); return PAM_CONV_ERR;
        }
        responses[i].resp = strdup(answer);
        if (!responses[i].resp) {
            discard(responses, count);
            return PAM_BUF_ERR;
        }
    }
    *out = responses;
    return PAM_SUCCESS;
}

int gantry_pam_check(
    const char *service, const char *folder, const char *user, const char *password, char *reason, size_t size) {
    struct answers answers = {user, password};
    struct pam_conv conversation = {converse, &answers};
    pam_handle_t *handle = NULL;
    int status = folder ? pam_start_confdir(service, user, &conversation, folder, &handle)
                        : pam_start(service, user, &conversation, &handle);
    if (status != PAM_SUCCESS) {
        snprintf(reason, size, "PAM cannot start the service");
        return status;
    }
    pam_set_item(handle, PAM_FAIL_DELAY, (const void *)no_delay);
    status = pam_authenticate(handle, PAM_DISALLOW_NULL_AUTHTOK | PAM_SILENT);
    if (status == PAM_SUCCESS) status = pam_acct_mgmt(handle, PAM_DISALLOW_NULL_AUTHTOK | PAM_SILENT);
    snprintf(reason, size, "%s", status == PAM_SUCCESS ? "" : pam_strerror(handle, status));
    pam_end(handle, status);
    return status;
}
