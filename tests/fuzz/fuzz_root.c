/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Payloads of kind root from any bytes. */
#include "lib/trust/metadata.h"
#include "tests/fuzz/payload.h"

FUZZ_PAYLOAD(root)
