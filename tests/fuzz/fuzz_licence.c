/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Licences from any bytes. */
#include "lib/trust/licence.h"
#include "tests/fuzz/payload.h"

FUZZ_PAYLOAD(licence)
