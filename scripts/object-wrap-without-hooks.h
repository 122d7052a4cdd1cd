/*
 * Included ahead of ssh2's native crypto when it is compiled. Node 24's ObjectWrap asks the current context
 * for its environment when an object is collected. Memory is also collected where no context is entered, when
 * a buffer is allocated for bytes that arrive: the process is then aborted. Node before that had no such hook.
 */
#include <node.h>
#define AddEnvironmentCleanupHook(...) ((void)0)
#define RemoveEnvironmentCleanupHook(...) ((void)0)
#include <node_object_wrap.h>
#undef AddEnvironmentCleanupHook
#undef RemoveEnvironmentCleanupHook
