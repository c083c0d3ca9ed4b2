/* SPDX-License-Identifier: GPL-2.0 */
/* Declarations that embed what the other header declares. */
struct whole {
	int before;
	struct part part;
	int after;
};
typedef struct {
	struct part parts[2];
} many_t;
