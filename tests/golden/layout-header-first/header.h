/* SPDX-License-Identifier: GPL-2.0 */
/* Code that the unit has from elsewhere. */
static noinline int from_header(int x)
{
	return work(x + 1);
}
