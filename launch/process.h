/* process: what every command needs from its process: descriptors 0 to 2, failed writes that end no
 * process, memory, and output that is not lost in silence. */
#pragma once

/* To be called first. Where a descriptor of stdin, stdout or stderr is closed, the next file that
 * is opened would get its number, and what is printed would land in that file: opens /dev/null
 * instead. A write into a pipe without reader, or beyond the limit of a file's size, becomes an
 * error of that write. Too small a stack, and a lack of memory in jansson, end the program with
 * words and code 70. When the program exits, it looks whether stdout could be written: if not, it
 * says so, and 0 becomes 74. */
void ls_process_begin(void);
