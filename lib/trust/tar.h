/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The header of a ustar archive (POSIX.1-1988): 512 bytes of text fields; numbers are octal text. */
#ifndef RK_TRUST_TAR_H
#define RK_TRUST_TAR_H

#include <stddef.h>
#include <stdint.h>

#define RK_TAR_BLOCK 512

struct rk_tar_header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[6]; /* "ustar\0" */
	char version[2];
	char user[32];
	char group[32];
	char major[8];
	char minor[8];
	char prefix[155];
	char pad[12];
};

_Static_assert(sizeof(struct rk_tar_header) == RK_TAR_BLOCK, "a ustar header has 512 bytes");

/* The sum of the header's bytes, those of the checksum itself taken as blanks. */
unsigned int rk_tar_checksum(const struct rk_tar_header *header);

/* Writes n as so many octal digits; what doesn't fit is cut off at the left. */
void rk_tar_put_octal(char *field, size_t digits, uint64_t n);

#endif
