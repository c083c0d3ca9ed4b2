/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A switch with a table of places in its function: the table goes along with the function it belongs to.
 * flags: -fjump-tables
 */
#include "kernel.h"

int entry(int x)
{
	switch (x) {
	case 0: return work(10);
	case 1: return work(21);
	case 2: return work(35);
	case 3: return work(45);
	case 4: return work(52);
	case 5: return work(67);
	case 6: return work(71);
	}
	return 0;
}

int other(int x)
{
	switch (x) {
	case 0: return work(110);
	case 1: return work(121);
	case 2: return work(135);
	case 3: return work(144);
	case 4: return work(152);
	case 5: return work(167);
	case 6: return work(171);
	}
	return 0;
}
