/* listener: formats a notice and hands it to whoever listens. */
#include "launch/train/listener.h"

#include <stdarg.h>
#include <stdio.h>

void ls_listener_notice(const ls_listener *listener, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    if (!listener->notice)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    listener->notice(listener->context, text);
}
