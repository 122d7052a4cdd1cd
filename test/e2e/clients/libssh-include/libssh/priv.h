/* The examples include this private header of libssh for one macro. */
#define FALL_THROUGH __attribute__((fallthrough))
