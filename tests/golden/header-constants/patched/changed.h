/* SPDX-License-Identifier: GPL-2.0 */
/* After. */
enum state {
	IDLE,
	READY,
	BUSY,
	DEAD = -1
};
enum {
	FLAG_A = 1,
	FLAG_NEW = 2,
	FLAG_B = 4
};
enum {
	MAX_ITEMS = 32
};
enum kind {
	ONE,
	TWO,
	THREE,
	NR_KINDS
};
