// Whether this is built with a sanitizer, which needs address space, threads and calls that a confined process does not have.
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
