/* What the build of libssh would find out for its example client on Linux. */
#define HAVE_TERMIOS_H 1
#define HAVE_UNISTD_H 1
#define HAVE_PTY_H 1
#define HAVE_CFMAKERAW 1
