/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How every reproducer speaks: one line and an exit status that scripts and people read alike.
 * "FIXED: …" and 0: the flaw is gone; "VULNERABLE: …" and 1: it is there; "UNKNOWN: …" and 2: this
 * system doesn't let the program tell.
 */
#ifndef EXAMPLES_REPRODUCER_H
#define EXAMPLES_REPRODUCER_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum verdict {
	VERDICT_FIXED = 0,
	VERDICT_VULNERABLE = 1,
	VERDICT_UNKNOWN = 2,
};

/* Prints the verdict with its reason and ends the program with the verdict as exit status. */
__attribute__((noreturn, format(printf, 2, 3))) static inline void conclude(enum verdict verdict,
									    const char *format, ...)
{
	static const char *const words[] = {"FIXED", "VULNERABLE", "UNKNOWN"};
	va_list args;

	printf("%s: ", words[verdict]);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	_exit(verdict);
}

#define fixed(...)	conclude(VERDICT_FIXED, __VA_ARGS__)
#define vulnerable(...) conclude(VERDICT_VULNERABLE, __VA_ARGS__)
#define unknown(...)	conclude(VERDICT_UNKNOWN, __VA_ARGS__)

/* For a step that has nothing to do with the flaw: if it fails, nothing can be said. */
#define require(condition, what)                                           \
	do {                                                               \
		if (!(condition))                                          \
			unknown("cannot %s: %s", (what), strerror(errno)); \
	} while (0)

#define NOBODY 65534

/* Gives up root, and with it every capability, for good. */
static inline void become_nobody(void)
{
	if (geteuid() != 0)
		return;
	require(setresgid(NOBODY, NOBODY, NOBODY) == 0, "give up group root");
	require(setresuid(NOBODY, NOBODY, NOBODY) == 0, "give up root");
}

/* Writes text to a file that exists; false with errno set if that fails. */
static inline int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t done = write(fd, text, strlen(text));
	int error = errno;
	close(fd);
	errno = error;
	return done == (ssize_t)strlen(text);
}

#endif
