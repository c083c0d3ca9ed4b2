/* SPDX-License-Identifier: GPL-2.0 */
/* Before. */
enum state {
	IDLE,
	BUSY,
	DEAD = -1
};
enum {
	FLAG_A = 1,
	FLAG_B = 2
};
enum {
	MAX_ITEMS = 16
};
enum kind {
	ONE,
	TWO,
	NR_KINDS
};
