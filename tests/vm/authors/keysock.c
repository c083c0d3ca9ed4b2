// SPDX-License-Identifier: GPL-2.0-or-later
/* Opens a PF_KEY socket and keeps it open until it is killed; says "open" when it is. */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define PF_KEY_V2 2 /* RFC 2367 */

int main(void)
{
	if (socket(PF_KEY, SOCK_RAW, PF_KEY_V2) < 0) {
		perror("socket");
		return 1;
	}
	puts("open");
	fflush(stdout);
	pause();
	return 0;
}
